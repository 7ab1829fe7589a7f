import { describe, expect, test } from 'vitest';
import { validateDefinition } from '../../../src/core/definition/validate.ts';
import { NOT_SUPPORTED, type NotSupported } from '../../../src/core/not-supported.ts';
import { problemsOf, task, typed, warningsOf, workflow } from './documents.ts';

const node = (more: Record<string, unknown>) => workflow([task('a', [], more)]);
const model = (config: Record<string, unknown>, modelId = 'simulated/x') =>
  workflow([typed('a', 'model_inference', config, { modelId })]);
const inner = {
  taskType: 'parallel',
  config: { items: [1], task: { taskType: 'transformation', config: { output: 1 } } },
};

const LINES: [string, NotSupported][] = Object.entries(NOT_SUPPORTED);

describe('each line of the list is refused, with its text and at its place', () => {
  const lines = LINES.flatMap(([name, line]) => (line.place === 'start' ? [] : [[name, line] as const]));
  test.each(lines)('%s', (_name, { what, hint, example }) => {
    const document = workflow([task('a', [], example.node)], example.definition);
    const result = validateDefinition(document);
    const message = `${what} is not supported in this release`;
    expect(result.ok ? [] : result.problems).toEqual([
      { pointer: example.pointer, code: 'not_supported', message, ...(hint !== undefined && { hint }) },
    ]);
  });
});

describe('what this release lacks is refused, never accepted and ignored', () => {
  test.each<[string, unknown, string]>([
    ['budget', workflow([task('a')], { budget: { maxCostUsd: '1' } }), '/budget'],
    ['concurrency', workflow([task('a')], { concurrency: { key: 'x', limit: 1 } }), '/concurrency'],
    ['onFailure', workflow([task('a')], { onFailure: { taskType: 'fail' } }), '/onFailure'],
    ['finally', workflow([task('a')], { finally: { taskType: 'fail' } }), '/finally'],
    ['tests', workflow([task('a')], { tests: [] }), '/tests'],
    ['compensate', node({ compensate: {} }), '/nodes/0/compensate'],
    ['sub_workflow', workflow([typed('a', 'sub_workflow', {})]), '/nodes/0/taskType'],
    ['jsonata', workflow([typed('a', 'transformation', { jsonata: '1' })]), '/nodes/0/config/jsonata'],
    ['modelId auto', model({ prompt: 'x' }, 'auto'), '/nodes/0/modelId'],
    ['candidates', model({ prompt: 'x', candidates: [] }), '/nodes/0/config/candidates'],
    [
      'a parallel in a branch',
      workflow([typed('p', 'parallel', { branches: { x: inner } })]),
      '/nodes/0/config/branches/x/taskType',
    ],
    [
      'a parallel in an item',
      workflow([typed('p', 'parallel', { items: [1], task: inner })]),
      '/nodes/0/config/task/taskType',
    ],
    [
      'repeat in a part',
      workflow([
        typed('p', 'parallel', {
          branches: { x: { taskType: 'transformation', config: { output: 1 }, repeat: {} } },
        }),
      ]),
      '/nodes/0/config/branches/x/repeat',
    ],
  ])('%s', (_field, document, pointer) => {
    expect(problemsOf(document)).toEqual([`${pointer} not_supported`]);
  });

  test.each<[string, unknown]>([
    ['minTier above 1', workflow([task('a')], { minTier: 3 })],
    ['audit and hipaa flags', workflow([task('a')], { requiresAuditTrail: true, hipaaCompliant: true })],
    ['names for people', workflow([task('a')], { name: 'A', category: 'custom', version: '1' })],
    ['all policies', workflow([task('a')], { failurePolicy: 'continue', maxRetries: 0 })],
  ])('%s is stored', (_title, document) => {
    expect(problemsOf(document)).toEqual([]);
  });
});

test('a flag that is kept and changes nothing is warned of, where it is set', () => {
  const flags = (value: boolean) =>
    warningsOf(workflow([task('a')], { requiresAuditTrail: value, hipaaCompliant: value }));
  expect(flags(true)).toEqual(['/requiresAuditTrail not_supported', '/hipaaCompliant not_supported']);
  expect(flags(false)).toEqual([]);
});
