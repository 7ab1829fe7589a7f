// P9 for expressions: the steps that an evaluation is charged grow with the work that it is. Proved for every function of the
// registry and every operator of the grammar over long values of every kind: processor time stays within a multiple of steps.
// A function that touches bytes without charging for them misses the bound by a factor of a hundred and more.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Result } from '../../../src/core/errors.ts';
import { ExpressionError } from '../../../src/core/expression/errors.ts';
import { Evaluation } from '../../../src/core/expression/evaluation.ts';
import { EvaluationBudget } from '../../../src/core/expression/evaluation-budget.ts';
import { FUNCTIONS, OVER_ELEMENTS } from '../../../src/core/expression/functions/registry.ts';
import {
  compileCondition,
  compileExpression,
  compileMapping,
  compileUrl,
  evaluateCondition,
  evaluateMapping,
  type Mapping,
} from '../../../src/core/expression/mapping.ts';
import { compileDocumentPath, readDocument } from '../../../src/core/expression/path/document-path.ts';
import { FUNCTION_CONTEXT, type Scope, STEP_BUDGET } from '../../../src/core/expression/scope.ts';
import type {
  BinaryOperator,
  ComparisonOperator,
  FilterFunction,
} from '../../../src/core/expression/syntax/ast.ts';
import { STRUCTURED_OPERATORS } from '../../../src/core/expression/syntax/structured.ts';
import { createSearch } from '../../../src/core/expression/text-search.ts';
import type { Json } from '../../../src/core/json.ts';
import { cpuMs } from '../../support/cpu-time.ts';
import { casesOf, depth } from '../../support/depth.ts';
import { patience } from '../../support/patience.ts';
import { must } from './evaluate.ts';

/** A step is 20 to 50 ns of work. Ten times that, for a loaded machine and for code that runs for the first time. */
const NS_PER_STEP = 500;
/** What any evaluation may take beyond its steps, in ns: it begins, and may end with an error and its stack. */
const FIXED_NS = 60_000;
/** A measurement ends here: 10 ms of work. */
const ENOUGH_STEPS = 250_000;

class Enough extends ExpressionError {}

/** Counts what is charged. */
class Counted extends Evaluation {
  steps = 0;
  override charge(steps: number): void {
    this.steps += steps;
    super.charge(steps);
    if (this.steps > ENOUGH_STEPS) throw new Enough('expression', 'enough');
  }
}

const LENGTH = 150_000;
const MEMBERS = 20_000;
/** A flat text of its own, so that no comparison ends because both are the same object. */
const own = (text: string): string => Buffer.from(text).toString('latin1');
const numbered = (count: number, make: (i: number) => Json): Json[] =>
  Array.from({ length: count }, (_, i) => make(i));
const objectOf = (count: number, member: Json): Json =>
  Object.fromEntries(numbered(count, (i) => `name${i}`).map((name) => [name as string, member]));

/** What a search for it has compared, from either end, is in vain at every place of a text of "a". */
const needleOf = (before: number, behind: number): string =>
  own(`${'a'.repeat(before)}b${'a'.repeat(behind)}`);

/** Long values, in pairs that differ at their end only, and short ones of every type. */
const VALUES: Readonly<Record<string, () => Json>> = {
  text: () => own('a'.repeat(LENGTH)),
  same: () => own('a'.repeat(LENGTH)),
  longer: () => own(`${'a'.repeat(LENGTH)}b`),
  other: () => own(`${'a'.repeat(LENGTH - 1)}b`),
  needle: () => needleOf(2_000, LENGTH / 2),
  wide: () => 'é€'.repeat(LENGTH / 2),
  spaced: () => own(`${' '.repeat(LENGTH)}7`),
  words: () => own('ab '.repeat(LENGTH / 3)),
  json: () => JSON.stringify(numbered(MEMBERS, (i) => ({ i }))),
  instant: () => '2026-01-02T03:04:05Z',
  format: () => "yyyy-MM-dd'T'HH:mm:ss".repeat(9),
  zone: () => 'Europe/Paris',
  pattern: () => '(a|b)+c{3}',
  short: () => 'a',
  empty: () => '',
  number: () => 3,
  minus: () => -1,
  nothing: () => null,
  yes: () => true,
  numbers: () => numbered(MEMBERS, (i) => (i * 7919) % MEMBERS),
  texts: () => numbered(40, () => own('a'.repeat(LENGTH / 40))),
  copies: () => numbered(1_000, () => own('a'.repeat(LENGTH / 1_000))),
  lists: () => numbered(MEMBERS / 4, (i) => [i]),
  objects: () => numbered(MEMBERS / 4, (i) => ({ id: i, name: 'x' })),
  object: () => objectOf(MEMBERS, 1),
  twin: () => objectOf(MEMBERS, 1),
  large: () => objectOf(20, own('a'.repeat(LENGTH / 20))),
  few: () => ({ id: 1 }),
};
const KINDS = Object.keys(VALUES);
const kinds = fc.constantFrom(...KINDS);
const made = new Map<string, Json>();

