ALTER TYPE "dagwright"."webhook_verifier" ADD VALUE IF NOT EXISTS 'sns';--> statement-breakpoint
ALTER TABLE "dagwright"."webhook_events" ADD COLUMN "signed_id" text;--> statement-breakpoint
CREATE UNIQUE INDEX "webhook_events_signed" ON "dagwright"."webhook_events" USING btree ("tenant_id","webhook_id","signed_id") WHERE signed_id is not null;