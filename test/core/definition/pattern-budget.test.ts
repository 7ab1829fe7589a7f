// What patterns cost to build is paid from the budget of their document, at every door by which a pattern comes in: in a schema, in an
// expression, in a filter. However many there are, a document ends as too complex before they are built.
import { describe, expect, test } from 'vitest';
import { validateDefinition } from '../../../src/core/definition/validate.ts';
import { BuildBudget } from '../../../src/core/expression/build-budget.ts';
import { weightOfSchemaPattern } from '../../../src/core/expression/linear-pattern.ts';
import type { Json } from '../../../src/core/json.ts';
import { cpuMs } from '../../support/cpu-time.ts';
import { patience } from '../../support/patience.ts';
import { type Doc, reads, task, typed, workflow } from './documents.ts';

const model = (config: Doc): Doc =>
  typed('a', 'model_inference', { prompt: 'x', ...config }, { modelId: 'simulated/fast' });
const tool = (more: Doc): Doc => ({
  name: 'look',
  task: { taskType: 'transformation', config: { output: 1 } },
  ...more,
});
const output = (value: Json): Doc => workflow([reads('a', value)]);
const quoted = (patterns: readonly string[]) => patterns.map((pattern) => `'${pattern}'`);
const all = (patterns: readonly string[]): Json => ({ allOf: patterns.map((pattern) => ({ pattern })) });

/** Documents that hold these patterns, by where. */
const DOORS: Readonly<Record<string, (patterns: readonly string[]) => Doc>> = {
  inputSchema: (patterns) => workflow([task('a')], { inputSchema: all(patterns) }),
  outputSchema: (patterns) => workflow([task('a')], { outputSchema: all(patterns) }),
  patternProperties: (patterns) =>
    workflow([task('a')], {
      inputSchema: { patternProperties: Object.fromEntries(patterns.map((pattern) => [pattern, true])) },
    }),
  responseSchema: (patterns) =>
    workflow([model({ responseSchema: { type: 'object', properties: { a: all(patterns) } } })]),
  'the inputSchema of a tool': (patterns) =>
    workflow([
      model({ tools: [tool({ inputSchema: { type: 'object', properties: { a: all(patterns) } } })] }),
    ]),
  'a function of an expression': (patterns) =>
    output(quoted(patterns).map((pattern) => `{{ search(input.a, ${pattern}) }}`)),
  'a filter of a path': (patterns) =>
    output(quoted(patterns).map((pattern) => `{{ input.a[?match(@, ${pattern})] }}`)),
  'a condition': (patterns) =>
    workflow([
      task('a', [], {
        conditionExpression: {
          any: patterns.map((value) => ({ path: '$.input.a', operator: 'regex', value })),
        },
      }),
    ]),
  'the condition of an event trigger': (patterns) =>
    workflow([task('a')], {
      triggers: quoted(patterns).map((pattern, i) => ({
        ...{ type: 'event', name: `on${i}`, event: 'order.created' },
        when: `match(payload.a, ${pattern})`,
      })),
    }),
};

/** Patterns of a thousand instructions; nobody else has built these. */
const patternsOf = (door: string, count: number) =>
  Array.from(
    { length: count },
    (_, i) => `^(?:x${Object.keys(DOORS).indexOf(door)}y${i}|[a-z0-9_]{1,90}z?){1,9}$`,
  );

describe.each(Object.entries(DOORS))('%s', (door, documentOf) => {
  test('pays for a pattern what building it costs', () => {
    const [pattern] = patternsOf(door, 1) as [string];
    const spentOn = (one: string) => {
      const budget = new BuildBudget();
      expect(validateDefinition(documentOf([one]), { buildBudget: budget })).toMatchObject({ ok: true });
      return budget.spent;
    };
    const weight = weightOfSchemaPattern(pattern);
    expect(weight).toBeGreaterThan(1_000);
    expect(spentOn(pattern) - spentOn('a')).toBeGreaterThanOrEqual(weight - 100);
  });
});

test.each(['inputSchema', 'a function of an expression'])(
  'of two hundred in %s as many are built as the budget of a document has',
  (door) => {
    const document = DOORS[door]!(patternsOf(door, 200));
    let problems: string[] = [];
    const ms = cpuMs(() => {
      const result = validateDefinition(document);
      problems = result.ok ? [] : result.problems.map(({ message }) => message);
    });
    expect(problems.join()).toMatch(/the (schemas and patterns|patterns and schemas) of this document take/);
    expect(ms).toBeLessThan(patience(3_000));
  },
);

test('templates by the ten thousand in one task are refused; ten in each of a thousand tasks are a small part', () => {
  const templates = (count: number): Json => Array.from({ length: count }, (_, n) => `{{ input.a${n} }}`);
  const refused = validateDefinition(output(templates(60_000)));
  const [first] = refused.ok ? [] : refused.problems;
  expect(first).toMatchObject({
    code: 'expression',
    message: expect.stringMatching(/^the templates, patterns/),
  });
  const nodes = Array.from({ length: 1_000 }, (_, n) => reads(`t${n}`, templates(10)));
  expect(validateDefinition(workflow(nodes))).toMatchObject({ ok: true });
});
