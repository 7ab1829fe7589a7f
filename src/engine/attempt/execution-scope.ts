// What all expressions of an execution see (CONTRACT 2.2), from its memory and the results that they read. What one attempt
// adds to it: attempt-scope.ts.
import { lazy, type Scope } from '../../core/expression/scope.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import type { ExecutionMemory, TaskResult } from '../memory/memory.ts';

/** The scope shared by all expressions of an execution; with the variables that those to be evaluated read. */
export function executionScope(
  memory: ExecutionMemory,
  results: ReadonlyMap<number, TaskResult>,
  variables: JsonObject = {},
): Scope {
  const { row, compiled, input } = memory;
  return {
    __proto__: null,
    input,
    trigger: lazy(() => ({ ...memory.trigger, type: row.triggerType, at: row.createdAt })),
    tasks: lazy(() => tasksScope(compiled.plan.nodes, results)),
    failures: lazy(() => failuresOf(compiled.plan.nodes, results)),
    execution: lazy(() => ({
      id: row.id,
      workflowId: row.workflowId,
      revision: row.revision,
      tenantId: row.tenantId,
      triggerType: row.triggerType,
      startedAt: new Date(memory.startedAtMs).toISOString(),
      status: 'running',
    })),
    variables,
  } as unknown as Scope;
}

function tasksScope(
  nodes: ExecutionMemory['compiled']['plan']['nodes'],
  results: ReadonlyMap<number, TaskResult>,
): Record<string, unknown> {
  const tasks: Record<string, unknown> = Object.create(null);
  for (const [index, result] of results) {
    tasks[nodes[index]!.taskId] = {
      status: result.status,
      output: result.output,
      error: result.error,
      errors: result.partErrors,
      branch: result.branch,
      winner: result.winner,
      costUsd: result.costUsd,
      durationMs: result.durationMs,
    };
  }
  return tasks;
}

function failuresOf(
  nodes: ExecutionMemory['compiled']['plan']['nodes'],
  results: ReadonlyMap<number, TaskResult>,
): Json {
  const failed = [...results].filter(([, result]) => result.status === 'failed').sort(([a], [b]) => a - b);
  return failed.map(([index, { error }]) => ({ ...error, taskId: nodes[index]!.taskId })) as Json;
}
