// Concludes an execution whose tasks have all ended: its status, its error, its output.

import { type TaskError, TerminalError } from '../../core/errors.ts';
import { ExpressionError } from '../../core/expression/errors.ts';
import { evaluateMapping } from '../../core/expression/mapping.ts';
import { type Json, MAX_ASSEMBLED_BYTES, storableText, toStorableJson } from '../../core/json.ts';
import { conclude } from '../../core/plan/conclude.ts';
import { boundProblems, STORED } from '../../core/problem-report.ts';
import { isConnectionLoss, isRetryable, untilAnswered } from '../../db/connection/connection.ts';
import { loadExecutions, loadStates } from '../../db/protocol/reads.ts';
import type { Finish } from '../../db/protocol/transitions.ts';
import { loadVariables } from '../../db/resources/variables.ts';
import { eventLoop } from '../../tasks/event-loop.ts';
import { executionScope } from '../attempt/execution-scope.ts';
import type { WorkerContext } from '../context.ts';
import { type ExecutionMemory, resultsOf } from '../memory/memory.ts';

/** Ends the execution if all its tasks have ended. Safe to call again, and from several workers. */
export async function concludeExecution(worker: WorkerContext, memory: ExecutionMemory): Promise<void> {
  const finish = await untilAnswered(async () => {
    const [row] = await loadExecutions(worker.pool, [memory.row.id]);
    if (row === undefined || row.status !== 'running' || row.openTasks > 0) return null;
    return await finishOf(worker, memory, row.failedTasks > 0);
  });
  if (finish === null) return;
  const ended = await worker.finishes.call({ executionId: memory.row.id, from: 'running', ...finish });
  if (ended) worker.events.executionEnded(memory.row.id);
}

type Verdict = Omit<Finish, 'executionId' | 'from'>;

async function finishOf(
  worker: WorkerContext,
  memory: ExecutionMemory,
  hasFailures: boolean,
): Promise<Verdict> {
  const { plan } = memory.compiled;
  let completedWithErrors = false;
  if (hasFailures) {
    const rows = new Map(
      (await loadStates(worker.pool, memory.row.id, null)).map((row) => [row.taskId, row]),
    );
    const verdict = conclude(
      plan,
      plan.nodes.map((node) => rows.get(node.taskId)!),
    );
    if (verdict.failedTask !== null) {
      const results = await resultsOf(worker.pool, memory, [verdict.failedTask], { name: 'error' });
      const { taskId } = plan.nodes[verdict.failedTask]!;
      const result = results.get(verdict.failedTask);
      return failed({ ...(result?.error as TaskError), taskId, attempts: result?.attempt });
    }
    completedWithErrors = verdict.completedWithErrors;
  }
  try {
    const output = await outputOf(worker, memory);
    const { outputSchema } = memory.compiled;
    const problems =
      outputSchema === null
        ? []
        : await eventLoop.run(memory.row.tenantId, () => outputSchema.validate(output));
    if (problems.length > 0) {
      const [first] = problems;
      return failed({
        code: 'output_invalid',
        message: `the output does not fit outputSchema: ${first!.pointer} ${first!.message}`,
        details: boundProblems(problems, STORED) as unknown as Json,
      });
    }
    const json = toStorableJson(output, MAX_ASSEMBLED_BYTES);
    if (!json.ok) return failed({ code: json.code, message: `the execution's output ${json.message}` });
    return { status: 'completed', outputJson: json.json, errorJson: 'null', completedWithErrors };
  } catch (error) {
    if (isConnectionLoss(error) || isRetryable(error)) throw error;
    if (error instanceof TerminalError) return failed({ code: error.code, message: error.message });
    const code = error instanceof ExpressionError ? error.code : 'expression';
    return failed({ code, message: storableText(`output: ${String((error as Error).message)}`) });
  }
}

async function outputOf(worker: WorkerContext, memory: ExecutionMemory): Promise<Json> {
  const { output, outputReads, outputVariables, plan } = memory.compiled;
  const results = await resultsOf(worker.pool, memory, outputReads, { name: 'output' });
  if (output !== null) {
    const variables = await loadVariables(worker.pool, memory.row.tenantId, outputVariables);
    return await eventLoop.run(memory.row.tenantId, () =>
      evaluateMapping(output, executionScope(memory, results, variables)),
    );
  }
  const outputs: Record<string, Json> = Object.create(null);
  for (const index of plan.leaves) {
    const result = results.get(index);
    if (result?.status === 'completed') outputs[plan.nodes[index]!.taskId] = result.output;
  }
  return outputs;
}

function failed(error: TaskError): Verdict {
  return {
    status: 'failed',
    outputJson: 'null',
    errorJson: JSON.stringify(error),
    completedWithErrors: false,
  };
}
