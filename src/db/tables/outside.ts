// The tables of what goes on around executions: calls that answer later, prices, limits of outside services, log lines,
// retention. As engine.ts.
import { sql } from 'drizzle-orm';
import { bigint, check, index, integer, jsonb, primaryKey, text, time, uuid } from 'drizzle-orm/pg-core';
import { LOG_LINE_LEVELS } from '../../core/log-lines.ts';
import { bytea, dagwright, instant, ownTenant, usd, waitKind, workflowExecutions } from './engine.ts';

export const logLevel = dagwright.enum('log_level', LOG_LINE_LEVELS);

/** Outputs that tasks with a `cache` gave, under a hash of what they were asked. No execution owns them. */
export const taskCache = dagwright.table(
  'task_cache',
  {
    tenantId: ownTenant(),
    /** SHA-256. */
    keyHash: bytea('key_hash').notNull(),
    output: jsonb().notNull(),
    /** What making it cost; null: unknown. */
    costUsd: usd('cost_usd'),
    workflowExecutionId: uuid('workflow_execution_id').notNull(),
    taskId: text('task_id').notNull(),
    keptAt: instant('kept_at').notNull(),
    expiresAt: instant('expires_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.keyHash] }), index('task_cache_expires').on(t.expiresAt)],
);

/**
 * Answers that waiting tasks expect from outside, each under a key: a callback's is the SHA-256 of its one-time token. Named after
 * the first kind: workers of the release before ask for this name.
 */
export const taskCallbacks = dagwright.table(
  'task_callbacks',
  {
    tokenHash: bytea('token_hash').primaryKey(),
    /** What is waited for. */
    waitingOn: waitKind('waiting_on').notNull().default('callback'),
    tenantId: uuid('tenant_id').notNull(),
    workflowExecutionId: uuid('workflow_execution_id')
      .notNull()
      .references(() => workflowExecutions.id, { onDelete: 'cascade' }),
    taskId: text('task_id').notNull(),
    mapIndex: integer('map_index').notNull(),
    createdAt: instant('created_at').notNull(),
    /** The wait fails with `timeout` then, however often it beats. */
    timesOutAt: instant('times_out_at').notNull(),
    /** The wait fails with `timeout` then, unless a heartbeat postpones it. */
    expiresAt: instant('expires_at').notNull(),
    heartbeatMs: bigint('heartbeat_ms', { mode: 'number' }),
    completedAt: instant('completed_at'),
    output: jsonb(),
    error: jsonb(),
  },
  (t) => [index('task_callbacks_task').on(t.workflowExecutionId, t.taskId, t.mapIndex)],
);

/**
 * What models cost, in US dollars per million tokens. The library's rows are replaced as a whole by each newer version of
 * it; the operator's go before them. `core/cost/price-table.ts` says which row holds for a call.
 */
export const aiModelPricing = dagwright.table(
  'ai_model_pricing',
  {
    provider: text().notNull(),
    /** `*`: any model of the provider. */
    model: text().notNull(),
    /** `library` or `operator`. */
    source: text().notNull(),
    /** Order within the library: the first model that matches a name counts, and the last of its prices that is in effect. */
    position: integer().notNull().default(0),
    /** The epoch: always. */
    effectiveFrom: instant('effective_from').notNull(),
    /** Holds only from one time of day (UTC) until another. */
    dailyFrom: time('daily_from'),
    dailyUntil: time('daily_until'),
    inputUsdPerMillion: usd('input_usd_per_million'),
    cachedInputUsdPerMillion: usd('cached_input_usd_per_million'),
    cacheWriteUsdPerMillion: usd('cache_write_usd_per_million'),
    outputUsdPerMillion: usd('output_usd_per_million'),
    /** By kind, decimals as text: audio, images, an hour's cache; `webSearches` and `requests` per thousand. */
    otherRates: jsonb('other_rates'),
    /** [{ aboveInputTokens, rates }]: what is different for calls with more input tokens; decimals as text. */
    tiers: jsonb(),
    /** The names it is for; null: the model's own. */
    match: jsonb(),
    libraryVersion: text('library_version'),
    updatedAt: instant('updated_at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.provider, t.model, t.source, t.effectiveFrom, t.position] }),
    check('ai_model_pricing_source', sql`${t.source} in ('library', 'operator')`),
  ],
);

/** Limits of an outside service, shared by all workers. The row is the lock under which its permits are given. */
export const serviceLimits = dagwright.table('service_limits', {
  serviceId: text('service_id').primaryKey(),
  maxConcurrency: integer('max_concurrency'),
  /** Calls that may start within any `rate_interval_ms`. */
  rateLimit: integer('rate_limit'),
  rateIntervalMs: integer('rate_interval_ms'),
  /** Starts given so far; modulo `rate_limit` the next slot of service_starts. */
  starts: bigint({ mode: 'number' }).notNull().default(0),
  /** A worker that found no free permit, since when, and when it last asked. */
  waitingWorkerId: uuid('waiting_worker_id'),
  waitingSince: instant('waiting_since'),
  waitingSeenAt: instant('waiting_seen_at'),
  /** Tenants that asked lately: `{ id: [asked, refused] }` (functions/resources/services.sql). */
  users: jsonb().notNull().default({}),
  updatedAt: instant('updated_at').notNull().defaultNow(),
});

/** Calls under way to services with `max_concurrency`. One counts only while its worker's row exists. */
export const servicePermits = dagwright.table(
  'service_permits',
  {
    id: uuid().primaryKey(),
    serviceId: text('service_id')
      .notNull()
      .references(() => serviceLimits.serviceId, { onDelete: 'cascade' }),
    workerId: uuid('worker_id').notNull(),
    createdAt: instant('created_at').notNull(),
    /** The tenant whose call it is; null: given by an earlier release. */
    usedBy: text('used_by'),
  },
  (t) => [index('service_permits_service').on(t.serviceId)],
);

/** The last `rate_limit` starts of calls to a service, as a ring. */
export const serviceStarts = dagwright.table(
  'service_starts',
  {
    serviceId: text('service_id')
      .notNull()
      .references(() => serviceLimits.serviceId, { onDelete: 'cascade' }),
    slot: integer().notNull(),
    startsAt: instant('starts_at').notNull(),
    usedBy: text('used_by'),
  },
  (t) => [primaryKey({ columns: [t.serviceId, t.slot] })],
);

/** Services whose circuit breaker is not closed, or that asked for a pause. No row: all is well. */
export const serviceStates = dagwright.table('service_states', {
  /** `service@tenant`: what fails for one tenant holds no other back. */
  serviceId: text('service_id').primaryKey(),
  /** In a row; 0: closed. */
  openings: integer().notNull().default(0),
  openUntil: instant('open_until'),
  pausedUntil: instant('paused_until'),
  /** The call that tries whether the service is back; it counts only while its worker's row exists. */
  probeId: uuid('probe_id'),
  probeWorkerId: uuid('probe_worker_id'),
  probeStartedAt: instant('probe_started_at'),
  /** Code of the error that changed it last. */
  lastError: text('last_error'),
  changedAt: instant('changed_at').notNull(),
});

/** Log lines of tasks, and of the engine about executions. Ids follow the time of the line. */
export const executionLogs = dagwright.table(
  'execution_logs',
  {
    id: uuid().notNull(),
    tenantId: uuid('tenant_id').notNull(),
    workflowExecutionId: uuid('workflow_execution_id').notNull(),
    taskId: text('task_id'),
    /** Null: the task itself. */
    mapIndex: integer('map_index'),
    attemptNumber: integer('attempt_number'),
    at: instant('at').notNull(),
    level: logLevel().notNull(),
    message: text().notNull(),
    fields: jsonb(),
  },
  (t) => [primaryKey({ columns: [t.workflowExecutionId, t.id] })],
);

/** What retention has deleted, one row per pass and table, counted by the commits that deleted it. No tenant data. */
export const retentionCleanupLogs = dagwright.table(
  'retention_cleanup_logs',
  {
    passId: uuid('pass_id').notNull(),
    tableName: text('table_name').notNull(),
    /** Executions that ended before it. */
    olderThan: instant('older_than').notNull(),
    deletedRows: bigint('deleted_rows', { mode: 'number' }).notNull(),
    startedAt: instant('started_at').notNull(),
    completedAt: instant('completed_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.passId, t.tableName] })],
);
