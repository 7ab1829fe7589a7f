// Performs an attempt: makes its input and its context, and calls its task type until that has an outcome or is aborted.
import { MAX_VALUE_BYTES } from '../../core/json.ts';
import { eventLoop } from '../../tasks/event-loop.ts';
import type { TaskContext, TaskOutcome } from '../../tasks/task-type.ts';
import type { WorkerContext } from '../context.ts';
import { keep, recall } from './cached.ts';
import type { Ground } from './judge.ts';
import type { OwnAttempt } from './own-attempt.ts';
import { storable } from './storable.ts';
import { contextOf } from './task-context.ts';

export async function perform(
  worker: WorkerContext,
  attempt: OwnAttempt,
  ground: Ground,
): Promise<{ readonly context: TaskContext; readonly outcome: TaskOutcome }> {
  const { runnable, claim, memory } = attempt.work;
  const { tenantId } = memory.row;
  const inputOf = () =>
    storable(worker, ground.readInput(), {
      what: 'input',
      taskId: claim.taskId,
      maxBytes: MAX_VALUE_BYTES,
    });
  if (runnable.input !== null) attempt.inputJson = await eventLoop.run(tenantId, inputOf);
  const context = await contextOf(worker, attempt, ground);
  const { cache } = runnable;
  const recalled = cache === null ? null : await recall(worker, attempt, context, cache);
  if (recalled !== null && recalled.outcome !== null) return { context, outcome: recalled.outcome };
  const running = eventLoop.run(tenantId, () => {
    // What was aborted while it was prepared, or had its turn, must not begin.
    attempt.signal.throwIfAborted();
    attempt.hasBegun = !runnable.type.isPure;
    return runnable.prepared.run(context);
  });
  const outcome = running instanceof Promise ? await Promise.race([running, attempt.aborted]) : running;
  // Until no checkpoint is under way it is not known what of its spending is recorded.
  if (attempt.hasBegun) await attempt.spending.recorded();
  if (cache !== null && recalled?.key != null && outcome.kind === 'completed')
    await keep(worker, attempt, recalled.key, { output: outcome.output, ttlSeconds: cache.ttlSeconds });
  return { context, outcome };
}
