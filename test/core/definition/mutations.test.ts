import fc from 'fast-check';
import { expect, test } from 'vitest';
import { joinPointer, pointerSegments, resolvePointer } from '../../../src/core/definition/pointer.ts';
import { parseDocument } from '../../../src/core/definition/reading/parse.ts';
import { validateDefinition } from '../../../src/core/definition/validate.ts';
import { depth } from '../../support/depth.ts';
import { gate, reads, task, typed, workflow } from './documents.ts';

const part = { taskType: 'transformation', config: { output: '{{ item }} {{ index }}' } };
const ours = workflow(
  [
    gate('g'),
    task('a', [{ taskId: 'g', branch: 'a' }], { retry: { maxAttempts: 2, retryOn: ['http_5xx'] } }),
    task('b', [{ taskId: 'g', branch: 'b' }], { inputMapping: { x: '$.input.x' }, timeoutSeconds: 5 }),
    reads('j', { x: '{{ tasks.a.output ?? tasks.b.output }}', y: ['$.execution.id'] }, 'a', 'b'),
    typed(
      'p',
      'parallel',
      { items: '{{ input.list }}', task: part, maxConcurrency: 3 },
      { dependsOn: ['j'] },
    ),
    typed('s', 'aggregation', { strategy: 'sum', path: '$.n' }, { dependsOn: ['p'] }),
    typed('m', 'model_inference', { prompt: '{{ tasks.s.output }}' }, { dependsOn: ['s'], optional: true }),
    typed('w', 'wait', { seconds: 1 }, { dependsOn: [{ taskId: 'm', on: 'any' }] }),
  ],
  {
    inputSchema: {
      type: 'object',
      properties: { x: { type: 'number' }, list: { $ref: '#/$defs/l' } },
      $defs: { l: { type: 'array' } },
    },
    defaults: { model_inference: { modelId: 'simulated/x', config: { temperature: 0 } } },
    defaultParameters: { x: 1 },
    output: { sum: '$.tasks.s.output' },
  },
);
const seed = {
  workflow_id: 'w',
  nodes: [
    { id: 't', type: 'webhook_trigger' },
    { id: 'a', type: 'transform', config: { output: 1 }, position: { x: 1 } },
    { id: 'b', type: 'condition', config: { value: 'input.x' } },
    { id: 'c', type: 'transform', timeout_seconds: 3, config: { output: '{{ tasks.a.output }}' } },
  ],
  edges: [
    { source: 't', target: 'a' },
    { from: 'a', to: 'b' },
    { source: 'b', target: 'c', sourceHandle: 'x' },
  ],
};

const JUNK: unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  '',
  'a',
  'g',
  'all_done',
  'failure',
  '{{',
  '{{ tasks.zz.output }}',
  '$.tasks.w.output',
  '$',
  '__proto__',
  'x'.repeat(300),
  [],
  {},
  [[]],
  ['a'],
  [{ taskId: 'a' }],
  { taskId: 'j' },
  { nodes: [] },
  { $ref: '#' },
  '\u0000',
];

type Mutation = { readonly at: number; readonly kind: number; readonly junk: number };

/** Changes one place of a document: replaces, removes, renames, repeats or adds a member. */
function mutate(document: unknown, { at, kind, junk }: Mutation): void {
  const places: { holder: Record<string, unknown> | unknown[]; key: string | number }[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || places.length > 2000) return;
    for (const key of Object.keys(value)) {
      places.push({ holder: value as Record<string, unknown>, key });
      visit((value as Record<string, unknown>)[key]);
    }
  };
  visit(document);
  const place = places[at % Math.max(1, places.length)];
  if (place === undefined) return;
  const { holder, key } = place;
  const object = holder as Record<string, unknown>;
  const value = structuredClone(JUNK[junk % JUNK.length]);
  switch (kind % 5) {
    case 0:
      object[key] = value;
      break;
    case 1:
      if (Array.isArray(holder)) holder.splice(Number(key), 1);
      else delete object[key];
      break;
    case 2:
      if (Array.isArray(holder)) holder.push(structuredClone(holder[Number(key)]));
      else object[`${key}x`] = object[key];
      break;
    case 3:
      if (Array.isArray(holder)) holder.unshift(value);
      else object['a/b~c'] = value;
      break;
    default:
      object[key] = structuredClone(places[junk % places.length]?.holder);
  }
}

const mutations = fc.array(fc.record({ at: fc.nat(5000), kind: fc.nat(4), junk: fc.nat(1000) }), {
  minLength: 1,
  maxLength: 6,
});

test.each([
  ['ours', ours],
  ['a seed', seed],
])('any mutation of %s gives a result whose pointers lead into the author’s document', (_name, original) => {
  expect(validateDefinition(original)).toMatchObject({ ok: true });
  fc.assert(
    fc.property(mutations, (changes) => {
      const document = structuredClone(original);
      for (const change of changes) mutate(document, change);
      const result = validateDefinition(document);
      const reported = result.ok ? result.value.warnings : [...result.problems, ...result.warnings];
      for (const { pointer } of reported) {
        const parent = pointerSegments(pointer).slice(0, -1);
        const found =
          resolvePointer(document, pointer).found ||
          resolvePointer(document, joinPointer('', ...parent)).found;
        expect(found, `${pointer} in ${JSON.stringify(document)}`).toBe(true);
      }
      // What is valid stays valid as it is stored, without a word about its spelling.
      if (result.ok) {
        const again = validateDefinition(result.value.definition);
        expect(again).toMatchObject({ ok: true });
        expect(again.ok && again.value.definition).toEqual(result.value.definition);
        expect(again.ok && again.value.warnings.filter(({ code }) => code === 'rewritten')).toEqual([]);
      }
    }),
    { numRuns: depth(1500) },
  );
});

test('any text is parsed or refused, never thrown at', () => {
  const text = JSON.stringify(seed, null, 1);
  const cuts = fc.tuple(fc.nat(text.length), fc.nat(30), fc.string({ maxLength: 8 }));
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        cuts.map(([at, length, insert]) => text.slice(0, at) + insert + text.slice(at + length)),
      ),
      (source) => {
        for (const format of ['json', 'yaml', 'auto'] as const) {
          const parsed = parseDocument(source, format);
          if (parsed.ok) validateDefinition(parsed.value);
          else expect(parsed.problems.length).toBeGreaterThan(0);
        }
      },
    ),
    { numRuns: depth(500) },
  );
});
