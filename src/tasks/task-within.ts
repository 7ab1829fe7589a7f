// A task that runs within another's attempt: the tool of a model, the notice of a review. It sees what the outer one sees, with an input
// and a key of its own, and can neither wait nor keep a checkpoint.
import { TerminalError } from '../core/errors.ts';
import { EvaluationBudget } from '../core/expression/evaluation-budget.ts';
import { FUNCTION_CONTEXT, lazy, readScope, type Scope, STEP_BUDGET } from '../core/expression/scope.ts';
import { isJsonObject, type Json } from '../core/json.ts';
import type { TaskContext } from './task-type.ts';

/** Values of `uuid()` in it differ from those of the others by this much of the ordinal. */
const ORDINALS_PER_TASK = 1_000_000;

export interface TaskWithin {
  /** What it is, for errors: `a tool`. */
  readonly what: string;
  readonly input: Json;
  /** Behind the outer task's key: `#tool:1`. */
  readonly key: string;
  /** Its number among those of its attempt, from 1. */
  readonly ordinal: number;
  readonly addCost: TaskContext['addCost'];
  /** More members of `task` in its scope. */
  readonly names?: { readonly [name: string]: Json };
  readonly signal?: AbortSignal;
}

export function contextWithin(context: TaskContext, own: TaskWithin): TaskContext {
  const { what, input, key, ordinal, addCost, names = {}, signal } = own;
  const idempotencyKey = `${context.idempotencyKey}${key}`;
  const { scope, attempt, taskId } = context;
  const functions = scope[FUNCTION_CONTEXT];
  const task = lazy(() => {
    const outer = readScope(scope, 'task');
    return { id: taskId, attempt, ...(isJsonObject(outer) && outer), idempotencyKey, input, ...names };
  });
  const inner: Partial<TaskContext> = {
    input,
    idempotencyKey,
    scope: withNames(scope, {
      task,
      // What the outer task has evaluated is no matter of this one.
      [STEP_BUDGET]: new EvaluationBudget(),
      ...(functions !== undefined && {
        [FUNCTION_CONTEXT]: {
          now: functions.now,
          uuid: (n: number) => functions.uuid(n + ordinal * ORDINALS_PER_TASK),
        },
      }),
    }),
    lastCheckpoint: undefined,
    checkpoint: () =>
      Promise.reject(new TerminalError('not_allowed', `a task that is ${what} has no checkpoint of its own`)),
    openCallback: () =>
      Promise.reject(new TerminalError('not_allowed', `a task that is ${what} cannot wait for a callback`)),
    openSignalWait: () =>
      Promise.reject(new TerminalError('not_allowed', `a task that is ${what} cannot wait for a signal`)),
    addCost,
    parents: [],
    branches: [],
    phase: null,
    parts: [],
    ...(signal !== undefined && { signal }),
  };
  // The outer context has accessors, which a copy would call.
  return Object.create(context, Object.getOwnPropertyDescriptors(inner)) as TaskContext;
}

/** A scope with more names, lazy ones kept. */
export function withNames(scope: Scope, names: { readonly [name: string | symbol]: unknown }): Scope {
  return Object.assign(Object.create(null) as Record<string, unknown>, scope, names) as Scope;
}
