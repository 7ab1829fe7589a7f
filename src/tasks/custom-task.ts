// `defineTask`: how authors make a task type of their own, in a module that DAGWRIGHT_TASKS names.

import { BUILTIN_TASK_TYPES } from '../core/definition/schema/builtin-types.ts';
import { customTaskType, type TaskTypeRule } from '../core/definition/task-type.ts';
import { compileMapping, evaluateMapping } from '../core/expression/mapping.ts';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import type { TaskLog } from '../core/log-lines.ts';
import { compareUsd, parseUsd } from '../core/money.ts';
import { compiled } from './compile-config.ts';
import type { TaskContext, TaskType } from './task-type.ts';

/** What an author's `run` gets. */
export interface CustomTaskContext {
  readonly executionId: string;
  readonly taskId: string;
  /** Counts from 1. */
  readonly attempt: number;
  readonly input: Json;
  /** With its templates evaluated. */
  readonly config: JsonObject;
  /** Aborted at the timeout, cancel, a lost lease and shutdown. */
  readonly signal: AbortSignal;
  /** The same for every attempt of this task. */
  readonly idempotencyKey: string;
  /** What an earlier attempt kept, or undefined. */
  readonly lastCheckpoint: Json | undefined;
  /** Keeps progress for a later attempt; committed when it resolves. */
  readonly checkpoint: (state: Json) => Promise<void>;
  /** Adds US dollars (0 or more, exact decimals; null: unknown) to this attempt's cost. */
  readonly addCost: (usd: string | number | null, usage?: JsonObject) => void;
  readonly log: TaskLog;
  /** The Fetch API, guarded: public addresses on ports 80 and 443, and what DAGWRIGHT_ALLOWED_HOSTS names. Ends with the attempt. */
  readonly fetch: typeof globalThis.fetch;
}

export interface CustomTask {
  readonly type: string;
  /** JSON Schema 2020-12 of `config`; checked when a definition is validated. */
  readonly configSchema?: JsonObject;
  /** Its result is the output. Throw TerminalError or RetryableError; anything else is retried by policy. */
  run(context: CustomTaskContext): unknown;
}

export interface CustomTaskType extends TaskType {
  /** What validation knows of it. */
  readonly rule: TaskTypeRule;
}

const TYPE_NAME = /^[a-z][a-z0-9_.-]{0,99}$/;

/** Throws where the type's name, schema or run does not fit. */
export function defineTask(task: CustomTask): CustomTaskType {
  const { type, configSchema } = task;
  if (typeof type !== 'string' || !TYPE_NAME.test(type))
    throw new Error(
      `defineTask: type must be lower-case letters, digits, "_", "." and "-", beginning with a letter, got ${JSON.stringify(type)}`,
    );
  if (BUILTIN_TASK_TYPES.has(type)) throw new Error(`defineTask: "${type}" is a built-in task type`);
  if (configSchema !== undefined && !isJsonObject(configSchema))
    throw new Error(`defineTask: configSchema of "${type}" must be a JSON Schema object`);
  if (typeof task.run !== 'function') throw new Error(`defineTask: run of "${type}" must be a function`);
  return {
    type,
    isPure: false,
    rule: customTaskType(type, configSchema),
    prepare(node) {
      const config = compiled(node, compileMapping(node.config, '/config'));
      return {
        mappings: [config],
        async run(context) {
          const evaluated = evaluateMapping(config, context.scope) as JsonObject;
          return { kind: 'completed', output: await task.run(authorContext(context, evaluated)) };
        },
      };
    },
  };
}

// Only what is promised to authors: the rest of TaskContext may change.
function authorContext(context: TaskContext, config: JsonObject): CustomTaskContext {
  return {
    executionId: context.executionId,
    taskId: context.taskId,
    attempt: context.attempt,
    input: context.input,
    config,
    signal: context.signal,
    idempotencyKey: context.idempotencyKey,
    lastCheckpoint: context.lastCheckpoint,
    checkpoint: (state) => context.checkpoint(state),
    addCost(usd, usage) {
      if (usd !== null && compareUsd(usd, 0) < 0)
        throw new RangeError(`addCost: a cost cannot be negative, got ${usd}`);
      context.addCost(usd === null ? null : parseUsd(usd), usage);
    },
    log: context.log,
    fetch: (input, init) => context.outside.http.fetch(input, withSignal(input, init, context.signal)),
  };
}

// A call ends with its attempt, whatever signal of its own it has.
function withSignal(
  input: Parameters<typeof fetch>[0],
  init: RequestInit | undefined,
  signal: AbortSignal,
): RequestInit {
  const own = init?.signal ?? (input instanceof Request ? input.signal : null);
  return { ...init, signal: own === null ? signal : AbortSignal.any([own, signal]) };
}
