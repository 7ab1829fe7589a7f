import { afterAll, describe, expect, test } from 'vitest';
import { validateDefinition } from '../../../src/core/definition/validate.ts';
import { cpuMs } from '../../support/cpu-time.ts';
import { patience } from '../../support/patience.ts';
import { problemsOf, task, typed, workflow } from './documents.ts';

function deep(levels: number): Record<string, unknown> {
  let value: Record<string, unknown> = {};
  for (let i = 0; i < levels; i++) value = { x: value };
  return value;
}
function cyclic(): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  value.self = [value, value];
  return value;
}
const many = (length: number, make: (i: number) => unknown): unknown[] =>
  Array.from({ length }, (_, i) => make(i));
const throwing = Object.defineProperty({}, 'nodes', {
  enumerable: true,
  get: () => {
    throw new Error('no');
  },
});

// The first validation compiles the schemas.
validateDefinition(workflow([task('a')]));

describe('hostile documents give problems, at once', () => {
  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['a function', () => 1],
    ['a bigint', 1n],
    ['NaN', Number.NaN],
    ['a date', new Date()],
    ['a map', new Map()],
    ['a getter that throws', throwing],
    [
      'a proxy that throws',
      new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error('no');
          },
        },
      ),
    ],
    ['own __proto__', JSON.parse('{"workflowId":"w","nodes":[],"__proto__":{"polluted":1}}')],
    [
      '__proto__ in config',
      workflow([typed('a', 'transformation', JSON.parse('{"output":{"__proto__":{"polluted":1}}}'))]),
    ],
    [
      'constructor as a name',
      workflow([typed('a', 'transformation', { output: { constructor: { prototype: { polluted: 1 } } } })]),
    ],
    ['__proto__ as taskId', workflow([task('__proto__')])],
    ['__proto__ as parent', workflow([task('a', ['__proto__', 'constructor', 'toString'])])],
    [
      'names of the prototype as types',
      workflow([typed('a', 'constructor', {}), typed('b', 'toString', {})]),
    ],
    [
      'names of the prototype as branches',
      workflow([
        typed('g', 'condition', { expression: true }),
        task('b', [{ taskId: 'g', branch: 'constructor' }]),
      ]),
    ],
    ['20,000 levels', workflow([typed('a', 'transformation', deep(20_000))])],
    ['a value that contains itself', workflow([typed('a', 'transformation', { output: cyclic() })])],
    ['a sparse list', workflow(Array(3))],
    ['a list of a billion holes', workflow(Array(1_000_000_000))],
    ['Infinity', workflow([task('a', [], { timeoutSeconds: Number.POSITIVE_INFINITY })])],
    ['an integer beyond 2^53', workflow([typed('a', 'wait', { seconds: 2 ** 53 + 2 })])],
    ['NUL', workflow([typed('a', 'transformation', { output: '\u0000' })])],
    ['a lone surrogate as name', workflow([typed('a', 'transformation', { output: { '\ud800': 1 } })])],
    ['a huge workflowId', { ...workflow([task('a')]), workflowId: 'a'.repeat(5_000_000) }],
    ['a huge unknown field', workflow([task('a')], { ['a'.repeat(5_000_000)]: 1 })],
    ['a huge type', workflow([typed('a', 'b'.repeat(5_000_000), {})])],
    [
      '100,000 unknown fields',
      workflow([task('a')], Object.fromEntries(many(100_000, (i) => [`k${i}`, 1]) as [string, number][])),
    ],
    ['20,000 broken nodes', workflow(many(20_000, () => null))],
    ['too many nodes', workflow(many(20_001, (i) => task(`t${i}`)))],
    [
      'a million templates in one text',
      workflow([typed('a', 'transformation', { output: '{{ input.x }}'.repeat(500_000) })]),
    ],
    ['a text of braces', workflow([typed('a', 'transformation', { output: '{'.repeat(5_000_000) })])],
    ['an expression of brackets', workflow([typed('a', 'condition', { value: '('.repeat(1_000_000) })])],
  ])('%s', (_title, document) => {
    let result!: ReturnType<typeof validateDefinition>;
    const elapsed = cpuMs(() => {
      result = validateDefinition(document);
    });
    expect(result.ok).toBe(false);
    const problems = result.ok ? [] : result.problems;
    expect(JSON.stringify(problems).isWellFormed()).toBe(true);
    expect(problems.length).toBeLessThan(1100);
    expect(problems.every(({ message }) => message.length < 3000)).toBe(true);
    expect(elapsed).toBeLessThan(patience(600));
  });

  test('limits are settings', () => {
    const nodes = [task('a'), task('b', ['a'])];
    expect(problemsOf(workflow(nodes), { limits: { maxNodes: 1 } })).toEqual(['/nodes too_large']);
    expect(problemsOf(workflow(nodes), { limits: { maxEdges: 0 } })).toEqual(['/nodes too_large']);
    expect(problemsOf(workflow(nodes), { limits: { maxBytes: 20 } })).toEqual([' too_large']);
  });

  test('the author’s document is not changed', () => {
    const document = {
      nodes: [{ id: 'a', type: 'transform', position: {}, config: { output: 1 } }],
      edges: [],
    };
    const before = structuredClone(document);
    validateDefinition(document);
    expect(document).toEqual(before);
  });

  afterAll(() => {
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as Record<string, unknown>).polluted).toBe(undefined);
  });
});

describe('large definitions are quick', () => {
  const layered = many(10_000, (i) => {
    const above = (k: number) => `t${(Math.floor(i / 100) - 1) * 100 + ((i * 7 + k) % 100)}`;
    const parents = i < 100 ? [] : [above(0), above(13), above(26)];
    return task(`t${i}`, parents, {
      config: { output: i < 100 ? i : `{{ $.tasks.${parents[0]}.output }} ${i}` },
    });
  });
  const chain = many(10_000, (i) =>
    task(`t${i}`, i === 0 ? [] : [`t${i - 1}`], {
      config: { output: i < 2 ? 1 : `{{ $.tasks.t${i - 2}.output }}` },
    }),
  );
  test.each<[string, unknown[]]>([
    [
      '10,000 tasks in layers, with a join of 6,000',
      [
        ...layered,
        task(
          'join',
          many(6000, (i) => `t${i}`),
        ),
      ],
    ],
    ['a chain of 10,000 that reads its grandparents', chain],
    ['the same chain written backwards', chain.toReversed()],
    [
      '10,000 tasks and their handlers of failure',
      many(10_000, (i) =>
        i % 2 === 0
          ? task(`t${i}`, i === 0 ? [] : [`t${i - 2}`])
          : task(`t${i}`, [{ taskId: `t${i - 1}`, on: 'failure' }]),
      ),
    ],
  ])('%s', (_title, nodes) => {
    expect(cpuMs(() => expect(problemsOf(workflow(nodes))).toEqual([]))).toBeLessThan(patience(3000));
  });
});