function valueFor(kind: string): Json {
  let value = made.get(kind);
  if (value === undefined) {
    value = VALUES[kind]!();
    // Flat, and hashed where it is a key: what is done once for a value is not what is measured.
    if (typeof value === 'string') Object.hasOwn({}, value);
    made.set(kind, value);
  }
  return value;
}

function scopeOf(args: readonly string[]): Scope {
  const values = args.map(valueFor);
  return {
    input: Object.fromEntries(values.map((value, i) => [`v${i}`, value])),
    [FUNCTION_CONTEXT]: { now: '2026-01-02T03:04:05.678Z', uuid: (ordinal) => `uuid-${ordinal}` },
  };
}

interface Cost {
  readonly steps: number;
  readonly ns: number;
  /** It came to a value, or to the end of the measurement. */
  readonly isDone: boolean;
}

/** The least of three measurements, so that a pause of the machine is not taken for work. */
function costOf(compiled: Result<Mapping>, scope: Scope): Cost | null {
  if (!compiled.ok) return null;
  const { run } = compiled.value;
  let best: Cost | null = null;
  for (let round = 0; round < 3; round++) {
    const evaluation = new Counted(scope);
    let isDone = true;
    const ms = cpuMs(() => {
      try {
        run(evaluation);
      } catch (error) {
        if (!(error instanceof ExpressionError) && !(error instanceof RangeError)) throw error;
        isDone = error instanceof Enough;
      }
    });
    const cost = { steps: evaluation.steps, ns: ms * 1e6, isDone };
    if (best === null || cost.ns < best.ns) best = cost;
    if (best.ns <= FIXED_NS) break;
  }
  return best;
}

function expectBounded(what: string, cost: Cost | null): void {
  if (cost === null) return;
  const { ns, steps } = cost;
  expect([what, Math.round(steps), Math.round(ns), ns <= FIXED_NS + steps * NS_PER_STEP]).toEqual([
    what,
    Math.round(steps),
    Math.round(ns),
    true,
  ]);
}

const places = (count: number): string => Array.from({ length: count }, (_, i) => `input.v${i}`).join(', ');

describe('the steps of a function grow with the bytes that it touches', () => {
  test.each(casesOf([...FUNCTIONS]))('%s', (name, { least, most }) => {
    let done = 0;
    const check = (args: readonly string[]): void => {
      const cost = costOf(compileExpression(`${name}(${places(args.length)})`, ''), scopeOf(args));
      expectBounded(`${name}(${args.join(', ')})`, cost);
      if (cost?.isDone) done++;
      // The texts among its arguments are charged whatever it does with them. `exists` reads none, and what is evaluated for each
      // element may not be evaluated at all.
      if (name === 'exists' || cost === null) return;
      const chars = (OVER_ELEMENTS.has(name) ? args.slice(0, 1) : args).reduce((sum, kind) => {
        const value = valueFor(kind);
        return sum + (typeof value === 'string' && value.length > 64 ? value.length : 0);
      }, 0);
      expect(cost.steps).toBeGreaterThanOrEqual(Math.min(chars / 16, ENOUGH_STEPS));
    };
    // All of one and of two; any of three.
    if (least === 0) check([]);
    if (least <= 1 && most >= 1) for (const kind of KINDS) check([kind]);
    if (least <= 2 && most >= 2) for (const a of KINDS) for (const b of KINDS) check([a, b]);
    if (most >= 3)
      fc.assert(
        fc.property(kinds, kinds, kinds, (...three) => check(three)),
        { numRuns: depth(1_000) },
      );
    expect(done).toBeGreaterThan(0);
  });
});

