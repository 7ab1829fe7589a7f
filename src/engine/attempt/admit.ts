// Lets an attempt begin: a task whose workers died while they ran it runs alone in its worker from the second time on.
// Then its time counts.
import { SUSPECT_RECOVERIES } from '../../core/recovery.ts';
import { untilAnswered } from '../../db/connection/connection.ts';
import { markEntered } from '../../db/protocol/transitions.ts';
import type { WorkerContext } from '../context.ts';
import { AttemptAbort } from './abort.ts';
import type { OwnAttempt } from './own-attempt.ts';

/** Resolves when the attempt may run; rejects when it was aborted before. */
export async function admit(worker: WorkerContext, attempt: OwnAttempt): Promise<void> {
  const { claim, runnable } = attempt.work;
  const isSuspect = claim.recoveries >= SUSPECT_RECOVERIES;
  const leave = isSuspect ? null : worker.suspectGate.enterAtOnce();
  if (leave === null) attempt.enter(await passSuspectGate(worker, attempt, isSuspect), true);
  else attempt.enter(leave, false);
  if (!runnable.type.isPure) attempt.startTimeout(runnable.timeoutSeconds);
}

// Waits until a suspect may run alone, or until no suspect runs or waits. Meanwhile the row says that the body has not
// been entered, so that a crash of this worker costs the task no recovery.
async function passSuspectGate(
  worker: WorkerContext,
  { executionId, claim, aborted }: OwnAttempt,
  isSuspect: boolean,
): Promise<() => void> {
  const mark = async (hasEntered: boolean) => {
    const isOurs = untilAnswered(() => markEntered(worker.pool, executionId, claim, hasEntered));
    if (!(await Promise.race([isOurs, aborted]))) throw new AttemptAbort('lost');
  };
  if (!isSuspect) await mark(false);
  const entering = worker.suspectGate.enter(isSuspect);
  try {
    const leave = await Promise.race([entering, aborted]);
    await mark(true);
    return leave;
  } catch (failure) {
    void entering.then((leaveAgain) => leaveAgain());
    throw failure;
  }
}
