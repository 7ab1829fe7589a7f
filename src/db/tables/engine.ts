// The tables, as drizzle declares them; `drizzle-kit generate` turns changes into migrations. Row-level security, functions
// and views are written by hand in functions/*.sql. Hot statements are plain SQL in the functions there.
//
// Hot rows: workflow_executions and task_executions change at every step. Their counters stand in no index, so that
// updates stay heap-only; payloads are written once and live in TOAST.
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  customType,
  index,
  integer,
  json,
  jsonb,
  numeric,
  pgSchema,
  primaryKey,
  smallint,
  text,
  timestamp,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';
import { TENANT_STATUSES } from '../../core/caller/tenant.ts';
import { EXECUTION_STATUSES, SKIP_REASONS, TASK_STATUSES } from '../../core/status.ts';
import { TRIGGER_TYPES } from '../../core/trigger/trigger-type.ts';
import { WAIT_KINDS } from '../../core/wait.ts';

export const dagwright = pgSchema('dagwright');
export const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' });

/** Column types that all tables share: an instant of the database's clock; US dollars, exact. */
export const instant = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' });
export const usd = (name: string) => numeric(name);

// Enum types hold the lists that the code uses. Not CHECK constraints: PostgreSQL parses every check of a table anew in each
// statement that writes to it, 27 µs of a 38 µs update here (see ARCHITECTURE.md, "What a step costs").
export const executionStatus = dagwright.enum('execution_status', EXECUTION_STATUSES);
export const taskStatus = dagwright.enum('task_status', TASK_STATUSES);
export const waitKind = dagwright.enum('wait_kind', WAIT_KINDS);
export const skipReason = dagwright.enum('skip_reason', SKIP_REASONS);
export const triggerType = dagwright.enum('trigger_type', TRIGGER_TYPES);

export const tenantStatus = dagwright.enum('tenant_status', TENANT_STATUSES);

export const tenants = dagwright.table('tenants', {
  id: uuid().primaryKey(),
  name: text().notNull().unique(),
  displayName: text('display_name'),
  tier: integer().notNull().default(1),
  /** `suspended`: nothing of it starts (what comes due waits), its keys are refused; what runs goes on. */
  status: tenantStatus().notNull().default('active'),
  settings: jsonb().notNull().default({}),
  /** Turns in the queue for one of a tenant of weight 1 (functions/protocol/turns.sql). */
  weight: smallint().notNull().default(1),
  /** The operator's limits; null: none. */
  maxRunningTasks: integer('max_running_tasks'),
  maxStartsPerMinute: integer('max_starts_per_minute'),
  maxWaitingExecutions: integer('max_waiting_executions'),
  createdAt: instant('created_at').notNull().defaultNow(),
  updatedAt: instant('updated_at').notNull().defaultNow(),
});

/** The tenant that a row belongs to. */
export const ownTenant = () =>
  uuid('tenant_id')
    .notNull()
    .references(() => tenants.id);

