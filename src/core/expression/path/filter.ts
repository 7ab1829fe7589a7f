// Evaluates RFC 9535 filters over one element. Nothing (RFC 2.4.1) is undefined here.

import { assertNever } from '../../errors.ts';
import type { Json, JsonObject } from '../../json.ts';
import type { Evaluation, Root } from '../evaluation.ts';
import { MAX_PATTERN_CHARS } from '../limits.ts';
import { fromIRegexp, testPattern } from '../regex.ts';
import type { Filter, FilterCall, FilterOperand, FilterQuery, Segment } from '../syntax/ast.ts';
import { segmentName } from '../syntax/path-syntax.ts';
import { countCharacters, isDeepEqual, isLess, namesOf } from '../values.ts';

/** Selects by segments; handed in because filters and paths contain each other (query.ts). */
export type SelectValues = (
  start: Json,
  segments: readonly Segment[],
  root: Root,
  evaluation: Evaluation,
) => Json[];

interface Context {
  readonly current: Json;
  readonly root: Root;
  readonly evaluation: Evaluation;
  readonly select: SelectValues;
}

/** Whether the filter holds for `current`. */
export function evaluateFilter(
  filter: Filter,
  current: Json,
  root: Root,
  evaluation: Evaluation,
  select: SelectValues,
): boolean {
  return holds(filter, { current, root, evaluation, select });
}

function holds(filter: Filter, context: Context): boolean {
  context.evaluation.charge(5);
  switch (filter.kind) {
    case 'or':
      return filter.terms.some((term) => holds(term, context));
    case 'and':
      return filter.terms.every((term) => holds(term, context));
    case 'not':
      return !holds(filter.term, context);
    case 'exists':
      return nodes(filter.query, context).length > 0;
    case 'call':
      return call(filter.call, context) === true;
    case 'compare':
      return compare(filter, context);
    default:
      return assertNever(filter);
  }
}

function compare(filter: Filter & { kind: 'compare' }, context: Context): boolean {
  const left = operand(filter.left, context);
  const right = operand(filter.right, context);
  const { evaluation } = context;
  const isEqual = (): boolean =>
    left === undefined || right === undefined ? left === right : isDeepEqual(evaluation, left, right);
  const less = (a: Json | undefined, b: Json | undefined): boolean =>
    a !== undefined && b !== undefined && isLess(evaluation, a, b);
  switch (filter.operator) {
    case '==':
      return isEqual();
    case '!=':
      return !isEqual();
    case '<':
      return less(left, right);
    case '>':
      return less(right, left);
    case '<=':
      return less(left, right) || isEqual();
    case '>=':
      return less(right, left) || isEqual();
    default:
      return assertNever(filter.operator);
  }
}

function operand(value: FilterOperand, context: Context): Json | undefined {
  switch (value.kind) {
    case 'literal':
      return value.value;
    case 'query':
      return nodes(value.query, context)[0];
    case 'call':
      return call(value.call, context);
    default:
      return assertNever(value);
  }
}

function nodes(query: FilterQuery, context: Context): Json[] {
  const { root, evaluation, select } = context;
  if (query.from === 'current') return select(context.current, query.segments, root, evaluation);
  // A root path that begins with a name reads that member alone: the rest of the scope may be costly to load.
  const name = segmentName(query.segments[0]);
  if (name === null) return select(root.whole(), query.segments, root, evaluation);
  const member = root.member(name);
  return member === undefined ? [] : select(member, query.segments.slice(1), root, evaluation);
}

function call({ name, args }: FilterCall, context: Context): Json | undefined {
  const [first, second] = args;
  switch (name) {
    case 'count':
      return first?.kind === 'query' ? nodes(first.query, context).length : undefined;
    case 'value': {
      const values = first?.kind === 'query' ? nodes(first.query, context) : [];
      return values.length === 1 ? values[0] : undefined;
    }
    case 'length':
      return lengthOf(operand(first!, context), context.evaluation);
    case 'match':
    case 'search': {
      const text = operand(first!, context);
      const pattern = operand(second!, context);
      if (typeof text !== 'string' || typeof pattern !== 'string') return false;
      // What is too long for a pattern is refused, not translated first.
      const mapped = pattern.length > MAX_PATTERN_CHARS ? pattern : fromIRegexp(pattern);
      return testPattern(context.evaluation, name, text, mapped);
    }
    default:
      return assertNever(name);
  }
}

/** RFC 9535 2.4.4: characters, elements or members; Nothing for other values. */
export function lengthOf(value: Json | undefined, evaluation: Evaluation): number | undefined {
  if (typeof value === 'string') {
    evaluation.chargeReading(value);
    return countCharacters(value);
  }
  if (typeof value !== 'object' || value === null) return undefined;
  return Array.isArray(value) ? value.length : namesOf(evaluation, value as JsonObject).length;
}
