// The only door to jsonpath-plus: recognises the queries it answers as RFC 9535 does, and runs those.
//
// It is the path engine that the project was asked to use, called with `eval: false`, so that it can evaluate nothing. It
// answers one step `*`, `[a:b:c]` or `..` followed by plain names rightly, provided that it is handed an object or array.
// It gets wrong (measured with the RFC's compliance suite, and read in its source): filters without parentheses, negative
// indexes, indexes on objects and strings, `length` of arrays, names with special characters, `*` or a slice behind a
// name when the data has a key `*` or `1:2`, and falsy roots. Those never reach it: query.ts walks them itself.
import { JSONPath } from 'jsonpath-plus';
import type { Json } from '../../json.ts';
import type { Segment, Selector } from '../syntax/ast.ts';

const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** It caches each parsed path for ever; it is made to forget them after so many new ones. */
const MAX_CACHED_PATHS = 1000;
let cachedPaths = 0;

/** A query for jsonpath-plus, and how many segments it covers. */
export interface PlusQuery {
  readonly path: string;
  readonly segments: number;
  readonly descends: boolean;
}

/** The longest query at the start of `segments` that jsonpath-plus answers rightly, or null. */
export function plusQuery(segments: readonly Segment[]): PlusQuery | null {
  const [first] = segments;
  if (first === undefined || first.selectors.length !== 1) return null;
  const step = stepText(first.selectors[0]!, first.descendant);
  if (step === null) return null;
  let path = `$${step}`;
  let count = 1;
  for (const segment of segments.slice(1)) {
    const selector = segment.selectors[0]!;
    if (segment.descendant || segment.selectors.length !== 1) break;
    if (selector.kind !== 'name' || !isPlain(selector.name)) break;
    path += `.${selector.name}`;
    count++;
  }
  cachedPaths++;
  if (cachedPaths > MAX_CACHED_PATHS) {
    JSONPath.clearCache();
    cachedPaths = 0;
  }
  return { path, segments: count, descends: first.descendant };
}

/** All values that the query selects in an object or array, in order. */
export function runPlusQuery(query: PlusQuery, json: Json): Json[] {
  return JSONPath({ path: query.path, json, eval: false, wrap: true, resultType: 'value' }) as Json[];
}

function stepText(selector: Selector, descendant: boolean): string | null {
  const dots = descendant ? '..' : '';
  switch (selector.kind) {
    case 'wildcard':
      return descendant ? '..*' : '[*]';
    case 'slice':
      return `${dots}[${selector.start ?? ''}:${selector.end ?? ''}:${selector.step}]`;
    case 'name':
      return descendant && isPlain(selector.name) ? `..${selector.name}` : null;
    default:
      return null;
  }
}

// Arrays and strings own a `length`, which is no member in JSON.
function isPlain(name: string): boolean {
  return PLAIN_NAME.test(name) && name !== 'length';
}
