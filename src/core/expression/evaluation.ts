// The state of one evaluation: the scope it reads, the steps it has left, and where it is.
import type { Json } from '../json.ts';
import { ExpressionError } from './errors.ts';
import { EvaluationBudget } from './evaluation-budget.ts';
import { MAX_DATA_DEPTH, MAX_TEXT } from './limits.ts';
import { forceMembers, readScope, type Scope, STEP_BUDGET, wholeScope } from './scope.ts';
import type { PathExpression } from './syntax/ast.ts';

/** A text up to this long costs nothing beyond the step of whatever reads it. */
const SHORT_TEXT = 64;

/** What `$` stands for in a path: the scope, or a document. */
export interface Root {
  member(name: string): Json | undefined;
  whole(): Json;
}

/** One element of a list, and those around it. */
export interface Element {
  readonly item: Json;
  readonly index: number;
  /** Of the function that this one is in. */
  readonly outer: Element | null;
}

export class Evaluation implements Root {
  readonly scope: Scope;
  /** RFC 6901 pointer of the text being evaluated: `uuid()` must differ from place to place. */
  pointer = '';
  /** The element that a function over elements is at; null outside of one. */
  element: Element | null = null;
  /** The path that was missing last: what a template that yields nothing complains about. */
  missing: PathExpression | null = null;
  readonly #budget: EvaluationBudget;
  #tasks: { readonly all: Json | undefined } | undefined;
  #whole: Json | undefined;

  constructor(scope: Scope, budget: EvaluationBudget = scope[STEP_BUDGET] ?? new EvaluationBudget()) {
    this.scope = scope;
    this.#budget = budget;
  }

  member(name: string): Json | undefined {
    if (name !== 'tasks') return readScope(this.scope, name);
    // Once: a filter asks for each element, and there may be thousands of tasks.
    this.#tasks ??= { all: forceMembers(readScope(this.scope, name)) };
    return this.#tasks.all;
  }

  whole(): Json {
    this.#whole ??= wholeScope(this.scope);
    return this.#whole;
  }

  /** Takes steps from the budget. See MAX_STEPS for what one is. */
  charge(steps: number): void {
    this.#budget.take(steps);
  }

  /** Takes the steps of reading a text so many times: 16 units are compared, copied or hashed in one. */
  chargeReading(text: string, times = 1): void {
    if (text.length > SHORT_TEXT) this.charge((text.length / 16) * times);
  }

  /** Guards a text before it is built. */
  checkLength(length: number): void {
    if (length > MAX_TEXT)
      throw new ExpressionError('expression', `the result would be longer than ${MAX_TEXT} characters`);
  }

  /** Guards and charges a text of `length`. */
  chargeText(length: number): void {
    this.checkLength(length);
    this.charge(length / 16);
  }

  checkDepth(depth: number): void {
    if (depth > MAX_DATA_DEPTH)
      throw new ExpressionError('expression', `the data is nested deeper than ${MAX_DATA_DEPTH} levels`);
  }
}
