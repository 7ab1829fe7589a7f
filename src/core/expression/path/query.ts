// Evaluates paths: definite ones by a direct walk over own properties, all others by RFC 9535 with a bound on the work.
//   Q1  A definite path gives one value or undefined (missing); any other gives an array of all values, in RFC order.
//   Q2  What jsonpath-plus answers rightly and cheaply goes to it; everything else is walked here. Both agree (tested).
//   Q3  Each visited value is charged, so that no query takes longer than an evaluation may.
import type { Json, JsonObject } from '../../json.ts';
import type { Evaluation, Root } from '../evaluation.ts';
import { force } from '../scope.ts';
import type { Segment, Selector } from '../syntax/ast.ts';
import { isDefinite } from '../syntax/path-syntax.ts';
import { evaluateFilter } from './filter.ts';
import { type PlusQuery, plusQuery, runPlusQuery } from './jsonpath.ts';

/** jsonpath-plus takes about 1 µs and 400 bytes for each value it visits; beyond this many our own walk does the work. */
const PLUS_MAX_VALUES = 20_000;

/** How a computed segment gets its key; evaluated once per use. */
export type ComputeKey = (
  selector: Selector & { kind: 'computed' },
  evaluation: Evaluation,
) => string | number;

interface Step {
  readonly plus: PlusQuery | null;
  readonly segments: readonly Segment[];
}
export interface Query {
  /** The definite segments at the start. */
  readonly prefix: readonly Segment[];
  /** What follows them; empty for a definite path. */
  readonly steps: readonly Step[];
}

export function compileQuery(segments: readonly Segment[]): Query {
  let split = 0;
  while (split < segments.length && isDefinite(segments[split]!)) split++;
  const rest = segments.slice(split);
  // Two descents multiply: only the charged walk may do that.
  const mayUsePlus = rest.filter((segment) => segment.descendant).length <= 1;
  const steps: Step[] = [];
  for (let i = 0; i < rest.length; ) {
    const plus = mayUsePlus ? plusQuery(rest.slice(i)) : null;
    const count = plus?.segments ?? 1;
    steps.push({ plus, segments: rest.slice(i, i + count) });
    i += count;
  }
  return { prefix: segments.slice(0, split), steps };
}

/** A member or element of a value, own properties only; undefined where there is none. */
export function readChild(value: Json | undefined, key: string | number): Json | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (typeof key === 'number') {
    if (!Array.isArray(value)) return undefined;
    return value[key < 0 ? key + value.length : key] as Json | undefined;
  }
  if (Array.isArray(value) || !Object.hasOwn(value, key)) return undefined;
  return force((value as JsonObject)[key]);
}

/** Follows the segments, which must be definite. */
export function walkDefinite(
  start: Json | undefined,
  segments: readonly Segment[],
  evaluation: Evaluation,
  computeKey?: ComputeKey,
): Json | undefined {
  let value = start;
  for (const segment of segments) {
    const selector = segment.selectors[0]!;
    if (selector.kind === 'name') value = readChild(value, selector.name);
    else if (selector.kind === 'index') value = readChild(value, selector.index);
    else if (selector.kind === 'computed' && computeKey !== undefined)
      value = readChild(value, computeKey(selector, evaluation));
    else throw new Error('a definite path has names, indexes and computed keys only');
    if (value === undefined) return undefined;
  }
  return value;
}

/** All values that the steps select from `start`. `root` is what `$` means in their filters. */
export function selectAll(start: Json, steps: readonly Step[], root: Root, evaluation: Evaluation): Json[] {
  let values: Json[] = [start];
  for (const { plus, segments } of steps) {
    const next: Json[] = [];
    for (const value of values) {
      evaluation.charge(1);
      // A value without members has nothing to select from (and jsonpath-plus calls a falsy root undefined).
      if (typeof value !== 'object' || value === null) continue;
      if (plus !== null && fitsPlus(plus, value, evaluation)) {
        evaluation.charge(10);
        for (const found of runPlusQuery(plus, value)) next.push(found);
      } else for (const found of walkSegments(value, segments, root, evaluation)) next.push(found);
    }
    evaluation.charge(next.length);
    values = next;
  }
  return values;
}

