// The body that a delivery is tried with: one that the inputSchema takes.
import { expect, test } from 'vitest';
import { sampleInput } from '../../src/cli/output/sample-input.ts';
import type { Json } from '../../src/core/json.ts';

const object = (properties: object, ...required: string[]) => ({ type: 'object', properties, required });

test.each<[string, object, Json]>([
  ['only what is required', object({ a: { type: 'string' }, b: { type: 'string' } }, 'a'), { a: 'example' }],
  ['a field without a schema', object({}, 'a'), { a: 'example' }],
  [
    'what the author gives',
    object(
      { a: { const: 1 }, b: { default: 'd' }, c: { examples: ['e'] }, d: { enum: ['f', 'g'] } },
      ...['a', 'b', 'c', 'd'],
    ),
    { a: 1, b: 'd', c: 'e', d: 'f' },
  ],
  [
    'bounds',
    object(
      {
        n: { type: 'integer', minimum: 3, multipleOf: 2 },
        x: { type: 'number', exclusiveMinimum: 5 },
        m: { type: 'number', maximum: 0 },
        s: { type: 'string', minLength: 9 },
        t: { type: 'string', maxLength: 2 },
        l: { type: 'array', minItems: 2, items: { type: 'boolean' } },
      },
      ...['n', 'x', 'm', 's', 't', 'l'],
    ),
    { n: 4, x: 6, m: 0, s: 'examplexx', t: 'ex', l: [true, true] },
  ],
  ['formats', object({ at: { type: 'string', format: 'date' } }, 'at'), { at: '2030-01-01' }],
  [
    'references and choices',
    {
      ...object(
        { who: { $ref: '#/$defs/who' }, or: { anyOf: [{ type: 'integer' }, { type: 'null' }] } },
        'who',
        'or',
      ),
      $defs: { who: object({ name: { type: ['null', 'string'] } }, 'name') },
    },
    { who: { name: 'example' }, or: 1 },
  ],
  [
    'parts of an allOf',
    { allOf: [object({ a: { type: 'integer' } }, 'a'), object({ b: { type: 'boolean' } }, 'b')] },
    { a: 1, b: true },
  ],
  ['nothing', {}, null],
])('%s', (_, schema, sample) => {
  expect(sampleInput(schema as Json)).toEqual(sample);
});

test('a schema that refers to itself ends', () => {
  const schema = { ...object({ next: { $ref: '#' } }, 'next') } as Json;
  expect(JSON.stringify(sampleInput(schema)).length).toBeLessThan(200);
});
