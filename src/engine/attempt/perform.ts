// Performs an attempt: makes its input and its context, and calls its task type until that has an outcome or is aborted.
import { MAX_VALUE_BYTES } from '../../core/json.ts';
import type { TaskContext, TaskOutcome } from '../../tasks/task-type.ts';
import type { WorkerContext } from '../context.ts';
import type { Ground } from './judge.ts';
import type { OwnAttempt } from './own-attempt.ts';
import { storable } from './storable.ts';
import { contextOf } from './task-context.ts';

export async function perform(
  worker: WorkerContext,
  attempt: OwnAttempt,
  ground: Ground,
): Promise<{ readonly context: TaskContext; readonly outcome: TaskOutcome }> {
  const { runnable, claim } = attempt.work;
  if (runnable.input !== null)
    attempt.inputJson = storable(worker, ground.readInput(), {
      what: 'input',
      taskId: claim.taskId,
      maxBytes: MAX_VALUE_BYTES,
    });
  const context = await contextOf(worker, attempt, ground);
  // What was aborted while it was prepared must not begin.
  attempt.signal.throwIfAborted();
  attempt.hasBegun = !runnable.type.isPure;
  const running = runnable.prepared.run(context);
  const outcome = running instanceof Promise ? await Promise.race([running, attempt.aborted]) : running;
  // Until no checkpoint is under way it is not known what of its spending is recorded.
  if (attempt.hasBegun) await attempt.spending.recorded();
  return { context, outcome };
}
