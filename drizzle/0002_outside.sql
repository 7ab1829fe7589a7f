CREATE TYPE "dagwright"."log_level" AS ENUM('debug', 'info', 'warn', 'error');--> statement-breakpoint
CREATE TABLE "dagwright"."ai_model_pricing" (
	"provider" text NOT NULL,
	"model" text NOT NULL,
	"source" text NOT NULL,
	"position" integer DEFAULT 0 NOT NULL,
	"effective_from" timestamp with time zone NOT NULL,
	"daily_from" time,
	"daily_until" time,
	"input_usd_per_million" numeric,
	"cached_input_usd_per_million" numeric,
	"cache_write_usd_per_million" numeric,
	"output_usd_per_million" numeric,
	"other_rates" jsonb,
	"tiers" jsonb,
	"match" jsonb,
	"library_version" text,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "ai_model_pricing_provider_model_source_effective_from_position_pk" PRIMARY KEY("provider","model","source","effective_from","position"),
	CONSTRAINT "ai_model_pricing_source" CHECK ("dagwright"."ai_model_pricing"."source" in ('library', 'operator'))
);
--> statement-breakpoint
CREATE TABLE "dagwright"."execution_logs" (
	"id" uuid NOT NULL,
	"tenant_id" uuid NOT NULL,
	"workflow_execution_id" uuid NOT NULL,
	"task_id" text,
	"map_index" integer,
	"attempt_number" integer,
	"at" timestamp with time zone NOT NULL,
	"level" "dagwright"."log_level" NOT NULL,
	"message" text NOT NULL,
	"fields" jsonb,
	CONSTRAINT "execution_logs_workflow_execution_id_id_pk" PRIMARY KEY("workflow_execution_id","id")
);
--> statement-breakpoint
CREATE TABLE "dagwright"."retention_cleanup_logs" (
	"pass_id" uuid NOT NULL,
	"table_name" text NOT NULL,
	"older_than" timestamp with time zone NOT NULL,
	"deleted_rows" bigint NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"completed_at" timestamp with time zone NOT NULL,
	CONSTRAINT "retention_cleanup_logs_pass_id_table_name_pk" PRIMARY KEY("pass_id","table_name")
);
--> statement-breakpoint
CREATE TABLE "dagwright"."service_limits" (
	"service_id" text PRIMARY KEY NOT NULL,
	"max_concurrency" integer,
	"rate_limit" integer,
	"rate_interval_ms" integer,
	"starts" bigint DEFAULT 0 NOT NULL,
	"waiting_worker_id" uuid,
	"waiting_since" timestamp with time zone,
	"waiting_seen_at" timestamp with time zone,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "dagwright"."service_permits" (
	"id" uuid PRIMARY KEY NOT NULL,
	"service_id" text NOT NULL,
	"worker_id" uuid NOT NULL,
	"created_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "dagwright"."service_starts" (
	"service_id" text NOT NULL,
	"slot" integer NOT NULL,
	"starts_at" timestamp with time zone NOT NULL,
	CONSTRAINT "service_starts_service_id_slot_pk" PRIMARY KEY("service_id","slot")
);
--> statement-breakpoint
CREATE TABLE "dagwright"."service_states" (
	"service_id" text PRIMARY KEY NOT NULL,
	"openings" integer DEFAULT 0 NOT NULL,
	"open_until" timestamp with time zone,
	"paused_until" timestamp with time zone,
	"probe_id" uuid,
	"probe_worker_id" uuid,
	"probe_started_at" timestamp with time zone,
	"last_error" text,
	"changed_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "dagwright"."task_callbacks" (
	"token_hash" "bytea" PRIMARY KEY NOT NULL,
	"tenant_id" uuid NOT NULL,
	"workflow_execution_id" uuid NOT NULL,
	"task_id" text NOT NULL,
	"map_index" integer NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"times_out_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"heartbeat_ms" bigint,
	"completed_at" timestamp with time zone,
	"output" jsonb,
	"error" jsonb
);
--> statement-breakpoint
ALTER TABLE "dagwright"."task_executions" ADD COLUMN "held_wake_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "dagwright"."task_executions" ADD COLUMN "spent_fence" bigint;--> statement-breakpoint
ALTER TABLE "dagwright"."task_executions" ADD COLUMN "spent_usd" numeric;--> statement-breakpoint
ALTER TABLE "dagwright"."task_executions" ADD COLUMN "spent_usage" jsonb;--> statement-breakpoint
ALTER TABLE "dagwright"."workflow_executions" ADD COLUMN "paused_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "dagwright"."service_permits" ADD CONSTRAINT "service_permits_service_id_service_limits_service_id_fk" FOREIGN KEY ("service_id") REFERENCES "dagwright"."service_limits"("service_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "dagwright"."service_starts" ADD CONSTRAINT "service_starts_service_id_service_limits_service_id_fk" FOREIGN KEY ("service_id") REFERENCES "dagwright"."service_limits"("service_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "dagwright"."task_callbacks" ADD CONSTRAINT "task_callbacks_workflow_execution_id_workflow_executions_id_fk" FOREIGN KEY ("workflow_execution_id") REFERENCES "dagwright"."workflow_executions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "service_permits_service" ON "dagwright"."service_permits" USING btree ("service_id");--> statement-breakpoint
CREATE INDEX "task_callbacks_task" ON "dagwright"."task_callbacks" USING btree ("workflow_execution_id","task_id","map_index");--> statement-breakpoint
CREATE INDEX "idempotency_keys_execution" ON "dagwright"."idempotency_keys" USING btree ("workflow_execution_id");