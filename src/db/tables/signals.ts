// Signals and the waits for them (functions/protocol/signals.sql). As engine.ts.
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  index,
  integer,
  jsonb,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { bytea, dagwright, instant, workflowExecutions } from './engine.ts';

/** What was sent to an execution, in the order of arrival. */
export const executionSignals = dagwright.table(
  'execution_signals',
  {
    workflowExecutionId: uuid('workflow_execution_id')
      .notNull()
      .references(() => workflowExecutions.id, { onDelete: 'cascade' }),
    /** Counts up within the execution. */
    position: bigint({ mode: 'number' }).notNull(),
    tenantId: uuid('tenant_id').notNull(),
    name: text().notNull(),
    /** Null once it is taken: the wait has it. */
    payload: jsonb(),
    broadcast: boolean().notNull().default(false),
    sender: text().notNull(),
    dedupeKey: text('dedupe_key'),
    createdAt: instant('created_at').notNull(),
    /** False: a wait that is open for it has not been asked yet. */
    isJudged: boolean('is_judged').notNull(),
    /** It has left the store then. */
    takenAt: instant('taken_at'),
    /** The wait that has it; of a broadcast the first. */
    taskId: text('task_id'),
    mapIndex: integer('map_index'),
  },
  (t) => [
    primaryKey({ columns: [t.workflowExecutionId, t.position] }),
    index('execution_signals_stored')
      .on(t.workflowExecutionId, t.name, t.position)
      .where(sql`taken_at is null`),
    index('execution_signals_to_judge').on(t.workflowExecutionId, t.name).where(sql`not is_judged`),
    uniqueIndex('execution_signals_dedupe')
      .on(t.workflowExecutionId, t.sender, t.dedupeKey)
      .where(sql`dedupe_key is not null`),
    index('execution_signals_created').on(t.createdAt),
  ],
);

/** The waits that are open, one row for each name; those of tasks that ended otherwise may be left. */
export const signalWaits = dagwright.table(
  'signal_waits',
  {
    workflowExecutionId: uuid('workflow_execution_id')
      .notNull()
      .references(() => workflowExecutions.id, { onDelete: 'cascade' }),
    name: text().notNull(),
    openedAt: instant('opened_at').notNull(),
    taskId: text('task_id').notNull(),
    mapIndex: integer('map_index').notNull(),
    tenantId: uuid('tenant_id').notNull(),
    /** The row of task_callbacks that gets what comes. */
    answerKey: bytea('answer_key').notNull(),
    /** What its condition read of the scope when it was opened; null: it takes any. */
    conditionReads: jsonb('condition_reads'),
  },
  (t) => [
    primaryKey({
      name: 'signal_waits_pk',
      columns: [t.workflowExecutionId, t.name, t.openedAt, t.taskId, t.mapIndex],
    }),
    index('signal_waits_task').on(t.workflowExecutionId, t.taskId, t.mapIndex),
  ],
);
