// The review that a task waits for, as the engine reads it (functions/protocol/reviews.sql).
import type { ReviewState } from '../../core/review.ts';
import type { Queryable } from '../connection/connection.ts';
import type { Locked } from '../connection/locked.ts';
import { LOCKED_FIRST, lockedOrGone } from './lock-first.ts';
import type { Claim } from './transitions.ts';

/** Does what is due of a task's newest review, and reads it; null: there is none. Does not wait for the execution's lock. */
export async function passReview(
  db: Queryable,
  executionId: string,
  { taskId, mapIndex }: Pick<Claim, 'taskId' | 'mapIndex'>,
): Promise<ReviewState | Locked | null> {
  const { rows } = await db.query<{ review: ReviewState | null }>({
    name: 'pass_review_v1',
    text: `select dagwright.pass_review_v1(o.id, $2, $3) as review from ${LOCKED_FIRST} o`,
    values: [executionId, taskId, mapIndex],
  });
  return rows[0] === undefined ? await lockedOrGone(db, executionId) : rows[0].review;
}

/** People were told of what they were to be told, or (failures) not. Does not wait for the execution's lock. */
export async function noteNotice(
  db: Queryable,
  executionId: string,
  { id, notice }: Pick<ReviewState, 'id' | 'notice'>,
  failures: readonly string[] | null,
): Promise<null | Locked> {
  const { rowCount } = await db.query({
    name: 'note_notice',
    text: `with o as materialized (select * from ${LOCKED_FIRST} o)
      update dagwright.human_tasks h set notify_error = $4::jsonb, notify_for = case when h.notify_for = $3 then null else h.notify_for end
      from o where h.workflow_execution_id = o.id and h.id = $2`,
    values: [executionId, id, notice, failures === null ? null : JSON.stringify(failures)],
  });
  return rowCount === 0 ? await lockedOrGone(db, executionId) : null;
}

/** Makes a link of an open review known, for a week at most. Sent again it finds its own row. */
export async function openReviewLink(
  db: Queryable,
  reviewId: string,
  hash: Buffer,
  person: string,
): Promise<void> {
  await db.query({
    name: 'open_review_link',
    text: `insert into dagwright.review_links (token_hash, tenant_id, review_id, person, created_at, created_by, expires_at)
      select $2, tenant_id, id, $3, clock_timestamp(), 'system', clock_timestamp() + interval '7 days'
      from dagwright.human_tasks where id = $1 on conflict do nothing`,
    values: [reviewId, hash, person],
  });
}

/** Who may not decide a review of this execution, unless it says so. */
export async function loadStarters(db: Queryable, executionId: string): Promise<readonly string[]> {
  const { rows } = await db.query<{ starters: readonly string[] }>({
    name: 'review_starters_v1',
    text: 'select dagwright.review_starters_v1($1) as starters',
    values: [executionId],
  });
  return rows[0]!.starters;
}
