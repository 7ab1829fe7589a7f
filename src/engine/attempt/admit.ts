// Lets an attempt begin: a task whose workers died while they ran it runs alone in its worker from the second time on, for a while;
// pure tasks of others go on beside it. Then its time counts.
import { SUSPECT_RECOVERIES } from '../../core/recovery.ts';
import { markEntered } from '../../db/protocol/transitions.ts';
import type { WorkerContext } from '../context.ts';
import { AttemptAbort } from './abort.ts';
import type { OwnAttempt } from './own-attempt.ts';

/** Returns where the attempt may run at once, else a promise that it may; rejects when it was aborted before. */
export function admit(worker: WorkerContext, attempt: OwnAttempt): Promise<void> | undefined {
  const isSuspect = attempt.claim.recoveries >= SUSPECT_RECOVERIES;
  const { isPure } = attempt.work.runnable.type;
  const leave = isSuspect ? null : isPure ? NOTHING_TO_LEAVE : worker.suspectGate.enterAtOnce();
  if (leave === null) return admitLater(worker, attempt, isSuspect);
  begin(attempt, leave);
  return undefined;
}

const NOTHING_TO_LEAVE = () => {};

async function admitLater(worker: WorkerContext, attempt: OwnAttempt, isSuspect: boolean): Promise<void> {
  const leave = await passSuspectGate(worker, attempt, isSuspect);
  attempt.countAnew();
  begin(attempt, leave);
}

function begin(attempt: OwnAttempt, leave: () => void): void {
  const { type, timeoutSeconds } = attempt.work.runnable;
  attempt.leaveSuspectGate = leave;
  if (!type.isPure) attempt.startTimeout(timeoutSeconds);
}

// Waits until a suspect may begin, or until no suspect holds others back. Meanwhile the row says that the body has not
// been entered, so that a crash of this worker costs the task no recovery.
async function passSuspectGate(
  worker: WorkerContext,
  attempt: OwnAttempt,
  isSuspect: boolean,
): Promise<() => void> {
  const { executionId, claim, aborted, signal } = attempt;
  const mark = async (hasEntered: boolean) => {
    const write = () => markEntered(worker.pool, executionId, claim, hasEntered);
    const isOurs = attempt.whileLocking(() => worker.locked.run(executionId, write));
    if (!(await Promise.race([isOurs, aborted]))) throw new AttemptAbort('lost');
  };
  if (!isSuspect) await mark(false);
  const entering = worker.suspectGate.enter(isSuspect, signal);
  try {
    const leave = await Promise.race([entering, aborted]);
    await mark(true);
    return leave;
  } catch (failure) {
    void entering.then((leaveAgain) => leaveAgain());
    throw failure;
  }
}
