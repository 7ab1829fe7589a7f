CREATE TYPE "dagwright"."catchup_policy" AS ENUM('none', 'last', 'all');--> statement-breakpoint
CREATE TYPE "dagwright"."overlap_policy" AS ENUM('skip', 'buffer_one', 'allow_all', 'cancel_other');--> statement-breakpoint
CREATE TYPE "dagwright"."schedule_status" AS ENUM('active', 'paused');--> statement-breakpoint
CREATE TYPE "dagwright"."tick_status" AS ENUM('buffered', 'fired', 'skipped_overlap', 'missed', 'backfilled');--> statement-breakpoint
CREATE TYPE "dagwright"."webhook_auth_type" AS ENUM('none', 'secret', 'basic', 'bearer');--> statement-breakpoint
CREATE TYPE "dagwright"."webhook_event_status" AS ENUM('received', 'processed', 'filtered', 'failed');--> statement-breakpoint
CREATE TYPE "dagwright"."webhook_verifier" AS ENUM('standard_webhooks', 'github', 'stripe', 'slack', 'hmac');--> statement-breakpoint
CREATE TYPE "dagwright"."tenant_status" AS ENUM('active', 'suspended');--> statement-breakpoint
CREATE TABLE "dagwright"."api_keys" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" uuid NOT NULL,
	"name" text NOT NULL,
	"subject" text,
	"roles" text[] DEFAULT '{}' NOT NULL,
	"scopes" text[] DEFAULT '{}' NOT NULL,
	"secret_hash" "bytea" NOT NULL,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone,
	"revoked_at" timestamp with time zone,
	"last_used_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "dagwright"."audit_logs" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" uuid,
	"at" timestamp with time zone NOT NULL,
	"actor" text NOT NULL,
	"action" text NOT NULL,
	"resource_type" text NOT NULL,
	"resource_id" text NOT NULL,
	"old_values" jsonb,
	"new_values" jsonb,
	"address" text,
	"user_agent" text
);
--> statement-breakpoint
CREATE TABLE "dagwright"."idempotent_requests" (
	"tenant_id" uuid NOT NULL,
	"route" text NOT NULL,
	"key_hash" "bytea" NOT NULL,
	"request_hash" "bytea" NOT NULL,
	"status" integer NOT NULL,
	"answer" "bytea" NOT NULL,
	"is_sealed" boolean DEFAULT false NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "idempotent_requests_tenant_id_route_key_hash_pk" PRIMARY KEY("tenant_id","route","key_hash")
);
--> statement-breakpoint
CREATE TABLE "dagwright"."workflow_variables" (
	"tenant_id" uuid NOT NULL,
	"name" text NOT NULL,
	"value" jsonb NOT NULL,
	"description" text,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "workflow_variables_tenant_id_name_pk" PRIMARY KEY("tenant_id","name")
);
--> statement-breakpoint
CREATE TABLE "dagwright"."event_triggers" (
	"tenant_id" uuid NOT NULL,
	"workflow_id" text NOT NULL,
	"name" text NOT NULL,
	"event_type" text NOT NULL,
	"condition" jsonb,
	"input_mapping" jsonb,
	"priority" integer DEFAULT 5 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "event_triggers_tenant_id_workflow_id_name_pk" PRIMARY KEY("tenant_id","workflow_id","name")
);
--> statement-breakpoint
CREATE TABLE "dagwright"."events" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" uuid NOT NULL,
	"type" text NOT NULL,
	"payload" jsonb NOT NULL,
	"idempotency_key" text,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"processed_at" timestamp with time zone,
	"executions_started" integer,
	"errors" jsonb
);
--> statement-breakpoint
CREATE TABLE "dagwright"."schedule_ticks" (
	"tenant_id" uuid NOT NULL,
	"schedule_id" uuid NOT NULL,
	"scheduled_at" timestamp with time zone NOT NULL,
	"status" "dagwright"."tick_status" NOT NULL,
	"workflow_execution_id" uuid,
	"decided_at" timestamp with time zone NOT NULL,
	"reason" text,
	"is_open" boolean DEFAULT false NOT NULL,
	CONSTRAINT "schedule_ticks_tenant_id_schedule_id_scheduled_at_pk" PRIMARY KEY("tenant_id","schedule_id","scheduled_at")
);
--> statement-breakpoint
CREATE TABLE "dagwright"."schedulers" (
	"id" uuid PRIMARY KEY NOT NULL,
	"host" text NOT NULL,
	"pid" integer NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"heartbeat_at" timestamp with time zone NOT NULL,
	"fired" bigint DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "dagwright"."schedules" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" uuid NOT NULL,
	"workflow_id" text NOT NULL,
	"name" text NOT NULL,
	"cron_expression" text NOT NULL,
	"timezone" text DEFAULT 'UTC' NOT NULL,
	"input" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"priority" integer DEFAULT 5 NOT NULL,
	"overlap_policy" "dagwright"."overlap_policy" DEFAULT 'skip' NOT NULL,
	"catchup_policy" "dagwright"."catchup_policy" DEFAULT 'last' NOT NULL,
	"catchup_window_seconds" integer DEFAULT 86400 NOT NULL,
	"jitter_seconds" integer DEFAULT 0 NOT NULL,
	"start_at" timestamp with time zone,
	"end_at" timestamp with time zone,
	"pause_on_failure" boolean DEFAULT false NOT NULL,
	"status" "dagwright"."schedule_status" DEFAULT 'active' NOT NULL,
	"paused_reason" text,
	"next_run_at" timestamp with time zone,
	"due_at" timestamp with time zone,
	"last_run_at" timestamp with time zone,
	"last_execution_id" uuid,
	"fence" bigint DEFAULT 0 NOT NULL,
	"from_definition" boolean DEFAULT false NOT NULL,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "schedules_name" UNIQUE("tenant_id","workflow_id","name"),
	CONSTRAINT "schedules_tenant" UNIQUE("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "dagwright"."webhook_events" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" uuid NOT NULL,
	"webhook_id" uuid NOT NULL,
	"delivery_id" text,
	"status" "dagwright"."webhook_event_status" NOT NULL,
	"method" text NOT NULL,
	"headers" jsonb NOT NULL,
	"query" jsonb NOT NULL,
	"body" jsonb NOT NULL,
	"workflow_execution_id" uuid,
	"replay_execution_id" uuid,
	"error" jsonb,
	"replays" integer DEFAULT 0 NOT NULL,
	"received_at" timestamp with time zone NOT NULL,
	"processed_at" timestamp with time zone,
	CONSTRAINT "webhook_events_delivery" UNIQUE("tenant_id","webhook_id","delivery_id")
);
--> statement-breakpoint
CREATE TABLE "dagwright"."webhook_filters" (
	"tenant_id" uuid NOT NULL,
	"webhook_id" uuid NOT NULL,
	"position" integer NOT NULL,
	"field_path" text NOT NULL,
	"operator" text NOT NULL,
	"value" jsonb,
	"logic_group" text,
	CONSTRAINT "webhook_filters_tenant_id_webhook_id_position_pk" PRIMARY KEY("tenant_id","webhook_id","position")
);
--> statement-breakpoint
CREATE TABLE "dagwright"."webhooks" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" uuid NOT NULL,
	"workflow_id" text NOT NULL,
	"path" text NOT NULL,
	"auth_type" "dagwright"."webhook_auth_type" NOT NULL,
	"verifier" "dagwright"."webhook_verifier",
	"secrets" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"verifier_options" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"input_mapping" jsonb,
	"priority" integer DEFAULT 5 NOT NULL,
	"status" text DEFAULT 'active' NOT NULL,
	"from_definition" boolean DEFAULT false NOT NULL,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "webhooks_path" UNIQUE("tenant_id","path"),
	CONSTRAINT "webhooks_tenant" UNIQUE("tenant_id","id"),
	CONSTRAINT "webhooks_status" CHECK ("dagwright"."webhooks"."status" in ('active', 'paused'))
);
--> statement-breakpoint
ALTER TABLE "dagwright"."tenants" ALTER COLUMN "status" SET DEFAULT 'active'::"dagwright"."tenant_status";--> statement-breakpoint
ALTER TABLE "dagwright"."tenants" ALTER COLUMN "status" SET DATA TYPE "dagwright"."tenant_status" USING "status"::"dagwright"."tenant_status";--> statement-breakpoint
ALTER TABLE "dagwright"."idempotency_keys" ADD COLUMN "request_hash" "bytea";--> statement-breakpoint
ALTER TABLE "dagwright"."tenants" ADD COLUMN "updated_at" timestamp with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
ALTER TABLE "dagwright"."workflow_definitions" ADD COLUMN "pinned_revision" integer;--> statement-breakpoint
ALTER TABLE "dagwright"."workflow_executions" ADD COLUMN "run_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "dagwright"."workflow_versions" ADD COLUMN "min_tier" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "dagwright"."api_keys" ADD CONSTRAINT "api_keys_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "dagwright"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "dagwright"."idempotent_requests" ADD CONSTRAINT "idempotent_requests_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "dagwright"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "dagwright"."workflow_variables" ADD CONSTRAINT "workflow_variables_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "dagwright"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "dagwright"."event_triggers" ADD CONSTRAINT "event_triggers_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "dagwright"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "dagwright"."events" ADD CONSTRAINT "events_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "dagwright"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "dagwright"."schedule_ticks" ADD CONSTRAINT "schedule_ticks_tenant_id_schedule_id_schedules_tenant_id_id_fk" FOREIGN KEY ("tenant_id","schedule_id") REFERENCES "dagwright"."schedules"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "dagwright"."schedules" ADD CONSTRAINT "schedules_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "dagwright"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "dagwright"."webhook_events" ADD CONSTRAINT "webhook_events_tenant_id_webhook_id_webhooks_tenant_id_id_fk" FOREIGN KEY ("tenant_id","webhook_id") REFERENCES "dagwright"."webhooks"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "dagwright"."webhook_filters" ADD CONSTRAINT "webhook_filters_tenant_id_webhook_id_webhooks_tenant_id_id_fk" FOREIGN KEY ("tenant_id","webhook_id") REFERENCES "dagwright"."webhooks"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "dagwright"."webhooks" ADD CONSTRAINT "webhooks_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "dagwright"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "api_keys_tenant" ON "dagwright"."api_keys" USING btree ("tenant_id","id");--> statement-breakpoint
CREATE INDEX "audit_logs_tenant" ON "dagwright"."audit_logs" USING btree ("tenant_id","id");--> statement-breakpoint
CREATE INDEX "audit_logs_resource" ON "dagwright"."audit_logs" USING btree ("tenant_id","resource_type","resource_id","id");--> statement-breakpoint
CREATE INDEX "idempotent_requests_created" ON "dagwright"."idempotent_requests" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "event_triggers_type" ON "dagwright"."event_triggers" USING btree ("tenant_id","event_type");--> statement-breakpoint
CREATE UNIQUE INDEX "events_key" ON "dagwright"."events" USING btree ("tenant_id","type","idempotency_key") WHERE idempotency_key is not null;--> statement-breakpoint
CREATE INDEX "events_tenant" ON "dagwright"."events" USING btree ("tenant_id","id");--> statement-breakpoint
CREATE INDEX "events_open" ON "dagwright"."events" USING btree ("tenant_id","id") WHERE processed_at is null;--> statement-breakpoint
CREATE INDEX "schedule_ticks_execution" ON "dagwright"."schedule_ticks" USING btree ("workflow_execution_id");--> statement-breakpoint
CREATE INDEX "schedule_ticks_open" ON "dagwright"."schedule_ticks" USING btree ("schedule_id","scheduled_at") WHERE is_open;--> statement-breakpoint
CREATE INDEX "schedules_due" ON "dagwright"."schedules" USING btree ("due_at") WHERE due_at is not null;--> statement-breakpoint
CREATE INDEX "webhook_events_webhook" ON "dagwright"."webhook_events" USING btree ("tenant_id","webhook_id","id");--> statement-breakpoint
CREATE INDEX "workflow_executions_workflow" ON "dagwright"."workflow_executions" USING btree ("tenant_id","workflow_id","id");--> statement-breakpoint
CREATE INDEX "workflow_executions_run_at" ON "dagwright"."workflow_executions" USING btree ("run_at") WHERE run_at is not null;