// Runs one attempt: admits it, judges whether its task runs at all, performs it, and says how it ended. Writes nothing that
// outlives it but checkpoints; settle/settling.ts records the end.
import { type AttemptEnd, bytesOfEnd } from '../../core/attempt-end.ts';
import { MAX_RECOVERIES } from '../../core/recovery.ts';
import { loadFailedCodes } from '../../db/protocol/reads.ts';
import type { WorkerContext } from '../context.ts';
import { admit } from './admit.ts';
import { endOfFailure, endOfOutcome } from './end.ts';
import { workerLostError } from './error.ts';
import { judge } from './judge.ts';
import { OwnAttempt, triesUsed } from './own-attempt.ts';
import { perform } from './perform.ts';
import type { Work } from './work.ts';

/** How it ended; null: it is no longer this worker's, and there is nothing to record. */
export async function runAttempt(worker: WorkerContext, work: Work): Promise<AttemptEnd | null> {
  const attempt = new OwnAttempt(work, worker.outside.redact);
  worker.attempts.add(attempt);
  const end = await endOf(worker, attempt);
  if (end !== null) attempt.endBytes = bytesOfEnd(end);
  return end;
}

async function endOf(worker: WorkerContext, attempt: OwnAttempt): Promise<AttemptEnd | null> {
  const { work } = attempt;
  try {
    if (work.claim.recoveries > MAX_RECOVERIES)
      return { kind: 'failed', error: workerLostError(work.claim), isUntried: true, ...attempt.totals() };
    // It was claimed for whoever is there, by a call that knows no types: it goes back as it came.
    if (work.node.missing !== null) return { kind: 'released', ...attempt.totals() };
    if (work.runnable.retry.length > 1 && triesUsed(work.claim) > 1)
      attempt.earlierCodes = await loadFailedCodes(
        worker.pool,
        work.memory.row.id,
        work.claim,
        triesUsed(work.claim) - 1,
      );
    await admit(worker, attempt);
    const verdict = await judge(worker, work);
    if (verdict.kind === 'skip') return { kind: 'skipped', reason: verdict.reason, ...attempt.totals() };
    const performed = await perform(worker, attempt, verdict.ground);
    return await endOfOutcome(worker, attempt, performed);
  } catch (failure) {
    // Until no checkpoint is under way it is not known what of its spending is recorded.
    if (attempt.hasBegun) await attempt.spending.recorded();
    return endOfFailure(worker, attempt, failure);
  } finally {
    attempt.close();
  }
}
