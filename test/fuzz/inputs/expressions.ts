// Expressions by the grammar, with all functions that there are, over large inputs: as templates, conditions, mappings and filters.
import * as fc from 'fast-check';
import { FUNCTIONS } from '../../../src/core/expression/functions/registry.ts';
import { type Input, post, run, save } from './input.ts';
import { pattern } from './schemas.ts';
import { type Arb, json, list, sizeUpTo, text } from './texts.ts';

const INPUT_BYTES = 950_000;

const quoted = (one: string) => JSON.stringify(one.slice(0, 200)).replaceAll('{{', '{ {');
const FILTERS = [
  '?@',
  '?@.a',
  '?@.a==1',
  '?@>"a"',
  '?length(@)>1',
  '?count(@..*)>2',
  '?search(@,"a+b")',
  '?@==@',
  '?@.*==$.input',
  '*',
  '0',
  '-1',
  '::-1',
  '1:9:2',
  '"a","b"',
];
const path: Arb<string> = fc
  .tuple(
    fc.constantFrom(
      '$.input',
      '$.input',
      'input',
      '$.input.t',
      '$.input.l',
      '$.input.o',
      '$.tasks.a.output',
      '$.execution',
      '$.nobody',
    ),
    fc.array(
      fc.oneof(
        fc.constantFrom('.a', '.*', '..a', '..*', '[0]'),
        fc.constantFrom(...FILTERS).map((f) => `[${f}]`),
      ),
      { maxLength: 3 },
    ),
  )
  .map(([root, rest]) => (root.startsWith('$') ? root + rest.join('') : root));
const OPERATORS = ['+', '-', '*', '/', '%', '==', '!=', '<', '>=', 'in', '&&', '||', '??'];

const { expression } = fc.letrec<{ expression: string }>((tie) => {
  const inner = tie('expression');
  const call = fc
    .constantFrom(...FUNCTIONS)
    .chain(([name, { least, most }]) =>
      fc
        .array(inner, { minLength: least, maxLength: Math.min(most, Math.max(3, least)) })
        .map((args) => `${name}(${name === 'exists' ? 'input.t' : args.join(', ')})`),
    );
  return {
    expression: fc.oneof(
      { maxDepth: 5, withCrossShrink: false },
      fc.oneof(
        path,
        fc.constantFrom(
          '0',
          '1',
          '-1',
          '100000',
          'null',
          'true',
          '""',
          '1e308',
          'input.t',
          'input.l',
          'input.o',
        ),
        text(200).map(quoted),
      ),
      call,
      call,
      fc.tuple(inner, fc.constantFrom(...OPERATORS), inner).map(([a, op, b]) => `(${a}) ${op} (${b})`),
      fc
        .tuple(fc.constantFrom('match', 'search'), inner, pattern)
        .map(([f, a, p]) => `${f}(${a}, ${quoted(p)})`),
      fc.tuple(inner, inner, inner).map(([a, b, c]) => `(${a}) ? (${b}) : (${c})`),
      fc.array(inner, { maxLength: 4 }).map((all) => `[${all.join(', ')}]`),
      inner.map((one) => `{a: ${one}}.a`),
      inner.map((one) => `-(${one})`),
    ),
  };
});

/** One operation, as often as it fits into an expression. */
const repeated: Arb<string> = fc
  .tuple(
    fc.constantFrom(
      'startsWith(input.t, input.t)',
      'input.t == input.u',
      'contains(input.t, "ab!")',
      'upper(input.t)',
      'input.l == input.l',
      'unique(input.l)',
      'sort(input.l)',
      'json(input.o)',
      'sha256(input.t)',
      'split(input.t, "")',
      'merge(input.o, input.o)',
      'replace(input.t, "a", "bb")',
      'parseJson(input.t)',
      '$.input..*',
      'input.t in input.l',
      'search(input.t, "(a|b)*c")',
      'input.t < input.u',
      'base64(input.t)',
      'slice(input.t, 1)',
      'endsWith(input.t, input.u)',
      'length(input.t)',
      'range(100000)',
      'formatDate(now(), "yyyy", "Europe/Paris")',
    ),
    sizeUpTo(60),
    fc.constantFrom(', ', ' '),
  )
  .map(([one, count, by]) =>
    by === ', ' ? `[${Array.from({ length: count }, () => one).join(by)}]` : `count([${one}])`,
  );

const source = fc.oneof({ weight: 3, arbitrary: expression }, { weight: 2, arbitrary: repeated });

const input: Arb<string> = fc
  .tuple(
    sizeUpTo(INPUT_BYTES),
    fc.constantFrom('a', 'ab', ' ', 'é', '\\"'),
    json(INPUT_BYTES),
    json(2_000),
    fc.nat({ max: 2 }),
  )
  .map(([size, unit, large, small, which]) => {
    const t = `"${unit.repeat(Math.ceil((size * (which === 0 ? 0.45 : 0.01)) / unit.length))}"`;
    const l = which === 1 ? list('"ab"', size) : '[3,1,2]';
    return `{"t":${t},"u":${t},"l":${l},"o":${which === 2 ? large : small}}`;
  });

const PLACES = [
  'output',
  'template',
  'list',
  'condition',
  'conditionExpression',
  'inputMapping',
  'outputMapping',
  'items',
  'whole',
  'aggregate',
] as const;

function nodesOf(place: (typeof PLACES)[number], one: string): object[] {
  const template = `{{ ${one} }}`;
  const made = (more: object) => [
    { taskId: 'a', taskType: 'transformation', config: { output: 1 }, ...more },
  ];
  switch (place) {
    case 'output':
    case 'whole':
      return made({ config: { output: template } });
    case 'template':
      return made({ config: { output: `x ${template} y ${template}` } });
    case 'list':
      return made({ config: { output: Array.from({ length: 200 }, () => template) } });
    case 'condition':
      return [
        { taskId: 'a', taskType: 'condition', config: { cases: [{ when: one, branch: 'x' }], default: 'y' } },
      ];
    case 'conditionExpression':
      return made({ conditionExpression: one });
    case 'inputMapping':
      return made({ inputMapping: { a: template, b: template } });
    case 'outputMapping':
      return made({ outputMapping: template });
    case 'items':
      return [
        {
          taskId: 'a',
          taskType: 'parallel',
          config: { items: template, task: { taskType: 'transformation', config: { output: '{{ item }}' } } },
        },
      ];
    case 'aggregate':
      return [
        {
          taskId: 'a',
          taskType: 'aggregation',
          config: { strategy: 'collect', source: template, path: '$..*' },
        },
      ];
  }
}

export function expressionInputs(n: number): Arb<Input> {
  const id = `fuzz-expression-${n % 20}`;
  return fc
    .tuple(source, input, fc.constantFrom(...PLACES), fc.nat({ max: 5 }))
    .map(([one, given, place, dice]) => {
      const definition = JSON.stringify({
        workflowId: id,
        nodes: nodesOf(place, one),
        ...(place === 'whole' && { output: `{{ ${one} }}` }),
      });
      return {
        kind: 'expression' as const,
        steps:
          dice === 0 ? [post('/v1/workflows/validate', definition)] : [save(id, definition), run(id, given)],
      };
    });
}
