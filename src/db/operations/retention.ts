// Retention in the database: one bounded batch of deletes (functions/operations/retention.sql), and how much is due.
import type { Queryable } from '../connection/connection.ts';

/** The id to begin a pass after. */
export const FIRST_ID = '00000000-0000-0000-0000-000000000000';

export interface RetentionBatch {
  readonly passId: string;
  /** Executions that ended more than so many days ago. */
  readonly days: number;
  /** Goes on after this id. */
  readonly after: string;
  readonly maxExecutions: number;
  /** About so many rows; an execution with more is deleted by several batches. */
  readonly maxRows: number;
}

export interface RetentionBatchResult {
  /** `busy`: another process is at work. */
  readonly state: 'more' | 'done' | 'busy';
  readonly nextAfter: string;
  /** Rows by table. */
  readonly deleted: Readonly<Record<string, number>>;
}

/** Deletes one batch in a commit of its own. */
export async function deleteBatch(db: Queryable, batch: RetentionBatch): Promise<RetentionBatchResult> {
  const { rows } = await db.query<RetentionBatchResult>(
    `select state, next_after as "nextAfter", deleted from dagwright.retention_batch_v1($1, $2, $3, $4, $5)`,
    [batch.passId, batch.days, batch.after, batch.maxExecutions, batch.maxRows],
  );
  return rows[0]!;
}

/** Executions of all tenants that a pass would delete now. */
export async function countDue(db: Queryable, days: number): Promise<number> {
  const { rows } = await db.query<{ n: number }>('select dagwright.retention_due_v1($1) as n', [days]);
  return rows[0]!.n;
}
