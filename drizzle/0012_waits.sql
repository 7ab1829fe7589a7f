-- The column of waits gets a type of its own. Not by ALTER COLUMN TYPE, which would write the whole table anew: only tasks of
-- executions that are not over wait for anything, so that a new column is filled for them. The view that reads the old one
-- comes back with the functions of the next migration.
-- Both tables are locked first, in the order of those who answer, so that nobody waits crosswise; a table that something holds
-- for long is a reason to try again later, not to let every settle queue behind this.
SET LOCAL lock_timeout = '10s';--> statement-breakpoint
LOCK TABLE "dagwright"."task_callbacks", "dagwright"."task_executions" IN ACCESS EXCLUSIVE MODE;--> statement-breakpoint
SET LOCAL lock_timeout = 0;--> statement-breakpoint
CREATE TYPE "dagwright"."wait_kind" AS ENUM('timer', 'callback', 'items');--> statement-breakpoint
-- A settle that has begun with the functions of the release before, and waits for this lock, writes text.
CREATE CAST (text AS "dagwright"."wait_kind") WITH INOUT AS ASSIGNMENT;--> statement-breakpoint
DROP VIEW "dagwright"."v_orphans";--> statement-breakpoint
ALTER TABLE "dagwright"."task_executions" RENAME COLUMN "waiting_on" TO "waiting_on_text";--> statement-breakpoint
ALTER TABLE "dagwright"."task_executions" ADD COLUMN "waiting_on" "dagwright"."wait_kind";--> statement-breakpoint
-- PostgreSQL refuses a prepared statement whose columns have changed their type ("cached plan must not change result type"), and a
-- worker of the release before would take that for a result that cannot be stored. So the pools of workers are ended here, while
-- the tables are locked: a worker takes that as an outage, and sends its calls again on new connections. Only those of the login
-- that migrates may be ended; while there are others, nothing is changed.
DO $$ DECLARE others text; BEGIN
  SET LOCAL ROLE NONE;
  SELECT string_agg(DISTINCT usename, ', ') INTO others FROM pg_stat_activity
    WHERE datname = current_database() AND usename <> session_user AND application_name = 'dagwright';
  IF others IS NOT NULL THEN
    RAISE EXCEPTION 'workers of the former release are connected as %; stop them, migrate, and start the new ones', others;
  END IF;
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
