CREATE TABLE "dagwright"."task_cache" (
	"tenant_id" uuid NOT NULL,
	"key_hash" "bytea" NOT NULL,
	"output" jsonb NOT NULL,
	"cost_usd" numeric,
	"workflow_execution_id" uuid NOT NULL,
	"task_id" text NOT NULL,
	"kept_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	CONSTRAINT "task_cache_tenant_id_key_hash_pk" PRIMARY KEY("tenant_id","key_hash")
);
--> statement-breakpoint
ALTER TABLE "dagwright"."task_cache" ADD CONSTRAINT "task_cache_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "dagwright"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "task_cache_expires" ON "dagwright"."task_cache" USING btree ("expires_at");