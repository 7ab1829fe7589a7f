ALTER TABLE "dagwright"."schedules" ADD COLUMN "removed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "dagwright"."webhooks" ADD COLUMN "removed_at" timestamp with time zone;