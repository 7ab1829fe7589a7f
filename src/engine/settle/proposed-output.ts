// The output that an execution ends with, proposed beside the settle that may turn out to be its last.
import type { Completion } from '../../core/attempt-end.ts';
import { evaluateMapping } from '../../core/expression/mapping.ts';
import { MAX_ASSEMBLED_BYTES, toStorableJson } from '../../core/json.ts';
import { eventLoop } from '../../tasks/event-loop.ts';
import { executionScope } from '../attempt/execution-scope.ts';
import type { WorkerContext } from '../context.ts';
import type { CompiledNode } from '../memory/compiled.ts';
import { type ExecutionMemory, resultOfEnd, resultsOf, type TaskResult } from '../memory/memory.ts';

/**
 * JSON of the execution's output, if this settle turns out to be its last. Undefined where it cannot be told here: then the
 * execution is concluded on its own, with the error that this met. `ahead`: ends that are recorded with it.
 */
export async function proposeOutput(
  worker: WorkerContext,
  memory: ExecutionMemory,
  { node, end }: { readonly node: CompiledNode; readonly end: Completion },
  ahead: ReadonlyMap<number, TaskResult> = new Map(),
): Promise<string | undefined> {
  const { output, outputSchema, outputReads, outputVariables } = memory.compiled;
  if (outputSchema !== null || outputVariables.length > 0) return undefined;
  if (output === null) {
    const json = `{${JSON.stringify(node.plan.taskId)}:${end.outputJson}}`;
    return json.length > MAX_ASSEMBLED_BYTES ? undefined : json;
  }
  try {
    const others = outputReads.filter((index) => index !== node.plan.index && !ahead.has(index));
    const results = await resultsOf(worker.pool, memory, others, { name: 'output' });
    for (const [index, result] of ahead) results.set(index, result);
    results.set(node.plan.index, resultOfEnd(end, 0, 1));
    const value = await eventLoop.run(memory.row.tenantId, () =>
      toStorableJson(evaluateMapping(output, executionScope(memory, results)), MAX_ASSEMBLED_BYTES),
    );
    return value.ok ? value.json : undefined;
  } catch {
    return undefined;
  }
}
