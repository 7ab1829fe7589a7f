-- The function comes first: the column is made by it. Functions that a tenant's insert calls are granted here as well.
-- src/db/functions/task-needs.sql
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
--> statement-breakpoint
revoke execute on function dagwright.task_needs_v1(json) from public;
grant execute on function dagwright.task_needs_v1(json) to dagwright_engine, dagwright_tenant;
--> statement-breakpoint
ALTER TYPE "dagwright"."webhook_verifier" ADD VALUE IF NOT EXISTS 'shopify';--> statement-breakpoint
ALTER TYPE "dagwright"."webhook_verifier" ADD VALUE IF NOT EXISTS 'zoom';--> statement-breakpoint
ALTER TYPE "dagwright"."webhook_verifier" ADD VALUE IF NOT EXISTS 'zendesk';--> statement-breakpoint
ALTER TYPE "dagwright"."webhook_verifier" ADD VALUE IF NOT EXISTS 'twilio';--> statement-breakpoint
ALTER TYPE "dagwright"."webhook_verifier" ADD VALUE IF NOT EXISTS 'discord';--> statement-breakpoint
ALTER TYPE "dagwright"."webhook_verifier" ADD VALUE IF NOT EXISTS 'meta';--> statement-breakpoint
CREATE TABLE "dagwright"."task_types" (
	"type" text NOT NULL,
	"schema_hash" text NOT NULL,
	"config_schema" json NOT NULL,
	"registered_at" timestamp with time zone NOT NULL,
	CONSTRAINT "task_types_type_schema_hash_pk" PRIMARY KEY("type","schema_hash")
);
--> statement-breakpoint
ALTER TABLE "dagwright"."workers" ADD COLUMN "types" jsonb;--> statement-breakpoint
ALTER TABLE "dagwright"."workflow_versions" ADD COLUMN "needs" jsonb GENERATED ALWAYS AS (dagwright.task_needs_v1(definition)) STORED;--> statement-breakpoint
ALTER TABLE "dagwright"."webhook_events" ADD COLUMN "warnings" jsonb;--> statement-breakpoint
ALTER TABLE "dagwright"."webhooks" ADD COLUMN "methods" jsonb;--> statement-breakpoint
ALTER TABLE "dagwright"."webhooks" ADD COLUMN "handshakes" jsonb;--> statement-breakpoint
ALTER TABLE "dagwright"."webhooks" ADD COLUMN "respond" jsonb;--> statement-breakpoint
grant select, insert, update, delete on dagwright.task_types to dagwright_engine;