export const workflowDefinitions = dagwright.table(
  'workflow_definitions',
  {
    tenantId: uuid('tenant_id')
      .notNull()
      .references(() => tenants.id),
    workflowId: text('workflow_id').notNull(),
    name: text(),
    category: text().notNull().default('custom'),
    status: text().notNull().default('active'),
    latestRevision: integer('latest_revision').notNull(),
    /** The revision that starts take after a rollback, until the next save; null: the latest. */
    pinnedRevision: integer('pinned_revision'),
    createdAt: instant('created_at').notNull().defaultNow(),
    updatedAt: instant('updated_at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.workflowId] }),
    check('workflow_definitions_status', sql`${t.status} in ('draft', 'active', 'archived')`),
  ],
);

export const workflowVersions = dagwright.table(
  'workflow_versions',
  {
    id: uuid().primaryKey(),
    tenantId: uuid('tenant_id').notNull(),
    workflowId: text('workflow_id').notNull(),
    revision: integer().notNull(),
    contentHash: text('content_hash').notNull(),
    /** json, not jsonb: keeps the author's order of keys (named branches, outputs). */
    definition: json().notNull(),
    /** Task types that not every worker has (functions/protocol/task-types.sql); null: every worker can run it. */
    needs: jsonb().generatedAlwaysAs(sql`dagwright.task_needs_v2(definition)`),
    /** Tenants of a lower tier may not start it. */
    minTier: integer('min_tier').notNull().default(1),
    createdBy: text('created_by'),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (t) => [unique('workflow_versions_revision').on(t.tenantId, t.workflowId, t.revision)],
);

export const workflowExecutions = dagwright.table(
  'workflow_executions',
  {
    id: uuid().primaryKey(),
    tenantId: uuid('tenant_id')
      .notNull()
      .references(() => tenants.id),
    workflowId: text('workflow_id').notNull(),
    revision: integer().notNull(),
    versionId: uuid('version_id').notNull(),
    status: executionStatus().notNull().default('pending'),
    priority: smallint().notNull().default(5),
    triggerType: triggerType('trigger_type').notNull(),
    trigger: jsonb(),
    input: jsonb().notNull(),
    output: jsonb(),
    error: jsonb(),
    metadata: jsonb(),
    createdBy: text('created_by'),
    createdAt: instant('created_at').notNull(),
    startedAt: instant('started_at'),
    completedAt: instant('completed_at'),
    /** When the execution fails with `timeout`; null once it is terminal or without one. */
    deadlineAt: instant('deadline_at'),
    /** A pending execution that is opened only then; null: at once. */
    runAt: instant('run_at'),
    /** Its runAt came while its tenant was suspended: it is opened when that one is active again. */
    isHeld: boolean('is_held').notNull().default(false),
    pausedAt: instant('paused_at'),
    durationMs: bigint('duration_ms', { mode: 'number' }),
    /** Tasks (map_index -1, and items that outlive their fan-out) that are not terminal. */
    openTasks: integer('open_tasks').notNull().default(0),
    failedTasks: integer('failed_tasks').notNull().default(0),
    /** An uncaught failure has made the failure policy act. */
    failing: boolean().notNull().default(false),
    /** The worker that concludes it after its last task ended. */
    concludedBy: uuid('concluded_by'),
    nextSeq: bigint('next_seq', { mode: 'number' }).notNull().default(1),
    actualCostUsd: usd('actual_cost_usd').notNull().default('0'),
    /** Some attempt had no known price: the sum is a lower bound. */
    costUnknown: boolean('cost_unknown').notNull().default(false),
    completedWithErrors: boolean('completed_with_errors').notNull().default(false),
  },
  (t) => [
    index('workflow_executions_tenant').on(t.tenantId, t.id),
    index('workflow_executions_workflow').on(t.tenantId, t.workflowId, t.id),
    index('workflow_executions_run_at').on(t.runAt).where(sql`run_at is not null and not is_held`),
    index('workflow_executions_held').on(t.tenantId, t.runAt).where(sql`is_held and run_at is not null`),
    // Policies hide the statistics of enum columns, so that a tenant's lists by status need an index that leaves no choice.
    index('workflow_executions_open')
      .on(t.tenantId, t.id)
      .where(sql`status in ('pending', 'running', 'paused')`),
    index('workflow_executions_unwell').on(t.tenantId, t.id).where(sql`status in ('failed', 'cancelled')`),
    index('workflow_executions_open_idx').on(t.id).where(sql`status in ('pending', 'running', 'paused')`),
    index('workflow_executions_deadline').on(t.deadlineAt).where(sql`deadline_at is not null`),
  ],
);

export const taskExecutions = dagwright.table(
  'task_executions',
  {
    /** No foreign key: its check is a third of what opening a run costs, and rows are made only under the execution's lock. */
    workflowExecutionId: uuid('workflow_execution_id').notNull(),
    taskId: text('task_id').notNull(),
    /** -1: the task itself (JSON null); 0, 1, 2 …: an item or branch of a fan-out. */
    mapIndex: integer('map_index').notNull().default(-1),
    tenantId: uuid('tenant_id').notNull(),
    taskType: text('task_type').notNull(),
    status: taskStatus().notNull().default('pending'),
    reason: skipReason(),
    /** Edges whose parent has not ended. */
    pendingEdges: integer('pending_edges').notNull().default(0),
    /** Wakes before all parents ended: 1 on a success, 2 on a failure, 3 on either. */
    early: smallint().notNull().default(0),
    staysAfterFailure: boolean('stays_after_failure').notNull().default(false),
    /** Rises with every claim; a write under an older one is refused. */
    fence: bigint({ mode: 'number' }).notNull().default(0),
    attemptNumber: integer('attempt_number').notNull().default(0),
    recoveries: integer().notNull().default(0),
    workerId: uuid('worker_id'),
    /** Set while the task may be claimed; a job or list then wakes it. */
    readyAt: instant('ready_at'),
    /** When a timer makes it ready. */
    wakeAt: instant('wake_at'),
    /** While the execution is paused: what wake_at will be again. */
    heldWakeAt: instant('held_wake_at'),
    /** Of a waiting task, and of a running one that waited before: its phase. */
    waitingOn: waitKind('waiting_on'),
    /** Start of the current attempt. */
    startedAt: instant('started_at'),
    completedAt: instant('completed_at'),
    completedSeq: bigint('completed_seq', { mode: 'number' }),
    branch: text(),
    winner: text(),
    input: jsonb(),
    output: jsonb(),
    error: jsonb(),
    /** Of a fan-out that completed although parts failed. */
    partErrors: jsonb('part_errors'),
    checkpoint: jsonb(),
    /** What the attempt with this fence had spent at its last checkpoint; already part of cost_usd. */
    spentFence: bigint('spent_fence', { mode: 'number' }),
    spentUsd: usd('spent_usd'),
    spentUsage: jsonb('spent_usage'),
    resourceUsage: jsonb('resource_usage'),
    costUsd: usd('cost_usd').default('0'),
    durationMs: bigint('duration_ms', { mode: 'number' }),
    queuedMs: bigint('queued_ms', { mode: 'number' }),
    /** Fan-out only: its items, written once, and the window over them. */
    items: jsonb(),
    itemsTotal: integer('items_total'),
    itemsIssued: integer('items_issued'),
    itemsOpen: integer('items_open'),
    itemsOk: integer('items_ok'),
    itemsFailed: integer('items_failed'),
    itemsTolerated: integer('items_tolerated'),
    itemsNeeded: integer('items_needed'),
  },
  (t) => [
    primaryKey({ columns: [t.workflowExecutionId, t.taskId, t.mapIndex] }),
    index('task_executions_wake').on(t.wakeAt).where(sql`wake_at is not null`),
    index('task_executions_ready').on(t.readyAt).where(sql`ready_at is not null`),
  ],
);

/** Attempts that failed, were lost or timed out. The successful one is the task's own row. */
export const taskAttempts = dagwright.table(
  'task_attempts',
  {
    workflowExecutionId: uuid('workflow_execution_id')
      .notNull()
      .references(() => workflowExecutions.id, { onDelete: 'cascade' }),
    taskId: text('task_id').notNull(),
    mapIndex: integer('map_index').notNull(),
    attemptNumber: integer('attempt_number').notNull(),
    fence: bigint({ mode: 'number' }).notNull(),
    tenantId: uuid('tenant_id').notNull(),
    workerId: uuid('worker_id'),
    error: jsonb().notNull(),
    costUsd: usd('cost_usd').default('0'),
    resourceUsage: jsonb('resource_usage'),
    startedAt: instant('started_at'),
    completedAt: instant('completed_at').notNull(),
    durationMs: bigint('duration_ms', { mode: 'number' }),
  },
  (t) => [primaryKey({ columns: [t.workflowExecutionId, t.taskId, t.mapIndex, t.fence] })],
);

export const idempotencyKeys = dagwright.table(
  'idempotency_keys',
  {
    tenantId: uuid('tenant_id').notNull(),
    scope: text().notNull(),
    key: text().notNull(),
    workflowExecutionId: uuid('workflow_execution_id').notNull(),
    /** Of what was asked; the same key with another is refused. Null: not compared. */
    requestHash: bytea('request_hash'),
    createdAt: instant('created_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.scope, t.key] }),
    index('idempotency_keys_execution').on(t.workflowExecutionId),
  ],
);

/** Counters that operators watch; one row each. */
export const engineCounters = dagwright.table('engine_counters', {
  name: text().primaryKey(),
  value: bigint({ mode: 'number' }).notNull().default(0),
});
