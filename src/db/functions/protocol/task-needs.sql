-- { task: [types beside COMMON_TYPES (db/protocol/job-kinds.ts), in order] } of the nodes that need some; null: of none.
create or replace function dagwright.task_needs_v1(definition json) returns jsonb
language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
  select jsonb_object_agg(n.task_id, n.needs) from (
    select node->>'taskId' as task_id, jsonb_agg(distinct t.type) as needs
    from jsonb_path_query(definition::jsonb, 'lax $.nodes[*]') node
    cross join lateral (
      select node union all select jsonb_path_query(node, 'lax $ ? (@.taskType == "parallel").config.task')
      union all select jsonb_path_query(node, 'lax $ ? (@.taskType == "parallel").config.branches.*')) p(part)
    cross join lateral (
      select part->>'taskType'
      union all select jsonb_path_query(part, 'lax $ ? (@.taskType == "model_inference").config.tools[*].task.taskType') #>> '{}') t(type)
    where node->>'taskId' is not null and t.type <> all(array['aggregation', 'condition', 'external_api', 'fail', 'model_inference', 'parallel',
      'terminate', 'transformation', 'wait'])
    group by 1) n
$$;
