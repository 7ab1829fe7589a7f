// A round of a loop (tasks/repeat.ts): what its expressions see of the rounds before, and whether it was the last. Both are read from
// rows that have ended, so that an attempt that is made again comes to the same. Dying before the round's settle leaves its
// attempt running, and it is taken over; in the settle the next round begins, or the loop is collected.
import type { Completion } from '../../core/attempt-end.ts';
import type { Scope } from '../../core/expression/scope.ts';
import { canonicalJson, type Json, type JsonObject } from '../../core/json.ts';
import { untilAnswered } from '../../db/connection/connection.ts';
import { loadRounds } from '../../db/protocol/reads.ts';
import { eventLoop } from '../../tasks/event-loop.ts';
import { isOver } from '../../tasks/repeat.ts';
import type { WorkerContext } from '../context.ts';
import type { Work } from './work.ts';

/** `loop` of the scope of a round; undefined: the attempt is no round. */
export async function loopScopeOf(
  worker: WorkerContext,
  { memory, node, claim }: Work,
): Promise<JsonObject | undefined> {
  const { mapIndex } = claim;
  if (node.loop === null || mapIndex < 0) return undefined;
  if (!node.readsPrevious || mapIndex === 0) return { index: mapIndex, previous: null };
  const [previous] = await loadRounds(worker.pool, memory.row.id, claim.taskId, {
    from: mapIndex - 1,
    to: mapIndex,
  });
  return { index: mapIndex, previous: previous ?? null };
}

/** Whether the attempt is a round of a loop. */
export function isRound({ node, claim }: Work): boolean {
  return node.loop !== null && claim.mapIndex >= 0;
}

/** The end of a round, with what it means for its loop. */
export async function endOfRound(
  worker: WorkerContext,
  { memory, node, claim }: Work,
  scope: Scope,
  ending: Completion | Promise<Completion>,
): Promise<Completion> {
  const end = await ending;
  const { loop } = node;
  const { mapIndex: index, taskId } = claim;
  if (loop === null) return end;
  const { previous = null } = (scope.loop ?? {}) as { previous?: Json };
  const isLast =
    (await eventLoop.run(memory.row.tenantId, () =>
      isOver(loop, scope, { index, output: end.output, previous }),
    )) ||
    index + 1 >= loop.maxIterations ||
    (loop.stopWhenSame !== null &&
      (await repeatsItself(worker, { executionId: memory.row.id, taskId, index }, loop.stopWhenSame, end)));
  return { ...end, round: isLast ? { isLast } : { isLast, nextInMs: loop.delayMs } };
}

async function repeatsItself(
  worker: WorkerContext,
  at: { readonly executionId: string; readonly taskId: string; readonly index: number },
  count: number,
  { output }: Completion,
): Promise<boolean> {
  const from = at.index + 1 - count;
  if (from < 0) return false;
  const before = await untilAnswered(() =>
    loadRounds(worker.pool, at.executionId, at.taskId, { from, to: at.index }),
  );
  const own = canonicalJson(output);
  return before.length === count - 1 && before.every((other) => canonicalJson(other) === own);
}
