// The tables of what starts executions: schedules and their ticks, webhooks and their events, events and their triggers. As
// engine.ts. What belongs to a row refers to it with the tenant: a foreign key is checked without row-level security.
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  foreignKey,
  index,
  integer,
  jsonb,
  primaryKey,
  text,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import {
  CATCHUP_POLICIES,
  OVERLAP_POLICIES,
  SCHEDULE_STATUSES,
  TICK_STATUSES,
} from '../../core/schedule/words.ts';
import { WEBHOOK_AUTH_TYPES, WEBHOOK_EVENT_STATUSES, WEBHOOK_VERIFIERS } from '../../core/trigger/webhook.ts';
import { dagwright, instant, ownTenant } from './engine.ts';

export const scheduleStatus = dagwright.enum('schedule_status', SCHEDULE_STATUSES);
export const overlapPolicy = dagwright.enum('overlap_policy', OVERLAP_POLICIES);
export const catchupPolicy = dagwright.enum('catchup_policy', CATCHUP_POLICIES);
export const tickStatus = dagwright.enum('tick_status', TICK_STATUSES);
export const webhookAuthType = dagwright.enum('webhook_auth_type', WEBHOOK_AUTH_TYPES);
export const webhookVerifier = dagwright.enum('webhook_verifier', WEBHOOK_VERIFIERS);
export const webhookEventStatus = dagwright.enum('webhook_event_status', WEBHOOK_EVENT_STATUSES);

/** CONTRACT 7. Instants are of the database's clock. */
export const schedules = dagwright.table(
  'schedules',
  {
    id: uuid().primaryKey(),
    tenantId: ownTenant(),
    workflowId: text('workflow_id').notNull(),
    name: text().notNull(),
    cronExpression: text('cron_expression').notNull(),
    timezone: text().notNull().default('UTC'),
    input: jsonb().notNull().default({}),
    priority: integer().notNull().default(5),
    overlapPolicy: overlapPolicy('overlap_policy').notNull().default('skip'),
    catchupPolicy: catchupPolicy('catchup_policy').notNull().default('last'),
    /** How far back catch-up `all` looks, in seconds. */
    catchupWindowSeconds: integer('catchup_window_seconds').notNull().default(86_400),
    jitterSeconds: integer('jitter_seconds').notNull().default(0),
    startAt: instant('start_at'),
    endAt: instant('end_at'),
    pauseOnFailure: boolean('pause_on_failure').notNull().default(false),
    status: scheduleStatus().notNull().default('active'),
    /** Why it is paused: who did it, or the execution that failed. */
    pausedReason: text('paused_reason'),
    /** The next nominal time, without jitter; null: none comes. */
    nextRunAt: instant('next_run_at'),
    /** When the scheduler looks at it: next_run_at with its jitter; null: not by time. */
    dueAt: instant('due_at'),
    /** The latest nominal time that has been decided. */
    lastRunAt: instant('last_run_at'),
    lastExecutionId: uuid('last_execution_id'),
    /** Rises with every decision and change; a decision made under an older one does nothing. */
    fence: bigint({ mode: 'number' }).notNull().default(0),
    /** Kept in step with `triggers` of the definition. */
    fromDefinition: boolean('from_definition').notNull().default(false),
    /** When it left those; with all that it has it waits for its return. Null: it is there. Then nothing is due. */
    removedAt: instant('removed_at'),
    createdBy: text('created_by').notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
    updatedAt: instant('updated_at').notNull().defaultNow(),
  },
  (t) => [
    unique('schedules_name').on(t.tenantId, t.workflowId, t.name),
    unique('schedules_tenant').on(t.tenantId, t.id),
    index('schedules_due').on(t.dueAt).where(sql`due_at is not null`),
  ],
);

/** One row per nominal time of a schedule that has been decided: nothing fires twice, nothing vanishes. */
export const scheduleTicks = dagwright.table(
  'schedule_ticks',
  {
    tenantId: uuid('tenant_id').notNull(),
    scheduleId: uuid('schedule_id').notNull(),
    scheduledAt: instant('scheduled_at').notNull(),
    status: tickStatus().notNull(),
    workflowExecutionId: uuid('workflow_execution_id'),
    decidedAt: instant('decided_at').notNull(),
    /** Why it did not fire, where the status does not say it. */
    reason: text(),
    /** Buffered, or its execution has not been seen to end: what overlap and pauseOnFailure look at. */
    isOpen: boolean('is_open').notNull().default(false),
  },
  (t) => [
    foreignKey({
      columns: [t.tenantId, t.scheduleId],
      foreignColumns: [schedules.tenantId, schedules.id],
    }).onDelete('cascade'),
    primaryKey({ columns: [t.tenantId, t.scheduleId, t.scheduledAt] }),
    index('schedule_ticks_execution').on(t.workflowExecutionId),
    index('schedule_ticks_open').on(t.scheduleId, t.scheduledAt).where(sql`is_open`),
  ],
);

