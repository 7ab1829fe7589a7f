// What a path of an expression may name: the rules beyond RFC 9535 that come from the scope, and their hints.

import { FUNCTIONS } from '../functions/registry.ts';
import { nearestName } from '../nearest.ts';
import type { FilterQuery, Segment } from '../syntax/ast.ts';
import type { Cursor } from '../syntax/cursor.ts';
import { isDefinite, segmentName } from '../syntax/path-syntax.ts';

const WORD_OPERATORS: Readonly<Record<string, string>> = {
  and: '&&',
  or: '||',
  not: '!',
  is: '==',
  eq: '==',
};

/** Refuses a name that is not in the scope, and guesses what was meant. */
export function requireRoot(cursor: Cursor, roots: ReadonlySet<string>, name: string, at: number): void {
  if (!roots.has(name)) cursor.fail(`unknown name "${name}"`, at, hintFor(cursor, roots, name, at));
}

function hintFor(cursor: Cursor, roots: ReadonlySet<string>, name: string, at: number): string {
  if (Object.hasOwn(WORD_OPERATORS, name)) return `write ${WORD_OPERATORS[name]} for "${name}"`;
  const near = nearestName(name, roots);
  if (near !== null) return `did you mean ${near}?`;
  const known = FUNCTIONS.get(name);
  if (known !== undefined) return `${name} is a function: ${known.signature}`;
  if (cursor.text[at - 1] === '-') return `a name with a hyphen is written in brackets: ['a-${name}']`;
  return `known names: ${[...roots].join(', ')}; text goes in quotes`;
}

/** Refuses unknown names and secrets inside filters, and computed indexes where they have no meaning. */
export function checkSegments(
  cursor: Cursor,
  roots: ReadonlySet<string>,
  segments: readonly Segment[],
  at: number,
): void {
  for (const query of rootQueries(segments)) {
    const name = segmentName(query.segments[0]);
    if (name === 'secrets') cursor.fail('secrets cannot be read in a filter', at);
    if (name !== null) requireRoot(cursor, roots, name, at);
  }
  const definite = segments.findIndex((segment) => !isDefinite(segment));
  const later = definite === -1 ? [] : segments.slice(definite);
  if (later.some(({ selectors }) => selectors.some(({ kind }) => kind === 'computed')))
    cursor.fail('a computed index may not stand behind "..", *, a slice or a filter', at);
}

/** The queries on the root inside the filters of a path. */
export function* rootQueries(segments: readonly Segment[]): Generator<FilterQuery> {
  // A plain text search of the tree: filters are small, and every kind of node holds queries somewhere.
  const pending: unknown[] = segments.flatMap((segment) =>
    segment.selectors.filter(({ kind }) => kind === 'filter'),
  );
  while (pending.length > 0) {
    const node = pending.pop();
    if (typeof node !== 'object' || node === null) continue;
    if ('from' in node && node.from === 'root') yield node as FilterQuery;
    pending.push(...Object.values(node));
  }
}
