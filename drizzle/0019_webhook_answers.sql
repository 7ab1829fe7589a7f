ALTER TYPE "dagwright"."webhook_verifier" ADD VALUE 'shopify';--> statement-breakpoint
ALTER TYPE "dagwright"."webhook_verifier" ADD VALUE 'zoom';--> statement-breakpoint
ALTER TYPE "dagwright"."webhook_verifier" ADD VALUE 'zendesk';--> statement-breakpoint
ALTER TYPE "dagwright"."webhook_verifier" ADD VALUE 'twilio';--> statement-breakpoint
ALTER TYPE "dagwright"."webhook_verifier" ADD VALUE 'discord';--> statement-breakpoint
ALTER TYPE "dagwright"."webhook_verifier" ADD VALUE 'meta';--> statement-breakpoint
ALTER TABLE "dagwright"."webhooks" ADD COLUMN "methods" jsonb;--> statement-breakpoint
ALTER TABLE "dagwright"."webhooks" ADD COLUMN "handshakes" jsonb;--> statement-breakpoint
ALTER TABLE "dagwright"."webhooks" ADD COLUMN "respond" jsonb;