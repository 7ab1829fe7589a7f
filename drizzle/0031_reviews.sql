CREATE TYPE "dagwright"."review_status" AS ENUM('open', 'approved', 'rejected', 'submitted', 'expired', 'cancelled');--> statement-breakpoint
ALTER TYPE "dagwright"."wait_kind" ADD VALUE 'review';--> statement-breakpoint
CREATE TABLE "dagwright"."human_tasks" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" uuid NOT NULL,
	"workflow_execution_id" uuid NOT NULL,
	"task_id" text NOT NULL,
	"map_index" integer NOT NULL,
	"workflow_id" text NOT NULL,
	"fence" bigint NOT NULL,
	"review_type" text NOT NULL,
	"title" text NOT NULL,
	"description" text,
	"payload" jsonb NOT NULL,
	"form_schema" jsonb,
	"shown_hash" "bytea" NOT NULL,
	"status" "dagwright"."review_status" DEFAULT 'open' NOT NULL,
	"priority" smallint DEFAULT 5 NOT NULL,
	"assignees" text[] DEFAULT '{}' NOT NULL,
	"claimed_by" text,
	"claimed_at" timestamp with time zone,
	"required_approvals" integer DEFAULT 1 NOT NULL,
	"reject_after" integer DEFAULT 1 NOT NULL,
	"self_approval" boolean DEFAULT false NOT NULL,
	"starters" text[] DEFAULT '{}' NOT NULL,
	"opened_at" timestamp with time zone NOT NULL,
	"due_in_ms" bigint,
	"remind_before_ms" bigint,
	"due_at" timestamp with time zone,
	"remind_at" timestamp with time zone,
	"reminded_at" timestamp with time zone,
	"on_expire" text NOT NULL,
	"escalate_to" text[] DEFAULT '{}' NOT NULL,
	"escalations" smallint DEFAULT 0 NOT NULL,
	"notifies" boolean DEFAULT false NOT NULL,
	"notify_for" text,
	"notify_error" jsonb,
	"decided_by" text,
	"decided_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "dagwright"."review_assignees" (
	"tenant_id" uuid NOT NULL,
	"assignee" text NOT NULL,
	"review_id" uuid NOT NULL,
	CONSTRAINT "review_assignees_tenant_id_assignee_review_id_pk" PRIMARY KEY("tenant_id","assignee","review_id")
);
--> statement-breakpoint
CREATE TABLE "dagwright"."review_links" (
	"token_hash" "bytea" PRIMARY KEY NOT NULL,
	"tenant_id" uuid NOT NULL,
	"review_id" uuid NOT NULL,
	"person" text,
	"created_at" timestamp with time zone NOT NULL,
	"created_by" text NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"used_at" timestamp with time zone,
	"revoked_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "dagwright"."review_responses" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" uuid NOT NULL,
	"review_id" uuid NOT NULL,
	"by" text NOT NULL,
	"subject" text NOT NULL,
	"decision" text,
	"comment" text,
	"data" jsonb,
	"at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "dagwright"."human_tasks" ADD CONSTRAINT "human_tasks_workflow_execution_id_workflow_executions_id_fk" FOREIGN KEY ("workflow_execution_id") REFERENCES "dagwright"."workflow_executions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "dagwright"."review_links" ADD CONSTRAINT "review_links_review_id_human_tasks_id_fk" FOREIGN KEY ("review_id") REFERENCES "dagwright"."human_tasks"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "dagwright"."review_responses" ADD CONSTRAINT "review_responses_review_id_human_tasks_id_fk" FOREIGN KEY ("review_id") REFERENCES "dagwright"."human_tasks"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "human_tasks_task" ON "dagwright"."human_tasks" USING btree ("workflow_execution_id","task_id","map_index");--> statement-breakpoint
CREATE INDEX "human_tasks_tenant" ON "dagwright"."human_tasks" USING btree ("tenant_id","id");--> statement-breakpoint
CREATE INDEX "human_tasks_workflow" ON "dagwright"."human_tasks" USING btree ("tenant_id","workflow_id","id");--> statement-breakpoint
CREATE INDEX "human_tasks_due" ON "dagwright"."human_tasks" USING btree ("tenant_id","due_at") WHERE status = 'open' and due_at is not null;--> statement-breakpoint
CREATE INDEX "human_tasks_open" ON "dagwright"."human_tasks" USING btree ("tenant_id","id") WHERE status = 'open';--> statement-breakpoint
CREATE INDEX "review_links_review" ON "dagwright"."review_links" USING btree ("review_id");--> statement-breakpoint
CREATE UNIQUE INDEX "review_responses_vote" ON "dagwright"."review_responses" USING btree ("review_id","subject") WHERE decision is not null;--> statement-breakpoint
CREATE INDEX "review_responses_review" ON "dagwright"."review_responses" USING btree ("review_id","id");--> statement-breakpoint
CREATE INDEX "review_responses_subject" ON "dagwright"."review_responses" USING btree ("tenant_id","subject","review_id") WHERE decision is not null;