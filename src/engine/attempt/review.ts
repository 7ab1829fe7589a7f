// The review that an attempt waits for: what is due of it is done, and what was decided is read, when the task looks.
import { createHash, randomBytes } from 'node:crypto';
import { TerminalError } from '../../core/errors.ts';
import type { ReviewState } from '../../core/review.ts';
import { untilAnswered } from '../../db/connection/connection.ts';
import { noteNotice, openReviewLink, passReview } from '../../db/protocol/reviews.ts';
import type { Claim } from '../../db/protocol/transitions.ts';
import type { WorkerContext } from '../context.ts';

const LINK_TOKEN_BYTES = 32;

/** Null: there is none. */
export async function readReviewOf(
  worker: WorkerContext,
  executionId: string,
  claim: Claim,
): Promise<ReviewState | null> {
  return await worker.locked.run(executionId, () => passReview(worker.pool, executionId, claim));
}

/** People were told of it, or it is said why not. */
export async function noteNoticeOf(
  worker: WorkerContext,
  executionId: string,
  review: ReviewState,
  failures: readonly string[] | null,
): Promise<void> {
  await worker.locked.run(executionId, () => noteNotice(worker.pool, executionId, review, failures));
}

/**
 * A link, known to the database when this resolves. Throws `validation` where nobody would find where it leads to, or nobody could say
 * who has it.
 */
export async function openReviewLinkOf(
  worker: WorkerContext,
  review: ReviewState,
  person: string | null,
): Promise<string> {
  const { publicUrl } = worker.outside;
  if (publicUrl === null)
    throw new TerminalError(
      'validation',
      'this worker cannot say where links lead to: it has no API, and no DAGWRIGHT_PUBLIC_URL',
    );
  if (person === null)
    throw new TerminalError(
      'validation',
      'task.reviewUrl is for one person: the review needs assignees of type user',
    );
  const token = randomBytes(LINK_TOKEN_BYTES).toString('base64url');
  const hash = createHash('sha256').update(token).digest();
  await untilAnswered(() => openReviewLink(worker.pool, review.id, hash, person));
  return `${publicUrl}/reviews/${token}`;
}
