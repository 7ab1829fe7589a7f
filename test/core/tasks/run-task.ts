// Prepares and runs one task as the engine would, without an engine.
import type { NodeDefinition } from '../../../src/core/definition/model.ts';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import { createRegistry } from '../../../src/tasks/registry.ts';
import type {
  ParentResult,
  PartResult,
  TaskContext,
  TaskOutcome,
  TaskType,
} from '../../../src/tasks/task-type.ts';
import { closedOutside } from '../../support/outside.ts';

export const NOW = '2030-01-01T00:00:00.000Z';
export const registry = createRegistry();

export function node(
  taskType: string,
  config: JsonObject,
  more: Partial<NodeDefinition> = {},
): NodeDefinition {
  return { taskId: 'it', taskType, dependsOn: [], config, ...more };
}

export function context(more: Partial<TaskContext> = {}): TaskContext {
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  return {
    executionId: 'execution-1',
    tenantId: 'tenant-1',
    taskId: 'it',
    mapIndex: null,
    attempt: 1,
    input: null,
    signal: new AbortController().signal,
    idempotencyKey: 'execution-1:it',
    lastCheckpoint: undefined,
    checkpoint: async () => {},
    outside: closedOutside(),
    forbidRepeat() {},
    openCallback: async () => ({ token: 'token-1', url: 'http://127.0.0.1/v1/callbacks/token-1' }),
    openSignalWait: async () => ({ status: 'open', output: null, error: null, leftMs: 1_000 }),
    answerState: null,
    readReview: async () => null,
    readStarters: async () => [],
    noteNotice: async () => {},
    openReviewLink: async () => 'http://127.0.0.1/reviews/token-1',
    addCost() {},
    log: silent,
    scope: {},
    parents: [],
    phase: null,
    parts: [],
    now: NOW,
    ...more,
  };
}

/** Runs a pure task. */
export function runPure(definition: NodeDefinition, more: Partial<TaskContext> = {}): TaskOutcome {
  const outcome = taskTypeOf(definition.taskType).prepare(definition, registry).run(context(more));
  if (outcome instanceof Promise) throw new Error(`${definition.taskType} is not synchronous`);
  return outcome;
}

export function taskTypeOf(name: string): TaskType {
  const found = registry.get(name);
  if (found === undefined) throw new Error(`no task type ${name}`);
  return found;
}

export function outputOf(outcome: TaskOutcome): unknown {
  if (outcome.kind !== 'completed') throw new Error(`expected a completed task, got ${outcome.kind}`);
  return outcome.output;
}

export function parent(taskId: string, output: Json, more: Partial<ParentResult> = {}): ParentResult {
  return { taskId, taskType: 'transformation', status: 'completed', output, ...more };
}

/** A part that completed, or that failed where a code is given. */
export function part(
  index: number,
  output: Json,
  more: Partial<PartResult> & { code?: string } = {},
): PartResult {
  const { code, ...rest } = more;
  const error = code === undefined ? null : { code, message: `part ${index} failed`, attempts: 1 };
  return {
    index,
    status: code === undefined ? 'completed' : 'failed',
    output,
    error,
    completedSeq: index,
    ...rest,
  };
}
