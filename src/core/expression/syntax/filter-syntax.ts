// Parses RFC 9535 filter selectors, with the well-typedness rules of its section 2.4.3: what it accepts has a meaning.

import { nearestName } from '../nearest.ts';
import { fromIRegexp, patternProblem } from '../regex.ts';
import type {
  ComparisonOperator,
  Expression,
  Filter,
  FilterCall,
  FilterFunction,
  FilterOperand,
  FilterQuery,
} from './ast.ts';
import type { Cursor } from './cursor.ts';
import { isDefinite, type PathContext, parseSegments } from './path-syntax.ts';

interface Signature {
  readonly args: readonly ('value' | 'nodes')[];
  readonly result: 'value' | 'logical';
}
const FILTER_FUNCTIONS: Readonly<Record<FilterFunction, Signature>> = {
  length: { args: ['value'], result: 'value' },
  count: { args: ['nodes'], result: 'value' },
  value: { args: ['nodes'], result: 'value' },
  match: { args: ['value', 'value'], result: 'logical' },
  search: { args: ['value', 'value'], result: 'logical' },
};
const FILTER_FUNCTION_NAMES = Object.keys(FILTER_FUNCTIONS) as FilterFunction[];
const COMPARISONS: readonly ComparisonOperator[] = ['==', '!=', '<=', '>=', '<', '>'];
const FUNCTION_NAME = /[a-z][a-z_0-9]*(?=\()/y;

/** What parsing a path needs; `computed` where expressions may stand in brackets. */
export function newPathContext(computed?: (cursor: Cursor) => Expression): PathContext {
  return { filter: parseFilter, descents: 0, ...(computed === undefined ? {} : { computed }) };
}

function parseFilter(cursor: Cursor, context: PathContext): Filter {
  cursor.skipSpace();
  return parseOr(cursor, context);
}

function parseOr(cursor: Cursor, context: PathContext): Filter {
  return cursor.nested(() => parseTerms(cursor, '||', 'or', () => parseAnd(cursor, context)));
}

function parseAnd(cursor: Cursor, context: PathContext): Filter {
  return parseTerms(cursor, '&&', 'and', () => parseBasic(cursor, context));
}

function parseTerms(cursor: Cursor, operator: string, kind: 'or' | 'and', parseTerm: () => Filter): Filter {
  const terms = [parseTerm()];
  for (;;) {
    const before = cursor.pos;
    cursor.skipSpace();
    if (!cursor.accept(operator)) {
      cursor.pos = before;
      return terms.length === 1 ? terms[0]! : { kind, terms };
    }
    cursor.skipSpace();
    terms.push(parseTerm());
  }
}

function parseBasic(cursor: Cursor, context: PathContext): Filter {
  const isNegated = cursor.accept('!');
  if (isNegated) cursor.skipSpace();
  const filter = cursor.accept('(') ? parseGroup(cursor, context) : parseTest(cursor, context, isNegated);
  return isNegated ? { kind: 'not', term: filter } : filter;
}

function parseGroup(cursor: Cursor, context: PathContext): Filter {
  cursor.skipSpace();
  const filter = parseOr(cursor, context);
  cursor.skipSpace();
  cursor.expect(')', '")"');
  return filter;
}

function parseTest(cursor: Cursor, context: PathContext, isNegated: boolean): Filter {
  const start = cursor.pos;
  const left = parseOperand(cursor, context);
  const afterLeft = cursor.pos;
  cursor.skipSpace();
  const operator = COMPARISONS.find((text) => cursor.accept(text));
  if (operator === undefined) {
    cursor.pos = afterLeft;
    if (left.kind === 'query') return { kind: 'exists', query: left.query };
    if (left.kind === 'call' && FILTER_FUNCTIONS[left.call.name].result === 'logical')
      return { kind: 'call', call: left.call };
    return cursor.fail('a filter must test a path or compare something', start);
  }
  if (isNegated) cursor.fail('"!" before a comparison needs parentheses: !(…)', start);
  requireComparable(cursor, left, start);
  cursor.skipSpace();
  const rightStart = cursor.pos;
  const right = parseOperand(cursor, context);
  requireComparable(cursor, right, rightStart);
  return { kind: 'compare', operator, left, right };
}

function requireComparable(cursor: Cursor, operand: FilterOperand, at: number): void {
  if (operand.kind === 'query' && !operand.query.isSingular)
    cursor.fail('only a path to a single value can be compared', at);
  if (operand.kind === 'call' && FILTER_FUNCTIONS[operand.call.name].result === 'logical')
    cursor.fail(`the result of ${operand.call.name}() cannot be compared`, at);
}

function parseOperand(cursor: Cursor, context: PathContext): FilterOperand {
  const char = cursor.peek();
  if (char === '@' || char === '$') return { kind: 'query', query: parseFilterQuery(cursor, context) };
  if (char === "'" || char === '"') return { kind: 'literal', value: cursor.readString(true) };
  const number = cursor.acceptNumber();
  if (number !== null) return { kind: 'literal', value: number };
  FUNCTION_NAME.lastIndex = cursor.pos;
  const name = FUNCTION_NAME.exec(cursor.text)?.[0];
  if (name !== undefined) return { kind: 'call', call: parseCall(cursor, context, name) };
  const start = cursor.pos;
  const word = cursor.acceptName();
  if (word === 'true' || word === 'false') return { kind: 'literal', value: word === 'true' };
  if (word === 'null') return { kind: 'literal', value: null };
  cursor.pos = start;
  return cursor.fail(
    `expected @, $, a literal or a function in the filter, found ${cursor.found()}`,
    start,
    word === null ? undefined : `write @.${word} for a member of the element`,
  );
}

function parseFilterQuery(cursor: Cursor, context: PathContext): FilterQuery {
  const from = cursor.accept('@') ? 'current' : 'root';
  if (from === 'root') cursor.expect('$', '"$"');
  // Computed segments are ours alone and stay out of filters, where names mean nothing.
  const inner: PathContext = { filter: parseFilter, descents: context.descents };
  const segments = parseSegments(cursor, inner);
  context.descents = inner.descents;
  return { from, segments, isSingular: segments.every(isDefinite) };
}

function parseCall(cursor: Cursor, context: PathContext, word: string): FilterCall {
  const start = cursor.pos;
  const name = FILTER_FUNCTION_NAMES.find((known) => known === word);
  if (name === undefined) {
    const near = nearestName(word, FILTER_FUNCTION_NAMES);
    cursor.fail(`there is no function ${word}() in filters`, start, near === null ? undefined : `${near}()`);
  }
  cursor.pos += word.length + 1;
  return cursor.nested(() => {
    const args: FilterOperand[] = [];
    cursor.skipSpace();
    while (!cursor.accept(')')) {
      if (args.length > 0) {
        cursor.expect(',', '"," or ")"');
        cursor.skipSpace();
      }
      args.push(parseOperand(cursor, context));
      cursor.skipSpace();
    }
    requireTypes(cursor, name, args, start);
    return { name, args };
  });
}

function requireTypes(
  cursor: Cursor,
  name: FilterFunction,
  args: readonly FilterOperand[],
  at: number,
): void {
  const types = FILTER_FUNCTIONS[name].args;
  if (args.length !== types.length)
    cursor.fail(
      `${name}() takes ${types.length} argument${types.length === 1 ? '' : 's'}, got ${args.length}`,
      at,
    );
  args.forEach((arg, i) => {
    if (types[i] === 'nodes') {
      if (arg.kind !== 'query') cursor.fail(`argument ${i + 1} of ${name}() must be a path`, at);
    } else requireComparable(cursor, arg, at);
  });
  const pattern = name === 'match' || name === 'search' ? args[1] : undefined;
  if (pattern?.kind === 'literal' && typeof pattern.value === 'string') {
    const problem = patternProblem(fromIRegexp(pattern.value));
    if (problem !== null) cursor.fail(problem, at);
  }
}