export const webhooks = dagwright.table(
  'webhooks',
  {
    id: uuid().primaryKey(),
    tenantId: ownTenant(),
    workflowId: text('workflow_id').notNull(),
    /** Without the tenant's name, which goes before it in the URL. */
    path: text().notNull(),
    authType: webhookAuthType('auth_type').notNull(),
    verifier: webhookVerifier(),
    /** [{ sealed, createdAt, expiresAt? }]: several during a rotation. */
    secrets: jsonb().notNull().default([]),
    /** Of the hmac verifier: header, algorithm, encoding, prefix, … */
    verifierOptions: jsonb('verifier_options').notNull().default({}),
    /** Requests that are deliveries; null: POST alone. */
    methods: jsonb(),
    /** [{ type, … }]: how questions whether the address is right are answered; null: not. */
    handshakes: jsonb(),
    /** { when, withinSeconds, status, headers, body }: what the sender is answered; null: 202. */
    respond: jsonb(),
    inputMapping: jsonb('input_mapping'),
    priority: integer().notNull().default(5),
    status: text().notNull().default('active'),
    fromDefinition: boolean('from_definition').notNull().default(false),
    /** As of a schedule. Then its URL is nobody's. */
    removedAt: instant('removed_at'),
    createdBy: text('created_by').notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
    updatedAt: instant('updated_at').notNull().defaultNow(),
  },
  (t) => [
    unique('webhooks_path').on(t.tenantId, t.path),
    unique('webhooks_tenant').on(t.tenantId, t.id),
    check('webhooks_status', sql`${t.status} in ('active', 'paused')`),
  ],
);

/** The seed's filters: OR within a logic group, AND between groups. */
export const webhookFilters = dagwright.table(
  'webhook_filters',
  {
    tenantId: uuid('tenant_id').notNull(),
    webhookId: uuid('webhook_id').notNull(),
    position: integer().notNull(),
    fieldPath: text('field_path').notNull(),
    operator: text().notNull(),
    value: jsonb(),
    logicGroup: text('logic_group'),
  },
  (t) => [
    foreignKey({
      columns: [t.tenantId, t.webhookId],
      foreignColumns: [webhooks.tenantId, webhooks.id],
    }).onDelete('cascade'),
    primaryKey({ columns: [t.tenantId, t.webhookId, t.position] }),
  ],
);

/** Verified deliveries. */
export const webhookEvents = dagwright.table(
  'webhook_events',
  {
    id: uuid().primaryKey(),
    tenantId: uuid('tenant_id').notNull(),
    webhookId: uuid('webhook_id').notNull(),
    /** The sender's id of the delivery; null: it has none, and nothing is deduplicated. */
    deliveryId: text('delivery_id'),
    /** Of what was signed, where the sender's id is not; null: nothing more is compared. */
    signedId: text('signed_id'),
    status: webhookEventStatus().notNull(),
    method: text().notNull(),
    /** Without credentials and signatures. */
    headers: jsonb().notNull(),
    query: jsonb().notNull(),
    body: jsonb().notNull(),
    /** [{ pointer, code, message }]: what was taken otherwise than it was sent; null: nothing. */
    warnings: jsonb(),
    /** The first that it started: what a repeated delivery is told, whatever was replayed since. */
    workflowExecutionId: uuid('workflow_execution_id'),
    /** Of the latest replay. */
    replayExecutionId: uuid('replay_execution_id'),
    error: jsonb(),
    replays: integer().notNull().default(0),
    receivedAt: instant('received_at').notNull(),
    processedAt: instant('processed_at'),
  },
  (t) => [
    foreignKey({
      columns: [t.tenantId, t.webhookId],
      foreignColumns: [webhooks.tenantId, webhooks.id],
    }).onDelete('cascade'),
    unique('webhook_events_delivery').on(t.tenantId, t.webhookId, t.deliveryId),
    uniqueIndex('webhook_events_signed')
      .on(t.tenantId, t.webhookId, t.signedId)
      .where(sql`signed_id is not null`),
    index('webhook_events_webhook').on(t.tenantId, t.webhookId, t.id),
  ],
);

/** What `emit_event` and POST /v1/events brought. */
export const events = dagwright.table(
  'events',
  {
    id: uuid().primaryKey(),
    tenantId: ownTenant(),
    type: text().notNull(),
    payload: jsonb().notNull(),
    idempotencyKey: text('idempotency_key'),
    createdBy: text('created_by').notNull(),
    createdAt: instant('created_at').notNull(),
    /** When its triggers were looked at; null: not yet. */
    processedAt: instant('processed_at'),
    executionsStarted: integer('executions_started'),
    /** Of triggers that could not start: [{ workflowId, name, code, message }]. */
    errors: jsonb(),
  },
  (t) => [
    uniqueIndex('events_key')
      .on(t.tenantId, t.type, t.idempotencyKey)
      .where(sql`idempotency_key is not null`),
    index('events_tenant').on(t.tenantId, t.id),
    index('events_open').on(t.tenantId, t.id).where(sql`processed_at is null`),
  ],
);

/** `trigger: event` of definitions. */
export const eventTriggers = dagwright.table(
  'event_triggers',
  {
    tenantId: ownTenant(),
    workflowId: text('workflow_id').notNull(),
    name: text().notNull(),
    eventType: text('event_type').notNull(),
    /** A condition over `event` (CONTRACT 2.2); null: always. */
    condition: jsonb(),
    inputMapping: jsonb('input_mapping'),
    priority: integer().notNull().default(5),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.workflowId, t.name] }),
    index('event_triggers_type').on(t.tenantId, t.eventType),
  ],
);

/** Processes of the service that are no workers: whether schedules and events have someone who looks after them. */
export const schedulers = dagwright.table('schedulers', {
  id: uuid().primaryKey(),
  host: text().notNull(),
  pid: integer().notNull(),
  startedAt: instant('started_at').notNull(),
  heartbeatAt: instant('heartbeat_at').notNull(),
  fired: bigint({ mode: 'number' }).notNull().default(0),
});
