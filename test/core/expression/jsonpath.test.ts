// Paths against RFC 9535: its compliance suite, jsonpath-plus against our own walk, and json-p3 as a second opinion.
import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { JSONPathEnvironment } from 'json-p3';
import { describe, expect, test } from 'vitest';
import { Evaluation } from '../../../src/core/expression/evaluation.ts';
import {
  compileDocumentPath,
  readDocument,
  selectFromDocument,
} from '../../../src/core/expression/path/document-path.ts';
import { selectAll } from '../../../src/core/expression/path/query.ts';
import type { Segment } from '../../../src/core/expression/syntax/ast.ts';
import type { Json } from '../../../src/core/json.ts';
import { cpuMs } from '../../support/cpu-time.ts';
import { depth } from '../../support/depth.ts';
import { patience } from '../../support/patience.ts';
import { errorOf, must } from './evaluate.ts';

const SUITE = new URL('../../../../shared/data/jsonpath/cts.json', import.meta.url);
const hasSuite = existsSync(SUITE);

interface SuiteCase {
  readonly name: string;
  readonly selector: string;
  readonly document?: Json;
  readonly result?: Json;
  readonly results?: readonly Json[];
  readonly invalid_selector?: boolean;
}

describe('JSONPath', () => {
  test.skipIf(!hasSuite)(
    `the RFC 9535 compliance suite is right or refused, never wrong${hasSuite ? '' : ' (skipped: ../shared/data/jsonpath/cts.json is absent)'}`,
    () => {
      const { tests } = JSON.parse(readFileSync(SUITE, 'utf8')) as { tests: SuiteCase[] };
      const count = { right: 0, refused: 0, wrong: 0, byJsonpathPlus: 0 };
      const wrong: string[] = [];
      for (const { name, selector, document = null, result = null, results, invalid_selector } of tests) {
        const compiled = compileDocumentPath(selector, '');
        if (!compiled.ok) {
          count[invalid_selector ? 'right' : 'refused']++;
          continue;
        }
        const selected = JSON.stringify(selectFromDocument(compiled.value, document));
        if (!invalid_selector && (results ?? [result]).some((one) => JSON.stringify(one) === selected))
          count.right++;
        else wrong.push(`${name}: ${selector} gave ${selected}`);
        if (compiled.value.query.steps.some(({ plus }) => plus !== null)) count.byJsonpathPlus++;
      }
      console.log(`RFC 9535 compliance suite: ${JSON.stringify({ ...count, wrong: wrong.length })}`);
      expect(wrong).toEqual([]);
      expect(count).toMatchObject({ right: tests.length, refused: 0 });
      expect(count.byJsonpathPlus).toBeGreaterThan(50);
    },
  );

  // What jsonpath-plus gets wrong by itself; S1 of the faults of the field.
  test.each<[string, Json, Json]>([
    ["$[?@.a=='b']", [{ a: 'b' }, { a: 'c' }], [{ a: 'b' }]],
    ['$.*.*', { a: { '*': 1, b: 2 } }, [1, 2]],
    ['$.a[*]', { a: { '*': 1, b: 2 } }, [1, 2]],
    ['$[*][0:1]', [{ '0:1': 5 }, [6, 7]], [6]],
    ['$..length', { a: [1, 2], b: 'xyz', c: { length: 4 } }, [4]],
    ['$[*][0]', ['abc', { 0: 1 }, [2]], [2]],
    ['$[*][-1]', [[1, 2], { '-1': 3 }], [2]],
    ['$[*]', 0, []],
    ['$..*', false, []],
    ['$[*]', 'abc', []],
    ["$[*]['a,b']", [{ a: 1, b: 2, 'a,b': 3 }], [3]],
    ["$[*]['~']", [{ '~': 1 }], [1]],
    ["$[*]['^']", [{ '^': 1 }], [1]],
    ["$..['@']", { '@': 1 }, [1]],
    ['$[?@.a]', [{ a: null }, { a: 0 }, {}], [{ a: null }, { a: 0 }]],
    ['$[?@.a == 0.5]', [{ a: 0.5 }], [{ a: 0.5 }]],
    ['$[?length(@) == 1]', ['😀', 'ab'], ['😀']],
    ['$[?@ == $[0]]', [{ __proto__: null, a: {} }, { y: 1 }], [{ a: {} }]],
  ])('%s of %j is %j', (path, document, expected) => {
    expect(selectFromDocument(must(compileDocumentPath(path, '')), document)).toEqual(expected);
  });

  test.each([
    '$[?!@.a==1]',
    '$[?@.a==1==2]',
    '$[?foo(@)]',
    '$[(@.length-1)]',
    '$.a[?(@.b]',
    '$..a..b..c',
    '$.a^',
    '$.a~',
    '$@number()',
    'a.b',
    '$[?@.a =~ 1]',
    "$[?match(@, '(a')]",
  ])('%s is refused', (path) => {
    expect(compileDocumentPath(path, '/p')).toMatchObject({
      ok: false,
      problems: [{ pointer: '/p', code: 'expression' }],
    });
  });

  test('a definite path gives one value, any other an array', () => {
    expect(readDocument(must(compileDocumentPath('$.a[0]', '')), { a: [5] })).toBe(5);
    expect(readDocument(must(compileDocumentPath('$.a[9]', '')), { a: [5] })).toBeUndefined();
    expect(readDocument(must(compileDocumentPath('$.a[*]', '')), { a: [5] })).toEqual([5]);
    expect(readDocument(must(compileDocumentPath('$', '')), 0)).toBe(0);
  });

  test('a path of more than 512 characters is refused', () => {
    expect(compileDocumentPath(`$${'.a'.repeat(256)}`, '')).toMatchObject({ ok: false });
    expect(compileDocumentPath(`$${'.a'.repeat(255)}`, '')).toMatchObject({ ok: true });
  });
});

