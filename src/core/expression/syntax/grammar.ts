// Parses an expression: precedence climbing over a cursor, with a whitelist of names and functions. Evaluates nothing.
// Longer than most files, since it is one grammar and one class: split, its rules would only call each other across files.
//
//   loosest   a ? b : c     right
//             ??            not mixed with || and && without parentheses, as in JavaScript
//             ||   &&
//             == !=   then  < <= > >= in     (each once: `1 < x < 5` means something else than it says)
//             + -   then  * / %
//   tightest  ! -   then  calls, paths and .name [0] behind ( ) [ ] { } and calls

import { FUNCTIONS, OVER_ELEMENTS } from '../functions/registry.ts';
import { MAX_EXPRESSION_CHARS, MAX_PATH_CHARS } from '../limits.ts';
import { nearestName } from '../nearest.ts';
import { checkSegments, requireRoot, rootQueries } from '../path/scope-path.ts';
import { patternProblem } from '../regex.ts';
import {
  type BinaryOperator,
  type Expression,
  LOCAL_NAMES,
  type PathExpression,
  type Segment,
} from './ast.ts';
import type { Cursor } from './cursor.ts';
import { newPathContext } from './filter-syntax.ts';
import { child, isDefinite, parseSegments, segmentName } from './path-syntax.ts';

const LEVELS: readonly (readonly BinaryOperator[])[] = [
  ['||'],
  ['&&'],
  ['==', '!='],
  ['<=', '>=', '<', '>', 'in'],
  ['+', '-'],
  ['*', '/', '%'],
];
const CHAINED = new Set<BinaryOperator>(['||', '&&', '+', '-', '*', '/', '%']);

/** The expression that begins here. Leaves the cursor behind it; throws SyntaxProblem. */
export function parseExpression(cursor: Cursor, roots: ReadonlySet<string>): Expression {
  const start = cursor.pos;
  const expression = new Parser(cursor, roots).parse();
  if (cursor.pos - start > MAX_EXPRESSION_CHARS)
    cursor.fail(`an expression may have at most ${MAX_EXPRESSION_CHARS} characters`, start);
  return expression;
}

class Parser {
  readonly #cursor: Cursor;
  readonly #roots: ReadonlySet<string>;
  readonly #groups = new WeakSet<Expression>();
  /** How many second arguments of functions over elements this is in. */
  #bodies = 0;

  constructor(cursor: Cursor, roots: ReadonlySet<string>) {
    this.#cursor = cursor;
    this.#roots = roots;
  }

