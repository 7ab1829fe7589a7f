-- The function comes first: the column is made by it. A tenant's insert calls it, so it is granted here as well.
-- src/db/functions/task-needs.sql
-- Which types the nodes of a definition need beside COMMON_TYPES (db/protocol/job-kinds.ts), each list in order: { usual: what most
-- nodes need, or null; others: { task: what it needs instead, or null } }; null: no node needs any. Read whenever tasks become ready:
-- mostly all nodes need the same, and however many there are, that is a short value.
create or replace function dagwright.task_needs_v2(definition json) returns jsonb
language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
  with needed as (
    select node->>'taskId' as task_id, jsonb_agg(distinct t.type) filter (where t.type <> all(array['aggregation', 'condition', 'external_api',
      'fail', 'model_inference', 'parallel', 'terminate', 'transformation', 'wait'])) as types
    from jsonb_path_query(definition::jsonb, 'lax $.nodes[*]') node
    cross join lateral (
      select node union all select jsonb_path_query(node, 'lax $ ? (@.taskType == "parallel").config.task')
      union all select jsonb_path_query(node, 'lax $ ? (@.taskType == "parallel").config.branches.*')) p(part)
    cross join lateral (
      select part->>'taskType'
      union all select jsonb_path_query(part, 'lax $ ? (@.taskType == "model_inference").config.tools[*].task.taskType') #>> '{}') t(type)
    where node->>'taskId' is not null group by 1),
  usual as (select types from needed group by types order by count(*) desc, types limit 1)
  select jsonb_build_object('usual', usual.types, 'others', coalesce(jsonb_object_agg(needed.task_id, needed.types)
    filter (where needed.types is distinct from usual.types), '{}'))
  from needed cross join usual group by usual.types having count(needed.types) > 0
$$;
--> statement-breakpoint
revoke execute on function dagwright.task_needs_v2(json) from public;
grant execute on function dagwright.task_needs_v2(json) to dagwright_engine, dagwright_tenant;
--> statement-breakpoint
ALTER TABLE "dagwright"."workflow_versions" drop column "needs";--> statement-breakpoint
ALTER TABLE "dagwright"."workflow_versions" ADD COLUMN "needs" jsonb GENERATED ALWAYS AS (dagwright.task_needs_v2(definition)) STORED;--> statement-breakpoint
drop function dagwright.task_needs_v1(json);
