// Reports of problems stay short, whatever the author's names, paths and texts: many problems below one long name, and long ones
// each. What is left out is counted.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  joinPointer,
  resolvePointer,
  shortPointer,
  toldPointer,
} from '../../../src/core/definition/pointer.ts';
import { parseDocument } from '../../../src/core/definition/reading/parse.ts';
import { Reporter } from '../../../src/core/definition/reporter.ts';
import { compileSchema } from '../../../src/core/definition/schema/input-schema.ts';
import { validateDefinition } from '../../../src/core/definition/validate.ts';
import type { Problem } from '../../../src/core/errors.ts';
import type { Json } from '../../../src/core/json.ts';
import { ANSWERED, boundProblems, bytesOfProblem } from '../../../src/core/problem-report.ts';
import { cpuMs } from '../../support/cpu-time.ts';
import { patience } from '../../support/patience.ts';

const many = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));
const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value));
/** A report, and one problem over. */
const MOST = ANSWERED.maxBytes + 5_000;
const node = (more: object = {}) => ({
  taskId: 'a',
  taskType: 'transformation',
  config: { output: 1 },
  ...more,
});
const refusalOf = (document: unknown): readonly Problem[] => {
  const validation = validateDefinition(document);
  expect(validation.ok).toBe(false);
  return validation.ok ? [] : validation.problems;
};

describe('names of a definition', () => {
  test('of more than 1,000 characters are refused, and the report does not repeat them', () => {
    const problems = refusalOf({
      workflowId: 'w',
      nodes: [node({ config: { output: { ['n'.repeat(300_000)]: many(1_000, () => '{{ nobody.x }}') } } })],
    });
    expect(problems).toMatchObject([
      {
        pointer: '/nodes/0/config/output',
        code: 'too_large',
        message: expect.stringContaining('has 300000 characters'),
      },
    ]);
    expect(bytesOf(problems)).toBeLessThan(500);
    const named = (characters: number) =>
      validateDefinition({
        workflowId: 'w',
        nodes: [node({ config: { output: { ['n'.repeat(characters)]: 1 } } })],
      }).ok;
    expect([named(1_000), named(1_001)]).toEqual([true, false]);
  });

  test('on the way to one value have 4,000 characters together, beside one another any number', () => {
    const nested = (depth: number): Json => (depth === 0 ? 1 : { ['n'.repeat(900)]: nested(depth - 1) });
    const beside = Object.fromEntries(many(100, (i) => [`${i}`.padStart(900, 'n'), 1]));
    const of = (output: Json) =>
      validateDefinition({ workflowId: 'w', nodes: [node({ config: { output } })] });
    expect(of(nested(4)).ok).toBe(true);
    expect(of(nested(5))).toMatchObject({
      ok: false,
      problems: [{ code: 'too_large', message: expect.stringContaining('more than 4000 characters') }],
    });
    expect(of(beside).ok).toBe(true);
  });
});

