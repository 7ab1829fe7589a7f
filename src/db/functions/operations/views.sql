create or replace view dagwright.v_executions with (security_invoker = true) as
  select id, tenant_id, workflow_id, revision, status, priority, trigger_type, created_by, created_at, started_at, completed_at,
    duration_ms, actual_cost_usd, cost_unknown, open_tasks, failed_tasks, error->>'code' as error_code, error->>'message' as error_message
  from dagwright.workflow_executions;

-- The tasks of the stored definitions.
create or replace view dagwright.workflow_tasks with (security_invoker = true) as
  select v.tenant_id, v.workflow_id, v.revision, n.ordinality::int as position, n.value->>'taskId' as task_id,
    n.value->>'taskType' as task_type, n.value->>'modelId' as model_id, n.value->'dependsOn' as depends_on, n.value->'config' as config
  from dagwright.workflow_versions v, json_array_elements(v.definition->'nodes') with ordinality n;
