// What a task type gets to run with: the context of one attempt.
import { TerminalError } from '../../core/errors.ts';
import { MAX_ASSEMBLED_BYTES, MAX_VALUE_BYTES, MAX_VALUES } from '../../core/json.ts';
import type { TaskLog } from '../../core/log-lines.ts';
import { isForAnswer, isForParts } from '../../core/wait.ts';
import { untilAnswered } from '../../db/connection/connection.ts';
import { loadParts } from '../../db/protocol/bounded-results.ts';
import { loadCheckpoint } from '../../db/protocol/reads.ts';
import { loadStarters } from '../../db/protocol/reviews.ts';
import { writeCheckpoint } from '../../db/protocol/transitions.ts';
import type { Outside } from '../../tasks/outside.ts';
import type { ParentResult, PartResult, TaskContext } from '../../tasks/task-type.ts';
import type { WorkerContext } from '../context.ts';
import type { CompiledNode } from '../memory/compiled.ts';
import type { ExecutionMemory, TaskResult } from '../memory/memory.ts';
import { AttemptAbort } from './abort.ts';
import { answerStateOf, openCallbackOf } from './answer.ts';
import { idempotencyKey } from './attempt-scope.ts';
import type { Ground } from './judge.ts';
import type { OwnAttempt } from './own-attempt.ts';
import { noteNoticeOf, openReviewLinkOf, readReviewOf } from './review.ts';
import { openSignalWaitOf, signalStateOf } from './signals.ts';
import { storable } from './storable.ts';

/** What the task type's `run` gets. */
export async function contextOf(
  worker: WorkerContext,
  attempt: OwnAttempt,
  { results, scope, readInput }: Ground,
): Promise<TaskContext> {
  const { work, executionId, signal, spending } = attempt;
  const { memory, node, runnable, claim } = work;
  let log: TaskLog | undefined;
  let outside: Outside | undefined;
  const collected = isForParts(claim.phase) ? await partsOf(worker, executionId, node) : [];
  // By fence: what was released at shutdown starts again under the same attempt number.
  const mayHaveCheckpoint = claim.fence > 1 && !runnable.type.isPure;
  return {
    executionId,
    tenantId: memory.row.tenantId,
    taskId: claim.taskId,
    mapIndex: claim.mapIndex < 0 ? null : claim.mapIndex,
    attempt: claim.attempt,
    get input() {
      return readInput();
    },
    signal,
    idempotencyKey: idempotencyKey(memory, claim),
    lastCheckpoint: mayHaveCheckpoint
      ? await loadCheckpoint(worker.pool, executionId, claim.taskId, claim.mapIndex)
      : undefined,
    async checkpoint(state) {
      signal.throwIfAborted();
      const json = storable(worker, state, {
        what: 'checkpoint',
        taskId: claim.taskId,
        maxBytes: MAX_VALUE_BYTES,
      });
      const isOurs = await spending.keep((sum) =>
        attempt.whileLocking(() =>
          worker.locked.run(executionId, () =>
            writeCheckpoint(worker.pool, executionId, claim, { json, ...sum }),
          ),
        ),
      );
      if (!isOurs) throw new AttemptAbort('lost');
    },
    get outside(): Outside {
      outside ??= worker.outside.forTenant(memory.row.tenantId);
      return outside;
    },
    forbidRepeat: () => spending.forbidRepeat(),
    openCallback: (limits) => attempt.whileLocking(() => openCallbackOf(worker, executionId, claim, limits)),
    openSignalWait: (wait) => attempt.whileLocking(() => openSignalWaitOf(worker, attempt, wait)),
    answerState: isForAnswer(claim.phase)
      ? await (claim.phase === 'signal'
          ? signalStateOf(worker, attempt)
          : answerStateOf(worker, executionId, claim, claim.phase))
      : null,
    noteNotice: (review, failures) =>
      attempt.whileLocking(() => noteNoticeOf(worker, executionId, review, failures)),
    openReviewLink: (review, person) => openReviewLinkOf(worker, review, person),
    readStarters: () => untilAnswered(() => loadStarters(worker.pool, executionId)),
    readReview: () => attempt.whileLocking(() => readReviewOf(worker, executionId, claim)),
    addCost: (usd, usage) => spending.add(usd, usage),
    get log() {
      log ??= worker.executionLog.forAttempt({
        executionId,
        tenantId: memory.row.tenantId,
        taskId: claim.taskId,
        mapIndex: claim.mapIndex < 0 ? null : claim.mapIndex,
        attempt: claim.attempt,
      });
      return log;
    },
    scope,
    get parents() {
      return parentsOf(memory, node, results);
    },
    branches: node.branches,
    phase: claim.phase,
    parts: collected.map((part): PartResult => ({ ...part, completedSeq: part.completedSeq ?? 0 })),
    get now() {
      return new Date(worker.nowMs()).toISOString();
    },
  };
}

async function partsOf(worker: WorkerContext, executionId: string, { plan: { taskId }, loop }: CompiledNode) {
  // A loop that collects nothing gives what its last round did.
  const last = loop !== null && loop.collect === null ? 2 : null;
  const parts = await loadParts(worker.pool, executionId, taskId, last);
  if (parts !== null) return parts;
  throw new TerminalError(
    'payload_too_large',
    `Task "${taskId}": the outputs of its parts are more than ${MAX_ASSEMBLED_BYTES} bytes or ${MAX_VALUES} values together; give each an outputMapping that keeps what is needed`,
  );
}

function parentsOf(
  memory: ExecutionMemory,
  node: CompiledNode,
  results: ReadonlyMap<number, TaskResult>,
): ParentResult[] {
  return node.plan.inEdges.flatMap(({ from }) => {
    const result = results.get(from);
    const { taskId, definition } = memory.compiled.plan.nodes[from]!;
    return result === undefined
      ? []
      : [{ taskId, taskType: definition.taskType, status: result.status, output: result.output }];
  });
}
