ALTER TABLE "dagwright"."tenants" ADD COLUMN "weight" smallint DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "dagwright"."tenants" ADD COLUMN "max_running_tasks" integer;--> statement-breakpoint
ALTER TABLE "dagwright"."tenants" ADD COLUMN "max_starts_per_minute" integer;--> statement-breakpoint
ALTER TABLE "dagwright"."tenants" ADD COLUMN "max_waiting_executions" integer;--> statement-breakpoint
ALTER TABLE "dagwright"."workers" ADD COLUMN "suspects_until" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "dagwright"."service_limits" ADD COLUMN "users" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "dagwright"."service_permits" ADD COLUMN "used_by" text;--> statement-breakpoint
ALTER TABLE "dagwright"."service_starts" ADD COLUMN "used_by" text;