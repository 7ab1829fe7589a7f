// Performs a pure task before the end of its only parent is recorded, so that both can be written in one commit. Nothing of it
// outlives a doubt: where it needs what is not in memory, is skipped, fails, or asks for the instant at which it became able to
// start (the parent's end, which the database will say), there is no end, and the task runs later as any other.
import type { Completion } from '../../core/attempt-end.ts';
import type { WorkerContext } from '../context.ts';
import type { TaskResult } from '../memory/memory.ts';
import { endOfOutcome } from './end.ts';
import { judge, neededResults } from './judge.ts';
import { OwnAttempt } from './own-attempt.ts';
import { perform } from './perform.ts';
import type { Work } from './work.ts';

/** Stands for the instant of an end that is not recorded yet: no expression may see it. */
export const NOT_RECORDED_YET = Number.NaN;

/** `ahead`: by node index, the ends that are not recorded yet. Null: it has to wait for them. */
export async function performAhead(
  worker: WorkerContext,
  work: Work,
  ahead: ReadonlyMap<number, TaskResult>,
): Promise<Completion | null> {
  const { memory, node } = work;
  const isKnown = (index: number) => ahead.has(index) || memory.results.has(index);
  if (node.variables.length > 0 || ![...neededResults(node)].every(isKnown)) return null;
  const leave = worker.suspectGate.enterAtOnce();
  if (leave === null) return null;
  const attempt = new OwnAttempt(work, worker.outside.redact);
  attempt.leaveSuspectGate = leave;
  try {
    const verdict = await judge(worker, work, ahead);
    if (verdict.kind === 'skip') return null;
    const end = await endOfOutcome(worker, attempt, await perform(worker, attempt, verdict.ground));
    return end.kind === 'completed' ? end : null;
  } catch {
    return null;
  } finally {
    attempt.close();
  }
}