describe('so do those of what is evaluated for each element', () => {
  test.each([
    ['many operators', `map(input.v0, ${Array.from({ length: 300 }, () => 'index').join(' + ')})`],
    ['a long path', `filter(input.v0, exists(item${'.a'.repeat(200)}))`],
    ['many short literals', `map(input.v0, [${Array.from({ length: 300 }, (_, i) => i).join(', ')}])`],
    ['a large value again and again', 'map(input.v0, input.v1)'],
    ['a query', 'map(input.v0, count(input.v1[?@.id > 1]))'],
    ['one within the other', 'map(input.v0, map(input.v0, filter(input.v0, item == index)))'],
    ['a search in a list', 'filter(input.v0, item in input.v0)'],
  ])('%s', (what, expression) => {
    const cost = costOf(compileExpression(expression, ''), scopeOf(['numbers', 'objects']));
    expect(cost?.isDone).toBe(true);
    expectBounded(what, cost);
  });

  test('what shares one large value is measured before it is made into text', () => {
    const scope = { input: { list: numbered(100_000, () => 1), text: 'a'.repeat(1_000_000) } };
    const mapping = must(compileMapping('{{ map(input.list, input.text) }}', ''));
    expect(() => evaluateMapping(mapping, scope)).toThrow(/longer than|too many steps/);
  });
});

const BINARY: Readonly<Record<BinaryOperator, true>> = {
  '??': true,
  '||': true,
  '&&': true,
  '==': true,
  '!=': true,
  '<': true,
  '<=': true,
  '>': true,
  '>=': true,
  in: true,
  '+': true,
  '-': true,
  '*': true,
  '/': true,
  '%': true,
};
const COMPARISONS: Readonly<Record<ComparisonOperator, true>> = {
  '==': true,
  '!=': true,
  '<': true,
  '<=': true,
  '>': true,
  '>=': true,
};
const FILTERS: Readonly<Record<FilterFunction, string>> = {
  length: 'input.v0[?length(@) > 3]',
  count: 'input.v0[?count(@.*) > 3]',
  match: 'input.v0[?match(@, $.input.v1)]',
  search: 'input.v0[?search(@, $.input.v1)]',
  value: 'input.v0[?value(@.*) == $.input.v1]',
};
/** Everything else that an expression is made of. */
const FORMS: readonly string[] = [
  ...Object.keys(BINARY).map((operator) => `input.v0 ${operator} input.v1`),
  ...Object.keys(COMPARISONS).map((operator) => `input.v0[?@ ${operator} $.input.v1]`),
  ...Object.values(FILTERS),
  '!input.v0',
  '-input.v0',
  'input.v0 ? input.v1 : 1',
  '[input.v0, input.v1]',
  '{ a: input.v0, b: input.v1 }',
  'input.v0[(input.v1)]',
  'input.v0[*]',
  'input.v0[*].id',
  'input.v0[::2]',
  'input.v0..id',
  'input.v0..*',
  '$..id',
  'input.v0[?@.id]',
  'input.v0[?!@.id]',
  'input.v0[?@.id && @.name]',
];

describe('the steps of an operator grow with the bytes that it touches', () => {
  test.each(casesOf(FORMS))('%s', (form) => {
    fc.assert(
      fc.property(kinds, kinds, (a, b) => {
        expectBounded(`${form} of ${a}, ${b}`, costOf(compileExpression(form, ''), scopeOf([a, b])));
      }),
      { numRuns: depth(150) },
    );
  });

  test.each(['==', '!=', '<', '<=', '>', '>=', 'in', '+'])('%s of two long texts', (operator) => {
    for (const form of [`input.v0 ${operator} input.v1`, `input.v0[?@ ${operator} $.input.v1]`]) {
      if (form.includes('[?') && !(operator in COMPARISONS)) continue;
      const scope = scopeOf(['text', 'same']);
      const list = { ...scope, input: { v0: [own('a'.repeat(LENGTH))], v1: own('a'.repeat(LENGTH)) } };
      const cost = costOf(compileExpression(form, ''), form.includes('[?') ? list : scope);
      expect([form, cost!.steps >= LENGTH / 16]).toEqual([form, true]);
    }
  });

  test.each(STRUCTURED_OPERATORS)('%s, structured', (operator) => {
    fc.assert(
      fc.property(kinds, kinds, (a, b) => {
        const takesValue = operator !== 'exists' && operator !== 'not_exists';
        const condition = { path: 'input.v0', operator, ...(takesValue && { value: '{{ input.v1 }}' }) };
        expectBounded(`${operator} of ${a}, ${b}`, costOf(compileCondition(condition, ''), scopeOf([a, b])));
      }),
      { numRuns: depth(150) },
    );
  });

  test.each([
    ['a template', (text: string) => compileMapping(text, ''), 'x{{ input.v0 }}y{{ input.v1 }}'],
    ['a URL', (text: string) => compileUrl(text, ''), 'https://x.test/{{ input.v0 }}?a={{ input.v1 }}'],
    [
      'an object',
      (text: string) => compileMapping({ [text]: [text, text] }, ''),
      '{{ input.v0 }}{{ input.v1 }}',
    ],
  ])('%s', (_, compile, text) => {
    fc.assert(
      fc.property(kinds, kinds, (a, b) => {
        expectBounded(`${text} of ${a}, ${b}`, costOf(compile(text), scopeOf([a, b])));
      }),
      { numRuns: depth(150) },
    );
  });
});

