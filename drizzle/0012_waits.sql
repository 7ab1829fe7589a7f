-- The column of waits gets a type of its own. Not by ALTER COLUMN TYPE, which would write the whole table anew: only tasks of
-- executions that are not over wait for anything, so that a new column is filled for them. The view that reads the old one
-- comes back with the functions of the next migration.
CREATE TYPE "dagwright"."wait_kind" AS ENUM('timer', 'callback', 'items');--> statement-breakpoint
DROP VIEW "dagwright"."v_orphans";--> statement-breakpoint
ALTER TABLE "dagwright"."task_executions" RENAME COLUMN "waiting_on" TO "waiting_on_text";--> statement-breakpoint
ALTER TABLE "dagwright"."task_executions" ADD COLUMN "waiting_on" "dagwright"."wait_kind";--> statement-breakpoint
-- PostgreSQL refuses a prepared statement whose columns have changed their type ("cached plan must not change result type"), and a
-- worker of the release before would take that for a result that cannot be stored. So the pools of workers are ended here, while
-- the table is locked: a worker takes that as an outage, and sends its calls again on new connections. Only those of the login
-- that migrates may be ended, and only they are.
DO $$ BEGIN
  SET LOCAL ROLE NONE;
  PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = session_user AND application_name = 'dagwright' AND pid <> pg_backend_pid();
END $$;--> statement-breakpoint
-- The owner does not see past the policies; the engine does.
SET LOCAL ROLE dagwright_engine;--> statement-breakpoint
UPDATE "dagwright"."task_executions" SET "waiting_on" = "waiting_on_text"::"dagwright"."wait_kind"
  WHERE "waiting_on_text" IS NOT NULL AND "workflow_execution_id" IN (
    SELECT "id" FROM "dagwright"."workflow_executions" WHERE "status" IN ('pending', 'running', 'paused'));--> statement-breakpoint
SET LOCAL ROLE dagwright_owner;--> statement-breakpoint
ALTER TABLE "dagwright"."task_executions" DROP COLUMN "waiting_on_text";--> statement-breakpoint
ALTER TABLE "dagwright"."task_callbacks" ADD COLUMN "waiting_on" "dagwright"."wait_kind" DEFAULT 'callback' NOT NULL;