const names = fc.constantFrom('a', 'b', 'length', '*', '0', '1:2', '..', '$', 'a b');
const documents = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<Json>(null, true, 0, 1, 2, '', 'a', 'abc'),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(names, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;
const selectors = fc.oneof(
  names.map((name) => `'${name}'`),
  fc.integer({ min: -3, max: 3 }).map(String),
  fc.constantFrom(
    '*',
    '1:',
    ':-1',
    '::-1',
    '::2',
    '?@.a',
    '?@.a == 1',
    '?@[0] < @[1]',
    "?@ == 'a' || @.b",
    '?count(@.*) > 1',
  ),
);
const paths = fc
  .array(
    fc.oneof(
      selectors.map((selector) => `[${selector}]`),
      fc.tuple(selectors, selectors).map(([one, two]) => `[${one},${two}]`),
      fc.constantFrom('.a', '.b', '.*', '..a', '..*', '..[0]'),
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((segments) => `$${segments.join('')}`)
  .filter((path) => path.split('..').length <= 3 || path.includes("'..'"));

describe('two engines', () => {
  test('jsonpath-plus and our own walk agree wherever jsonpath-plus is used', () => {
    fc.assert(
      fc.property(paths, documents, (path, document) => {
        const compiled = compileDocumentPath(path, '');
        fc.pre(compiled.ok);
        const { query } = compiled.value;
        const walked = query.steps.flatMap(({ segments }) =>
          segments.map((segment: Segment) => ({ plus: null, segments: [segment] })),
        );
        const root = { member: () => undefined, whole: () => document };
        expect(selectAll(document, query.steps, root, new Evaluation({}))).toEqual(
          selectAll(document, walked, root, new Evaluation({})),
        );
      }),
      { numRuns: depth(3000) },
    );
  });

  test('json-p3 selects the same', () => {
    const other = new JSONPathEnvironment();
    fc.assert(
      fc.property(paths, documents, (path, document) => {
        const compiled = compileDocumentPath(path, '');
        fc.pre(compiled.ok);
        expect(selectFromDocument(compiled.value, document)).toEqual(
          other.query(path, document as never).values(),
        );
      }),
      { numRuns: depth(3000) },
    );
  });

  test('a value with more members than jsonpath-plus is given is walked with the same result', () => {
    const many = Array.from({ length: 30_000 }, (_, id) => ({ id }));
    const ids = many.map(({ id }) => id);
    for (const path of ['$[*].id', '$..id', '$[0:].id'])
      expect(selectFromDocument(must(compileDocumentPath(path, '')), many)).toEqual(ids);
  });

  test('a query that would visit too much is an error, not a wait', () => {
    let chain: Json = [1];
    for (let i = 0; i < 250; i++) chain = [chain, ...Array.from({ length: 200 }, () => 1)];
    const took = cpuMs(() => {
      for (const path of ['$..*..*', '$..[*,*]..[*,*]', '$[?count(@..*) > count($..*)]'])
        expect(errorOf(() => selectFromDocument(must(compileDocumentPath(path, '')), chain))).toMatch(
          /^expression: /,
        );
    });
    expect(took).toBeLessThan(patience(3 * 1000));
  });
});