describe('20,000 comparisons of long texts end within the limits', () => {
  const head = own('x'.repeat(100_000));
  const input = {
    list: numbered(20_000, (i) => i),
    a: head,
    b: own('x'.repeat(100_000)),
    long: own(`${'x'.repeat(100_000)}y`),
  };
  test.each([
    'input.list[?$.input.a == $.input.b]',
    'input.list[?$.input.a != $.input.b]',
    'input.list[?$.input.a <= $.input.b]',
  ])('%s', (text) => {
    const ms = cpuMs(() =>
      expect(() => evaluateMapping(must(compileExpression(text, '')), { input })).toThrow('too many steps'),
    );
    expect(ms).toBeLessThan(patience(1_500));
  });

  test.each([
    'startsWith(input.long, input.a)',
    'endsWith(input.a, input.b)',
    'input.a == input.b',
    'input.a in input.long',
    "'zz' in input.a",
  ])('%s in each member of a mapping', (text) => {
    const mapping = must(compileMapping(Array(20_000).fill(`{{ ${text} }}`), ''));
    const ms = cpuMs(() => expect(() => evaluateMapping(mapping, { input })).toThrow('too many steps'));
    expect(ms).toBeLessThan(patience(1_500));
  });

  test('a mapping that compares short texts 20,000 times does not notice', () => {
    const mapping = must(compileMapping(Array(20_000).fill("{{ startsWith(input.b, 'order') }}"), ''));
    expect(evaluateMapping(mapping, { input: { b: 'order-1' } })).toHaveLength(20_000);
  });
});

describe('evaluations over one scope share its budget', () => {
  const shared = (): Scope => ({
    input: { list: numbered(100_000, (i) => i) },
    [STEP_BUDGET]: new EvaluationBudget(),
  });
  const costly = must(compileCondition('count(input.list[?@ < 0]) > 0', ''));

  test('conditions one after the other come to an end', () => {
    const scope = shared();
    expect(evaluateCondition(costly, scope)).toBe(false);
    expect(() => {
      for (let i = 0; i < 100; i++) evaluateCondition(costly, scope);
    }).toThrow('too many steps');
    const own = { input: scope.input };
    for (let i = 0; i < 10; i++) expect(evaluateCondition(costly, own)).toBe(false);
  });

  test('so do a copy of the scope, and paths over documents', () => {
    const scope = shared();
    const path = must(compileDocumentPath('$[?@ < 0]', ''));
    const { list } = scope.input as { list: Json };
    expect(() => {
      for (let i = 0; i < 100; i++) {
        evaluateCondition(costly, { ...scope, item: i });
        readDocument(path, list, scope[STEP_BUDGET]);
      }
    }).toThrow('too many steps');
  });
});

describe('createSearch', () => {
  test('finds what indexOf finds', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 });
    fc.assert(
      fc.property(letters, letters, fc.nat(3), (a, b, times) => {
        const find = (a + b).repeat(times * 40);
        const text = b + find.slice(1) + a + find + b;
        const search = createSearch(find);
        for (const from of [0, 1, text.length]) expect(search(text, from)).toBe(text.indexOf(find, from));
      }),
      { numRuns: depth(500) },
    );
  });

  test('takes linear time where V8 does not', () => {
    const text = 'a'.repeat(200_000);
    const search = createSearch(needleOf(2_000, 100_000));
    expect(cpuMs(() => expect(search(text, 0)).toBe(-1))).toBeLessThan(patience(200));
  });
});
