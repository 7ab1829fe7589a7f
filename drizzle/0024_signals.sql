ALTER TYPE "dagwright"."wait_kind" ADD VALUE 'signal';--> statement-breakpoint
CREATE TABLE "dagwright"."execution_signals" (
	"workflow_execution_id" uuid NOT NULL,
	"position" bigint NOT NULL,
	"tenant_id" uuid NOT NULL,
	"name" text NOT NULL,
	"payload" jsonb,
	"broadcast" boolean DEFAULT false NOT NULL,
	"sender" text NOT NULL,
	"dedupe_key" text,
	"created_at" timestamp with time zone NOT NULL,
	"is_judged" boolean NOT NULL,
	"taken_at" timestamp with time zone,
	"task_id" text,
	"map_index" integer,
	CONSTRAINT "execution_signals_workflow_execution_id_position_pk" PRIMARY KEY("workflow_execution_id","position")
);
--> statement-breakpoint
CREATE TABLE "dagwright"."signal_waits" (
	"workflow_execution_id" uuid NOT NULL,
	"name" text NOT NULL,
	"opened_at" timestamp with time zone NOT NULL,
	"task_id" text NOT NULL,
	"map_index" integer NOT NULL,
	"tenant_id" uuid NOT NULL,
	"answer_key" "bytea" NOT NULL,
	"condition_reads" jsonb,
	CONSTRAINT "signal_waits_pk" PRIMARY KEY("workflow_execution_id","name","opened_at","task_id","map_index")
);
--> statement-breakpoint
ALTER TABLE "dagwright"."execution_signals" ADD CONSTRAINT "execution_signals_workflow_execution_id_workflow_executions_id_fk" FOREIGN KEY ("workflow_execution_id") REFERENCES "dagwright"."workflow_executions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "dagwright"."signal_waits" ADD CONSTRAINT "signal_waits_workflow_execution_id_workflow_executions_id_fk" FOREIGN KEY ("workflow_execution_id") REFERENCES "dagwright"."workflow_executions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "execution_signals_stored" ON "dagwright"."execution_signals" USING btree ("workflow_execution_id","name","position") WHERE taken_at is null;--> statement-breakpoint
CREATE INDEX "execution_signals_to_judge" ON "dagwright"."execution_signals" USING btree ("workflow_execution_id","name") WHERE not is_judged;--> statement-breakpoint
CREATE UNIQUE INDEX "execution_signals_dedupe" ON "dagwright"."execution_signals" USING btree ("workflow_execution_id","sender","dedupe_key") WHERE dedupe_key is not null;--> statement-breakpoint
CREATE INDEX "execution_signals_created" ON "dagwright"."execution_signals" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "signal_waits_task" ON "dagwright"."signal_waits" USING btree ("workflow_execution_id","task_id","map_index");