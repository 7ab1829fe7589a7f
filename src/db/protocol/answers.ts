// Answers that tasks wait for: their keys are made known before what asks for them goes out, and what has come is read when
// the task looks for it (functions/protocol/answer.sql).

import type { Json } from '../../core/json.ts';
import { parseJson } from '../../core/json-shape.ts';
import { type JsonWarning, LongNumbers } from '../../core/long-numbers.ts';
import type { WaitEndedBy } from '../../core/wait.ts';
import { actingValues, type Operator, type Queryable } from '../connection/connection.ts';
import type { Locked } from '../connection/locked.ts';
import { LOCKED_FIRST, lockedOrGone } from './lock-first.ts';
import type { Claim } from './transitions.ts';

/** A kind of wait that an answer ends. */
export type AnswerKind = WaitEndedBy<'answer'>;

/** Makes the key of an answer known; false when the attempt is no longer the caller's. Does not wait for the execution's lock. */
export async function openAnswer(
  db: Queryable,
  executionId: string,
  claim: Claim,
  answer: {
    readonly kind: AnswerKind;
    /** 32 bytes; of a callback the SHA-256 of its token. */
    readonly key: Buffer;
    readonly timeoutMs: number;
    readonly heartbeatMs: number | null;
  },
): Promise<boolean | Locked> {
  const { rows } = await db.query<{ opened: boolean }>({
    name: 'open_answer_v1',
    text: `select dagwright.open_answer_v1(o.id, $2, $3, $4, $5, $6, $7, $8) as opened from ${LOCKED_FIRST} o`,
    values: [
      executionId,
      claim.taskId,
      claim.mapIndex,
      claim.fence,
      answer.kind,
      answer.key,
      answer.timeoutMs,
      answer.heartbeatMs,
    ],
  });
  return rows[0]?.opened ?? (await lockedOrGone(db, executionId)) ?? false;
}

export interface StoredAnswer {
  readonly key: Buffer;
  readonly isCompleted: boolean;
  readonly output: Json;
  readonly error: Json;
  readonly leftMs: number;
  /** That were sent in SQL. */
  readonly longNumbers: LongNumbers;
}

type StoredAnswerText = Omit<StoredAnswer, 'output' | 'error' | 'longNumbers'> & {
  readonly output: string | null;
  readonly error: string | null;
};

/** What has come for a task: its first answer, or how long the wait for its newest key still is. Null: no key. */
export async function loadAnswer(
  db: Queryable,
  executionId: string,
  claim: Claim,
  kind: AnswerKind,
): Promise<StoredAnswer | null> {
  const { rows } = await db.query<StoredAnswerText>({
    name: 'load_answer_text',
    text: `select token_hash as key, completed_at is not null as "isCompleted", output::text, error::text,
        (extract(epoch from expires_at - clock_timestamp()) * 1000)::float8 as "leftMs"
      from dagwright.task_callbacks where workflow_execution_id = $1 and task_id = $2 and map_index = $3 and waiting_on = $4
      order by completed_at is null, created_at desc limit 1`,
    values: [executionId, claim.taskId, claim.mapIndex, kind],
  });
  return rows[0] === undefined ? null : readStored(rows[0]);
}

/** Whether the time of a task's wait is over and nothing has come: then nothing can. Does not wait for the execution's lock. */
export async function isOverdue(
  db: Queryable,
  executionId: string,
  { taskId, mapIndex }: Claim,
  kind: AnswerKind,
): Promise<boolean | Locked> {
  const { rows } = await db.query<{ isOverdue: boolean }>({
    name: 'is_overdue_v1',
    text: `select dagwright.is_overdue_v1(o.id, $2, $3, $4) as "isOverdue" from ${LOCKED_FIRST} o`,
    values: [executionId, taskId, mapIndex, kind],
  });
  return rows[0]?.isOverdue ?? (await lockedOrGone(db, executionId)) ?? true;
}

/** Who answers in SQL may send numbers that a double does not hold, and jsonb keeps them. */
function readStored({ output, error, ...answer }: StoredAnswerText): StoredAnswer {
  const found = { output: readText(output), error: readText(error) };
  const longNumbers = found.error.longNumbers.count > 0 ? found.error.longNumbers : found.output.longNumbers;
  return { ...answer, output: found.output.value, error: found.error.value, longNumbers };
}

function readText(text: string | null): { readonly value: Json; readonly longNumbers: LongNumbers } {
  if (text === null) return { value: null, longNumbers: LongNumbers.NONE };
  const parsed = parseJson(text);
  if (!parsed.ok) throw new Error(`the database printed JSON that cannot be read: ${parsed.problem}`);
  return parsed;
}

/** Writes a line about an answer into the log of the task that waits for it. */
export async function noteAnswer(
  db: Queryable,
  lineId: string,
  key: Buffer,
  { message, ...fields }: JsonWarning,
): Promise<void> {
  await db.query(
    `insert into dagwright.execution_logs (id, tenant_id, workflow_execution_id, task_id, map_index, at, level, message, fields)
     select $1, tenant_id, workflow_execution_id, task_id, nullif(map_index, -1), clock_timestamp(), 'warn', $3, $4
     from dagwright.task_callbacks where token_hash = $2`,
    [lineId, key, message, JSON.stringify(fields)],
  );
}

/** Puts a redacted answer in place of what was sent, which nobody had looked at before. Does not wait for the execution's lock. */
export async function redactAnswer(
  db: Queryable,
  executionId: string,
  { key, output, error }: Pick<StoredAnswer, 'key' | 'output' | 'error'>,
): Promise<Locked | null> {
  const { rowCount } = await db.query({
    text: `with o as materialized (select * from ${LOCKED_FIRST} o)
      update dagwright.task_callbacks c set output = $3, error = $4 from o where c.workflow_execution_id = o.id and c.token_hash = $2`,
    values: [
      executionId,
      key,
      ...[output, error].map((value) => (value === null ? null : JSON.stringify(value))),
    ],
  });
  return rowCount === 0 ? await lockedOrGone(db, executionId) : null;
}

/** `expired`: its task has ended or timed out. */
export type AnswerStatus = 'accepted' | 'already_completed' | 'expired';

/**
 * Gives an answer, as JSON, to the task that waits for this key; null: there is none. The first answer counts, and the audit trail
 * says who gave it. Runs for whoever has the key, whatever the tenant.
 */
export async function giveAnswer(
  db: Queryable,
  acting: Operator,
  to: { readonly kind: AnswerKind; readonly key: Buffer },
  what: 'output' | 'error' | 'heartbeat',
  valueJson: string,
): Promise<AnswerStatus | null> {
  // One round trip: who acts is set by the row that the call is made for.
  const { rows } = await db.query<{ status: AnswerStatus | null }>({
    text: `with who as materialized (select set_config('app.actor', $5, true) as actor, set_config('app.address', $6, true) as address,
        set_config('app.user_agent', $7, true) as agent)
      select dagwright.answer_v1($1, $2, $3, $4) as status from who where actor is not null and address is not null and agent is not null`,
    values: [to.kind, to.key, what, valueJson, ...actingValues(acting)],
  });
  return rows[0]!.status;
}
