// Builds the scope of CONTRACT 2.2 for one attempt, from the execution's memory and the results its expressions read.

import { FUNCTION_CONTEXT, lazy, type Scope } from '../../core/expression/scope.ts';
import { uuidFrom } from '../../core/id.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import type { ExecutionMemory, TaskResult } from '../memory/memory.ts';

/** What an attempt adds to the execution's scope. */
export interface AttemptScope {
  readonly taskId: string;
  readonly mapIndex: number;
  readonly attempt: number;
  readonly idempotencyKey: string;
  /** Reads the task's input when an expression asks for it. */
  readonly input: () => Json;
  /** Milliseconds since the epoch: when the task became able to start; the same for every attempt. */
  readonly nowMs: number;
  readonly item?: { readonly value: Json; readonly index: number };
  /** Those of the tenant's variables that its expressions read, as they were when the attempt began. */
  readonly variables: JsonObject;
}

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

/** The scope of one attempt. */
export function attemptScope(
  memory: ExecutionMemory,
  results: ReadonlyMap<number, TaskResult>,
  own: AttemptScope,
): Scope {
  const scope: Record<string, unknown> = { ...executionScope(memory, results, own.variables) };
  scope.task = lazy(() => ({
    id: own.taskId,
    attempt: own.attempt,
    idempotencyKey: own.idempotencyKey,
    input: own.input(),
  }));
  if (own.item !== undefined) {
    scope.item = own.item.value;
    scope.index = own.item.index;
  }
  return Object.assign(scope, {
    [FUNCTION_CONTEXT]: {
      get now() {
        return new Date(own.nowMs).toISOString();
      },
      uuid: (ordinal: number) => uuidFrom(`${own.idempotencyKey}#${ordinal}`),
    },
  }) as Scope;
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
