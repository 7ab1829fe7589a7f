CREATE SCHEMA "dagwright";
--> statement-breakpoint
CREATE TYPE "dagwright"."execution_status" AS ENUM('pending', 'running', 'paused', 'completed', 'failed', 'cancelled');--> statement-breakpoint
CREATE TYPE "dagwright"."skip_reason" AS ENUM('condition_false', 'branch_not_taken', 'upstream_skipped', 'upstream_failed', 'execution_failed', 'terminated', 'skipped_by_operator');--> statement-breakpoint
CREATE TYPE "dagwright"."task_status" AS ENUM('pending', 'running', 'waiting', 'retrying', 'completed', 'failed', 'skipped', 'cancelled');--> statement-breakpoint
CREATE TYPE "dagwright"."trigger_type" AS ENUM('manual', 'api', 'schedule', 'webhook', 'sql', 'sub_workflow', 'event');--> statement-breakpoint
CREATE TABLE "dagwright"."engine_counters" (
	"name" text PRIMARY KEY NOT NULL,
	"value" bigint DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "dagwright"."idempotency_keys" (
	"tenant_id" uuid NOT NULL,
	"scope" text NOT NULL,
	"key" text NOT NULL,
	"workflow_execution_id" uuid NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "idempotency_keys_tenant_id_scope_key_pk" PRIMARY KEY("tenant_id","scope","key")
);
--> statement-breakpoint
CREATE TABLE "dagwright"."task_attempts" (
	"workflow_execution_id" uuid NOT NULL,
	"task_id" text NOT NULL,
	"map_index" integer NOT NULL,
	"attempt_number" integer NOT NULL,
	"fence" bigint NOT NULL,
	"tenant_id" uuid NOT NULL,
	"worker_id" uuid,
	"error" jsonb NOT NULL,
	"cost_usd" numeric DEFAULT '0',
	"resource_usage" jsonb,
	"started_at" timestamp with time zone,
	"completed_at" timestamp with time zone NOT NULL,
	"duration_ms" bigint,
	CONSTRAINT "task_attempts_workflow_execution_id_task_id_map_index_fence_pk" PRIMARY KEY("workflow_execution_id","task_id","map_index","fence")
);
--> statement-breakpoint
CREATE TABLE "dagwright"."task_executions" (
	"workflow_execution_id" uuid NOT NULL,
	"task_id" text NOT NULL,
	"map_index" integer DEFAULT -1 NOT NULL,
	"tenant_id" uuid NOT NULL,
	"task_type" text NOT NULL,
	"status" "dagwright"."task_status" DEFAULT 'pending' NOT NULL,
	"reason" "dagwright"."skip_reason",
	"pending_edges" integer DEFAULT 0 NOT NULL,
	"early" smallint DEFAULT 0 NOT NULL,
	"stays_after_failure" boolean DEFAULT false NOT NULL,
	"fence" bigint DEFAULT 0 NOT NULL,
	"attempt_number" integer DEFAULT 0 NOT NULL,
	"recoveries" integer DEFAULT 0 NOT NULL,
	"worker_id" uuid,
	"ready_at" timestamp with time zone,
	"wake_at" timestamp with time zone,
	"waiting_on" text,
	"started_at" timestamp with time zone,
	"completed_at" timestamp with time zone,
	"completed_seq" bigint,
	"branch" text,
	"winner" text,
	"input" jsonb,
	"output" jsonb,
	"error" jsonb,
	"part_errors" jsonb,
	"checkpoint" jsonb,
	"resource_usage" jsonb,
	"cost_usd" numeric DEFAULT '0',
	"duration_ms" bigint,
	"queued_ms" bigint,
	"items" jsonb,
	"items_total" integer,
	"items_issued" integer,
	"items_open" integer,
	"items_ok" integer,
	"items_failed" integer,
	"items_tolerated" integer,
	"items_needed" integer,
	CONSTRAINT "task_executions_workflow_execution_id_task_id_map_index_pk" PRIMARY KEY("workflow_execution_id","task_id","map_index")
);
--> statement-breakpoint
CREATE TABLE "dagwright"."tenants" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"display_name" text,
	"tier" integer DEFAULT 1 NOT NULL,
	"status" text DEFAULT 'active' NOT NULL,
	"settings" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "tenants_name_unique" UNIQUE("name")
);
--> statement-breakpoint
CREATE TABLE "dagwright"."workers" (
	"id" uuid PRIMARY KEY NOT NULL,
	"lock_key" integer GENERATED ALWAYS AS IDENTITY (sequence name "dagwright"."workers_lock_key_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"host" text NOT NULL,
	"pid" integer NOT NULL,
	"concurrency" integer NOT NULL,
	"pool_ids" text[] DEFAULT '{}' NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"heartbeat_at" timestamp with time zone NOT NULL,
	"beating_since" timestamp with time zone NOT NULL,
	"lease_seconds" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "dagwright"."workflow_definitions" (
	"tenant_id" uuid NOT NULL,
	"workflow_id" text NOT NULL,
	"name" text,
	"category" text DEFAULT 'custom' NOT NULL,
	"status" text DEFAULT 'active' NOT NULL,
	"latest_revision" integer NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "workflow_definitions_tenant_id_workflow_id_pk" PRIMARY KEY("tenant_id","workflow_id"),
	CONSTRAINT "workflow_definitions_status" CHECK ("dagwright"."workflow_definitions"."status" in ('draft', 'active', 'archived'))
);
--> statement-breakpoint
CREATE TABLE "dagwright"."workflow_executions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" uuid NOT NULL,
	"workflow_id" text NOT NULL,
	"revision" integer NOT NULL,
	"version_id" uuid NOT NULL,
	"status" "dagwright"."execution_status" DEFAULT 'pending' NOT NULL,
	"priority" smallint DEFAULT 5 NOT NULL,
	"trigger_type" "dagwright"."trigger_type" NOT NULL,
	"trigger" jsonb,
	"input" jsonb NOT NULL,
	"output" jsonb,
	"error" jsonb,
	"metadata" jsonb,
	"created_by" text,
	"created_at" timestamp with time zone NOT NULL,
	"started_at" timestamp with time zone,
	"completed_at" timestamp with time zone,
	"deadline_at" timestamp with time zone,
	"duration_ms" bigint,
	"open_tasks" integer DEFAULT 0 NOT NULL,
	"failed_tasks" integer DEFAULT 0 NOT NULL,
	"failing" boolean DEFAULT false NOT NULL,
	"concluded_by" uuid,
	"next_seq" bigint DEFAULT 1 NOT NULL,
	"actual_cost_usd" numeric DEFAULT '0' NOT NULL,
	"cost_unknown" boolean DEFAULT false NOT NULL,
	"completed_with_errors" boolean DEFAULT false NOT NULL
);
--> statement-breakpoint
CREATE TABLE "dagwright"."workflow_versions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" uuid NOT NULL,
	"workflow_id" text NOT NULL,
	"revision" integer NOT NULL,
	"content_hash" text NOT NULL,
	"definition" json NOT NULL,
	"created_by" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "workflow_versions_revision" UNIQUE("tenant_id","workflow_id","revision")
);
--> statement-breakpoint
ALTER TABLE "dagwright"."task_attempts" ADD CONSTRAINT "task_attempts_workflow_execution_id_workflow_executions_id_fk" FOREIGN KEY ("workflow_execution_id") REFERENCES "dagwright"."workflow_executions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "dagwright"."workflow_definitions" ADD CONSTRAINT "workflow_definitions_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "dagwright"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "dagwright"."workflow_executions" ADD CONSTRAINT "workflow_executions_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "dagwright"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "task_executions_wake" ON "dagwright"."task_executions" USING btree ("wake_at") WHERE wake_at is not null;--> statement-breakpoint
CREATE INDEX "task_executions_ready" ON "dagwright"."task_executions" USING btree ("ready_at") WHERE ready_at is not null;--> statement-breakpoint
CREATE INDEX "workflow_executions_tenant" ON "dagwright"."workflow_executions" USING btree ("tenant_id","id");--> statement-breakpoint
CREATE INDEX "workflow_executions_open_idx" ON "dagwright"."workflow_executions" USING btree ("id") WHERE status in ('pending', 'running', 'paused');--> statement-breakpoint
CREATE INDEX "workflow_executions_deadline" ON "dagwright"."workflow_executions" USING btree ("deadline_at") WHERE deadline_at is not null;