function fitsPlus(plus: PlusQuery, value: Json, evaluation: Evaluation): boolean {
  const left = countValues(
    value,
    plus.descends ? Number.POSITIVE_INFINITY : 1,
    PLUS_MAX_VALUES,
    0,
    evaluation,
  );
  evaluation.charge((PLUS_MAX_VALUES - left) * 10);
  return left > 0;
}

/** `left` minus the values below `value`, down to `levels`; stops at 0. */
function countValues(
  value: Json,
  levels: number,
  left: number,
  depth: number,
  evaluation: Evaluation,
): number {
  if (typeof value !== 'object' || value === null || levels === 0) return left;
  evaluation.checkDepth(depth);
  const members: readonly Json[] = Array.isArray(value) ? value : Object.values(value);
  let rest = left - members.length;
  if (levels === 1) return rest;
  for (let i = 0; i < members.length && rest > 0; i++)
    rest = countValues(members[i]!, levels - 1, rest, depth + 1, evaluation);
  return rest;
}

function walkSegments(start: Json, segments: readonly Segment[], root: Root, evaluation: Evaluation): Json[] {
  let values: Json[] = [start];
  for (const segment of segments) {
    const next: Json[] = [];
    for (const value of values) {
      if (segment.descendant) descend(value, segment.selectors, next, root, evaluation, 0);
      else for (const selector of segment.selectors) select(value, selector, next, root, evaluation);
    }
    values = next;
  }
  return values;
}

function descend(
  value: Json,
  selectors: readonly Selector[],
  found: Json[],
  root: Root,
  evaluation: Evaluation,
  depth: number,
): void {
  evaluation.charge(1);
  if (typeof value !== 'object' || value === null) return;
  evaluation.checkDepth(depth);
  for (const selector of selectors) select(value, selector, found, root, evaluation);
  const members: readonly Json[] = Array.isArray(value) ? value : Object.values(value);
  for (const member of members) descend(member, selectors, found, root, evaluation, depth + 1);
}

function select(value: Json, selector: Selector, found: Json[], root: Root, evaluation: Evaluation): void {
  evaluation.charge(1);
  if (typeof value !== 'object' || value === null) return;
  switch (selector.kind) {
    case 'name':
    case 'index': {
      const child = readChild(value, selector.kind === 'name' ? selector.name : selector.index);
      if (child !== undefined) found.push(child);
      return;
    }
    case 'slice':
      if (Array.isArray(value)) selectSlice(value, selector, found, evaluation);
      return;
    case 'wildcard':
    case 'filter': {
      const members: readonly Json[] = Array.isArray(value) ? value : Object.values(value);
      evaluation.charge(members.length * 2);
      for (const member of members)
        if (
          selector.kind === 'wildcard' ||
          evaluateFilter(selector.filter, member, root, evaluation, selectQuery)
        )
          found.push(member);
      return;
    }
    case 'computed':
      throw new Error('computed segments stand in the definite part of a path only');
  }
}

/** RFC 9535 2.3.4.2.2. */
function selectSlice(
  list: readonly Json[],
  slice: Selector & { kind: 'slice' },
  found: Json[],
  evaluation: Evaluation,
): void {
  const { step } = slice;
  const size = list.length;
  if (step === 0) return;
  const normalize = (bound: number): number => (bound < 0 ? bound + size : bound);
  const start = normalize(slice.start ?? (step > 0 ? 0 : size - 1));
  const end = normalize(slice.end ?? (step > 0 ? size : -size - 1));
  if (step > 0) {
    const upper = Math.min(Math.max(end, 0), size);
    for (let i = Math.min(Math.max(start, 0), size); i < upper; i += step) found.push(list[i]!);
  } else {
    const lower = Math.min(Math.max(end, -1), size - 1);
    for (let i = Math.min(Math.max(start, -1), size - 1); i > lower; i += step) found.push(list[i]!);
  }
  evaluation.charge(size / Math.abs(step));
}

/** The values of a path inside a filter. Root paths begin at a member of the root where they name one. */
function selectQuery(start: Json, segments: readonly Segment[], root: Root, evaluation: Evaluation): Json[] {
  return walkSegments(start, segments, root, evaluation);
}