  parse(): Expression {
    return this.#cursor.nested(() => {
      this.#cursor.skipSpace();
      return this.#conditional();
    });
  }

  #conditional(): Expression {
    const cursor = this.#cursor;
    const test = this.#coalesce();
    const before = cursor.pos;
    cursor.skipSpace();
    if (!cursor.accept('?')) {
      cursor.pos = before;
      return test;
    }
    const then = this.parse();
    cursor.skipSpace();
    cursor.expect(':', '":" of ? :');
    return { kind: 'conditional', test, then, otherwise: this.parse() };
  }

  #coalesce(): Expression {
    const cursor = this.#cursor;
    let left = this.#binary(0);
    for (;;) {
      const before = cursor.pos;
      cursor.skipSpace();
      const at = cursor.pos;
      if (!cursor.accept('??')) {
        cursor.pos = before;
        return left;
      }
      cursor.skipSpace();
      const right = this.#binary(0);
      for (const side of [left, right])
        if (
          side.kind === 'binary' &&
          (side.operator === '||' || side.operator === '&&') &&
          !this.#groups.has(side)
        )
          cursor.fail(`"??" beside "${side.operator}" needs parentheses`, at);
      left = { kind: 'binary', operator: '??', left, right };
    }
  }

  #binary(level: number): Expression {
    const operators = LEVELS[level];
    if (operators === undefined) return this.#unary();
    const cursor = this.#cursor;
    let left = this.#binary(level + 1);
    let previous: BinaryOperator | null = null;
    for (;;) {
      const before = cursor.pos;
      cursor.skipSpace();
      const at = cursor.pos;
      const operator = this.#acceptOperator(operators);
      if (operator === null) {
        cursor.pos = before;
        return left;
      }
      if (previous !== null && !CHAINED.has(operator))
        cursor.fail(
          `"${previous}" and "${operator}" in a row need parentheses, or && between two comparisons`,
          at,
        );
      previous = operator;
      cursor.skipSpace();
      left = { kind: 'binary', operator, left, right: this.#binary(level + 1) };
    }
  }

  #acceptOperator(operators: readonly BinaryOperator[]): BinaryOperator | null {
    const cursor = this.#cursor;
    for (const operator of operators) {
      if (operator === 'in') {
        if (cursor.peekName() === 'in' && cursor.accept('in')) return operator;
      } else if (cursor.accept(operator)) {
        if ((operator === '==' || operator === '!=') && cursor.peek() === '=')
          cursor.fail(
            `unknown operator "${operator}="`,
            cursor.pos - 2,
            `write ${operator}: it never coerces`,
          );
        return operator;
      }
    }
    return null;
  }

  #unary(): Expression {
    const cursor = this.#cursor;
    const isNot = cursor.peek() === '!';
    if (isNot || (cursor.peek() === '-' && !/[0-9]/.test(cursor.peek(1)))) {
      cursor.pos++;
      cursor.skipSpace();
      const operand = cursor.nested(() => this.#unary());
      return { kind: isNot ? 'not' : 'negate', operand };
    }
    return this.#postfix();
  }

  #postfix(): Expression {
    const cursor = this.#cursor;
    const start = cursor.pos;
    const base = this.#primary();
    if (base.kind === 'path' || base.kind === 'literal') {
      if (!this.#groups.has(base)) return base;
    }
    const pathStart = cursor.pos;
    const segments = parseSegments(
      cursor,
      newPathContext((inner) => this.#computed(inner)),
    );
    if (segments.length === 0) return base;
    return this.#path(base, segments, start, pathStart);
  }

  #computed(_cursor: Cursor): Expression {
    return this.parse();
  }

  #primary(): Expression {
    const cursor = this.#cursor;
    const start = cursor.pos;
    const char = cursor.peek();
    if (char === '(') {
      cursor.pos++;
      const inner = this.parse();
      cursor.skipSpace();
      cursor.expect(')', '")"');
      this.#groups.add(inner);
      return inner;
    }
    if (char === '[') return this.#array();
    if (char === '{') return this.#object();
    if (char === '"' || char === "'") return { kind: 'literal', value: cursor.readString(false) };
    if (char === '$') {
      cursor.pos++;
      return this.#scopePath(start, []);
    }
    const number = cursor.acceptNumber();
    if (number !== null) return { kind: 'literal', value: number };
    const name = cursor.acceptName();
    if (name === null) return this.#refuseHere();
    if (name === 'true' || name === 'false') return { kind: 'literal', value: name === 'true' };
    if (name === 'null') return { kind: 'literal', value: null };
    if (cursor.peek() === '(') return this.#call(name, start);
    if (!this.#isLocal(name)) requireRoot(cursor, this.#roots, name, start);
    return this.#scopePath(start, [child({ kind: 'name', name })]);
  }

  #isLocal(name: string): boolean {
    return this.#bodies > 0 && (LOCAL_NAMES as readonly string[]).includes(name);
  }

  #refuseHere(): never {
    const cursor = this.#cursor;
    const hints: Readonly<Record<string, string>> = {
      '@': '@ is the element inside a path filter only: $.input.items[?@.price > 10]',
      '=': 'compare with ==',
      '`': 'write strings in single or double quotes',
      '/': 'write patterns as strings: search(text, "a+")',
    };
    const char = cursor.peek();
    return cursor.fail(
      `expected a value, found ${cursor.found()}`,
      cursor.pos,
      Object.hasOwn(hints, char) ? hints[char] : undefined,
    );
  }

  /** A path from the scope: behind `$`, or behind a name of the scope (then already in `before`). */
  #scopePath(start: number, before: readonly Segment[]): Expression {
    const cursor = this.#cursor;
    const segments = parseSegments(
      cursor,
      newPathContext((inner) => this.#computed(inner)),
      before,
    );
    const first = segments[0];
    if (first === undefined)
      return cursor.fail('$ alone is the whole scope and not a value', start, 'name a part of it: $.input');
    const name = segmentName(first);
    const local = LOCAL_NAMES.find((one) => one === name && this.#isLocal(one));
    if (local !== undefined)
      return this.#path({ kind: 'local', name: local }, segments.slice(1), start, start);
    if (name !== null) requireRoot(cursor, this.#roots, name, start);
    else if (isDefinite(first) || (!first.descendant && first.selectors.some(({ kind }) => kind === 'index')))
      cursor.fail('the scope has names, not indexes', start, 'begin with a name: $.input[0]');
    return this.#path('scope', segments, start, start);
  }

  #path(
    from: 'scope' | Expression,
    segments: readonly Segment[],
    start: number,
    pathStart: number,
  ): PathExpression {
    const cursor = this.#cursor;
    if (cursor.pos - pathStart > MAX_PATH_CHARS)
      cursor.fail(`a path may have at most ${MAX_PATH_CHARS} characters`, pathStart);
    checkSegments(cursor, this.#roots, segments, pathStart);
    for (const { segments: asked } of this.#bodies > 0 ? rootQueries(segments) : []) {
      const name = segmentName(asked[0]);
      if (name !== null && this.#isLocal(name))
        cursor.fail(
          `$.${name} in a path filter is not the element of map() or filter()`,
          pathStart,
          'write filter(list, …), which sees both',
        );
    }
    return { kind: 'path', from, segments, text: cursor.text.slice(start, cursor.pos) };
  }

  #array(): Expression {
    return { kind: 'array', items: this.#list('[', ']', () => this.parse()) };
  }

  #object(): Expression {
    const cursor = this.#cursor;
    const names = new Set<string>();
    const entries = this.#list('{', '}', (): [string, Expression] => {
      const at = cursor.pos;
      const quoted = cursor.peek() === '"' || cursor.peek() === "'";
      const key = quoted ? cursor.readString(false) : cursor.acceptName();
      if (key === null) return cursor.fail(`expected a key, found ${cursor.found()}`);
      if (names.has(key)) cursor.fail(`the key "${key}" stands twice`, at);
      names.add(key);
      cursor.skipSpace();
      cursor.expect(':', '":" behind the key');
      return [key, this.parse()];
    });
    return { kind: 'object', entries };
  }

  #list<T>(open: string, close: string, parseItem: () => T): T[] {
    const cursor = this.#cursor;
    cursor.expect(open, `"${open}"`);
    const items: T[] = [];
    cursor.skipSpace();
    if (cursor.accept(close)) return items;
    do {
      cursor.skipSpace();
      items.push(parseItem());
      cursor.skipSpace();
    } while (cursor.accept(','));
    cursor.expect(close, `"," or "${close}"`);
    return items;
  }

  #call(name: string, at: number): Expression {
    const cursor = this.#cursor;
    const known = FUNCTIONS.get(name);
    if (known === undefined) {
      const near = nearestName(name, FUNCTIONS.keys());
      return cursor.fail(
        `unknown function ${name}()`,
        at,
        near === null ? `known functions: ${[...FUNCTIONS.keys()].join(', ')}` : `did you mean ${near}()?`,
      );
    }
    let position = 0;
    const args = this.#list('(', ')', () => {
      if (position++ !== 1 || !OVER_ELEMENTS.has(name)) return this.parse();
      this.#bodies++;
      try {
        return this.parse();
      } finally {
        this.#bodies--;
      }
    });
    if (args.length < known.least || args.length > known.most)
      cursor.fail(
        `${name}() got ${args.length} argument${args.length === 1 ? '' : 's'}`,
        at,
        known.signature,
      );
    if (name === 'exists' && args[0]?.kind !== 'path')
      cursor.fail('exists() needs a path', at, 'exists(input.name)');
    const pattern = name === 'match' || name === 'search' ? args[1] : undefined;
    if (pattern?.kind === 'literal' && typeof pattern.value === 'string') {
      const problem = patternProblem(pattern.value);
      if (problem !== null) cursor.fail(problem, at);
    }
    return { kind: 'call', name, args, at };
  }
}
