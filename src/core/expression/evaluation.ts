// The state of one evaluation: the scope it reads, the steps it has left, and where it is.
import type { Json } from '../json.ts';
import { ExpressionError } from './errors.ts';
import { MAX_DATA_DEPTH, MAX_STEPS, MAX_TEXT } from './limits.ts';
import { forceMembers, readScope, type Scope, wholeScope } from './scope.ts';
import type { PathExpression } from './syntax/ast.ts';

/** What `$` stands for in a path: the scope, or a document. */
export interface Root {
  member(name: string): Json | undefined;
  whole(): Json;
}

export class Evaluation implements Root {
  readonly scope: Scope;
  /** RFC 6901 pointer of the text being evaluated: `uuid()` must differ from place to place. */
  pointer = '';
  /** The path that was missing last: what a template that yields nothing complains about. */
  missing: PathExpression | null = null;
  #steps = MAX_STEPS;
  #whole: Json | undefined;

  constructor(scope: Scope) {
    this.scope = scope;
  }

  member(name: string): Json | undefined {
    const value = readScope(this.scope, name);
    return name === 'tasks' ? forceMembers(value) : value;
  }

  whole(): Json {
    this.#whole ??= wholeScope(this.scope);
    return this.#whole;
  }

  /** Takes steps from the budget. See MAX_STEPS for what one is. */
  charge(steps: number): void {
    this.#steps -= steps;
    if (this.#steps < 0)
      throw new ExpressionError('expression', 'the expression takes too many steps on this data');
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
