DROP INDEX "dagwright"."workflow_executions_run_at";--> statement-breakpoint
ALTER TABLE "dagwright"."workflow_executions" ADD COLUMN "is_held" boolean DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX "workflow_executions_held" ON "dagwright"."workflow_executions" USING btree ("tenant_id","run_at") WHERE is_held and run_at is not null;--> statement-breakpoint
CREATE INDEX "workflow_executions_open" ON "dagwright"."workflow_executions" USING btree ("tenant_id","id") WHERE status in ('pending', 'running', 'paused');--> statement-breakpoint
CREATE INDEX "workflow_executions_unwell" ON "dagwright"."workflow_executions" USING btree ("tenant_id","id") WHERE status in ('failed', 'cancelled');--> statement-breakpoint
CREATE INDEX "workflow_executions_run_at" ON "dagwright"."workflow_executions" USING btree ("run_at") WHERE run_at is not null and not is_held;