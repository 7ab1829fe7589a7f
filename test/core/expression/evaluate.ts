// Arrangement for the expression tests: one scope, and one-line ways to a value, an error or the problems.

import type { Problem, Result } from '../../../src/core/errors.ts';
import { ExpressionError } from '../../../src/core/expression/errors.ts';
import {
  compileCondition,
  compileExpression,
  compileMapping,
  evaluateCondition,
  evaluateMapping,
  type Mapping,
} from '../../../src/core/expression/mapping.ts';
import { FUNCTION_CONTEXT, type Scope } from '../../../src/core/expression/scope.ts';
import type { Json } from '../../../src/core/json.ts';

export const SCOPE: Scope = {
  input: {
    name: 'Ann',
    age: 42,
    none: null,
    yes: true,
    tags: ['red', 'blue'],
    nested: { list: [1, 2, { c: 'x' }], 'a-b': 1 },
    items: [
      { id: 1, price: 5, lines: [{ sku: 'a' }, { sku: 'b' }] },
      { id: 2, price: 15, lines: [] },
      { id: 3, price: 25, lines: [{ sku: 'c' }] },
    ],
  },
  tasks: { fetch: { status: 'completed', output: { id: 7 } }, 'get-user': { output: { id: 8 } } },
  item: 'it',
  index: 1,
  [FUNCTION_CONTEXT]: { now: '2026-01-02T03:04:05.678Z', uuid: (ordinal) => `uuid-${ordinal}` },
};

export function must<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new Error(JSON.stringify(result.problems));
}

/** The value of a bare expression. */
export function value(expression: string, scope: Scope = SCOPE): Json {
  return evaluateMapping(must(compileExpression(expression, '')), scope);
}

/** The value of a mapping. */
export function mapped(mapping: Json, scope: Scope = SCOPE): Json {
  return evaluateMapping(must(compileMapping(mapping, '')), scope);
}

export function condition(text: Json, scope: Scope = SCOPE): boolean {
  return evaluateCondition(must(compileCondition(text, '')), scope);
}

export function problems(result: Result<Mapping>): readonly Problem[] {
  return result.ok ? [] : result.problems;
}

/** `problem: …`, or `code: …` of the error that evaluating throws; `value: …` where nothing is wrong. */
export function fault(expression: string, scope: Scope = SCOPE): string {
  const compiled = compileExpression(expression, '');
  if (!compiled.ok) return `problem: ${compiled.problems[0]?.message} (${compiled.problems[0]?.hint ?? ''})`;
  return errorOf(() => evaluateMapping(compiled.value, scope));
}

export function errorOf(evaluate: () => unknown): string {
  try {
    return `value: ${JSON.stringify(evaluate())?.slice(0, 100)}`;
  } catch (error) {
    if (error instanceof ExpressionError) return `${error.code}: ${error.message}`;
    throw error;
  }
}