describe('a report', () => {
  test('of problems below long names is as large as any other', () => {
    const name = '~'.repeat(1_000);
    const problems = refusalOf({
      workflowId: 'w',
      nodes: [node({ config: { output: { [name]: { [name]: many(3_000, (i) => `{{ nobody${i}.x }}`) } } } })],
    });
    expect(bytesOf(problems)).toBeLessThan(MOST);
    expect(problems.at(-1)).toMatchObject({ code: 'too_many_problems' });
  });

  test('ends by its bytes, where pointers and messages are as long as they may be', () => {
    const problems = refusalOf({
      workflowId: 'w',
      nodes: [node({ config: { output: { ['n'.repeat(450)]: many(3_000, (i) => `{{ nobody${i}.x }}`) } } })],
    });
    expect(bytesOf(problems)).toBeLessThan(MOST);
    expect(problems.length).toBeLessThan(1_000);
    expect(problems.at(-1)).toMatchObject({ code: 'too_many_problems' });
  });

  test('keeps and compares short texts only, however long they were found', () => {
    const reporter = new Reporter({ a: 1 }, { authorPointer: (pointer: string) => pointer } as never);
    for (const end of ['x', 'y']) reporter.error('/a', 'expression', 'm'.repeat(100_000) + end);
    reporter.authored([{ pointer: `/a/${'n'.repeat(100_000)}`, code: 'expression', message: 'm' }], []);
    const { errors } = reporter.result();
    expect(errors.map(({ pointer, message }) => [pointer, message.length])).toEqual([
      ['/a', 1_001],
      ['/a', 1],
    ]);
  });

  test('says how many more there are', () => {
    const problems = refusalOf({
      workflowId: 'w',
      nodes: many(1_500, (i) => node({ taskId: `t${i}`, [`wrong${i}`]: 1 })),
    });
    expect(problems).toHaveLength(1_001);
    expect(problems.at(-1)).toMatchObject({ message: 'more problems were not looked for' });
    const entries = refusalOf({ workflowId: 'w', nodes: [node({ dependsOn: many(5_000, () => 1) })] });
    expect(entries).toHaveLength(1_001);
    expect(entries.at(-1)).toMatchObject({
      message: expect.stringMatching(/^[1-9]\d{3} more problems and warnings are not shown$/),
    });
  });

  test('of a hundred duplicate names at the end of 10 MB reads the text once', () => {
    const filler = `"filler": "${'\\n'.repeat(2)}${'x'.repeat(4_000_000)}",\n`;
    const text = (duplicates: number) =>
      `{${filler}${many(duplicates, (i) => `"n${i}": 1,\n"n${i}": 2`).join(',\n')}}`;
    const [few, more] = [text(2), text(100)];
    const once = cpuMs(() => parseDocument(few, 'json'));
    expect(cpuMs(() => parseDocument(more, 'json'))).toBeLessThan(5 * once + 100);
    expect(parseDocument(more, 'json')).toMatchObject({
      ok: false,
      problems: expect.arrayContaining([
        expect.objectContaining({ message: 'line 201, column 1: the name "n99" is given twice' }),
      ]),
    });
  });

  test('of an input has a hundred problems, their number, and no long pointers', () => {
    const compiled = compileSchema({ additionalProperties: { items: { type: 'number' } } });
    if (!compiled.ok) throw new Error('it compiles');
    const problems = compiled.value.validate({ ['n'.repeat(900)]: many(1_000, () => 'x') });
    expect(problems).toHaveLength(101);
    expect(problems.at(-1)).toMatchObject({
      code: 'too_many_problems',
      message: '900 more problems are not shown',
    });
    expect(bytesOf(problems)).toBeLessThan(20_000);
  });

  test('finds hints among many near names within its budget', () => {
    const names = many(1_000, (i) => `${'a'.repeat(90)}${i}`);
    const compiled = compileSchema({
      properties: Object.fromEntries(names.map((name) => [name, {}])),
      additionalProperties: false,
    });
    if (!compiled.ok) throw new Error('it compiles');
    const wrong = Object.fromEntries(
      names.slice(0, 100).map((name) => [`${name.slice(0, 89)}zzz`.padEnd(95, 'b') + name, 1]),
    );
    expect(cpuMs(() => compiled.value.validate(wrong))).toBeLessThan(patience(1_500));
  });
});

const problemArbitrary = fc.record({
  pointer: fc.oneof(
    fc.array(fc.string({ maxLength: 400 })).map((path) => joinPointer('', ...path)),
    fc.constant(`/${'n'.repeat(2_000)}`),
  ),
  code: fc.constant('type' as const),
  message: fc.string({ unit: 'binary', maxLength: 3_000 }),
});

test('a bounded report is a beginning of the problems, shortened, and says how many are missing', () => {
  fc.assert(
    fc.property(
      fc.array(problemArbitrary, { maxLength: 30 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 200, max: 20_000 }),
      (problems, maxProblems, maxBytes) => {
        const told = boundProblems(problems, { maxProblems, maxBytes });
        const last = told.at(-1);
        const more = last?.code === 'too_many_problems' ? Number.parseInt(last.message, 10) : 0;
        const own = more === 0 ? told : told.slice(0, -1);
        expect(own.length + more).toBe(problems.length);
        expect(own.length).toBeLessThanOrEqual(maxProblems);
        if (own.length > 1)
          expect(own.reduce((sum, one) => sum + bytesOfProblem(one), 0)).toBeLessThanOrEqual(maxBytes);
        for (const [i, { pointer, message }] of own.entries()) {
          expect(problems[i]!.pointer.startsWith(pointer)).toBe(true);
          expect(pointer.length).toBeLessThanOrEqual(500);
          expect(message.length).toBeLessThanOrEqual(1_001);
        }
      },
    ),
  );
});

test('a pointer that is cut still leads to what holds the place', () => {
  const names = fc.array(fc.string({ minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(names, (path) => {
      const document = path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), 1);
      const pointer = joinPointer('', ...path);
      const short = shortPointer(pointer);
      expect(short.length).toBeLessThanOrEqual(500);
      expect(resolvePointer(document, short).found).toBe(true);
      expect(toldPointer(path)).toBe(short);
    }),
  );
});

test('parts within parts keep their author’s places at the cost of their number, whatever their depth', () => {
  const parallel = (branches: Record<string, object>) => ({ type: 'parallel', config: { branches } });
  const leaves = (count: number) =>
    Object.fromEntries(many(count, (i) => [`b${i}`, { type: 'transform', config: { output: 1 } }]));
  const nest = (depth: number, count: number): object =>
    depth === 0 ? parallel(leaves(count)) : parallel({ [`branch${'x'.repeat(20)}`]: nest(depth - 1, count) });
  const document = (depth: number) => ({ workflowId: 'w', nodes: [{ id: 'a', ...nest(depth, 5_000) }] });
  const [flat, deep] = [document(1), document(70)];
  const once = cpuMs(() => validateDefinition(flat));
  expect(cpuMs(() => validateDefinition(deep))).toBeLessThan(6 * once + 200);
});
