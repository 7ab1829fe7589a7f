// The names an expression can read, and how they are read: own properties only, lazy values at most once.
import type { Json } from '../json.ts';
import { ExpressionError } from './errors.ts';
import type { EvaluationBudget } from './evaluation-budget.ts';

/**
 * The values behind the names of {@link SCOPE_NAMES}: JSON. May have a null prototype. A member, a task of `tasks` and a
 * field of a task may be {@link lazy}.
 */
export interface Scope {
  readonly [name: string]: unknown;
  readonly [FUNCTION_CONTEXT]?: FunctionContext;
  readonly [STEP_BUDGET]?: EvaluationBudget;
}

/** The steps that all evaluations over this scope, and over copies of it, may take together; without it each has its own. */
export const STEP_BUDGET: unique symbol = Symbol('dagwright.stepBudget');

/** Where `now()` and `uuid()` take their values from, so that they are the same for every attempt of a task. */
export const FUNCTION_CONTEXT: unique symbol = Symbol('dagwright.functionContext');
export interface FunctionContext {
  /** ISO 8601, UTC. */
  readonly now: string;
  /** `ordinal` is a whole number that is the same for the same place of a definition and differs between places. */
  readonly uuid: (ordinal: number) => string;
}

/** CONTRACT 2.2. `parameters` is the seed's name of `input`. */
export const SCOPE_NAMES = [
  'input',
  'parameters',
  'trigger',
  'tasks',
  'execution',
  'failures',
  'task',
  'item',
  'index',
  'loop',
  'output',
  'variables',
  'secrets',
] as const;

class Lazy {
  #read: (() => unknown) | null;
  #value: unknown;
  constructor(read: () => unknown) {
    this.#read = read;
  }
  get(): unknown {
    if (this.#read !== null) {
      this.#value = this.#read();
      this.#read = null;
    }
    return this.#value;
  }
}

/** A scope value that is computed when it is first read, and at most once. */
export function lazy(read: () => unknown): unknown {
  return new Lazy(read);
}

/** A lazy value's value; anything else as it is. */
export function force(value: unknown): Json | undefined {
  return (value instanceof Lazy ? value.get() : value) as Json | undefined;
}

/** A member of the scope, or undefined where it is absent. */
export function readScope(scope: Scope, name: string): Json | undefined {
  if (Object.hasOwn(scope, name)) return force(scope[name]);
  if (name === 'parameters' && Object.hasOwn(scope, 'input')) return force(scope.input);
  if (name === 'secrets')
    throw new ExpressionError(
      'expression',
      'secrets can only be read in the config of external_api and model_inference tasks',
    );
  return undefined;
}

/** How far below the scope lazy values may stand: `tasks`, `tasks.<id>`, `tasks.<id>.output`. */
const LAZY_LEVELS = 2;

/** `tasks`, one task, or another value that may hold lazy members: a copy without them, or the value if it has none. */
export function forceMembers(value: Json | undefined, levels: number = LAZY_LEVELS): Json | undefined {
  if (levels === 0 || typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  let copy: Record<string, Json> | null = null;
  for (const [key, member] of Object.entries(value)) {
    const forced = forceMembers(force(member), levels - 1);
    if (forced === member) continue;
    copy ??= { ...value } as Record<string, Json>;
    setOwn(copy, key, forced ?? null);
  }
  return copy ?? value;
}

/**
 * The scope as one JSON object, for queries such as `$..id`: without secrets and variables, which are read by name, and
 * without the second name of `input`.
 */
export function wholeScope(scope: Scope): Json {
  const whole: Record<string, Json> = {};
  for (const name of Object.keys(scope)) {
    if (name === 'secrets' || name === 'variables') continue;
    if (name === 'parameters' && Object.hasOwn(scope, 'input')) continue;
    const value = force(scope[name]);
    if (value !== undefined) setOwn(whole, name, (name === 'tasks' ? forceMembers(value) : value) as Json);
  }
  return whole;
}

/** Sets an own property whatever its name; plain assignment of `__proto__` would replace the prototype. */
export function setOwn(target: Record<string, Json>, key: string, value: Json): void {
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  else target[key] = value;
}
