// A definition drawn as a flowchart.
import { expect, test } from 'vitest';
import { drawPlan } from '../../../src/core/definition/mermaid.ts';
import { gate, task, typed, valid, workflow } from './documents.ts';

const drawn = (...nodes: unknown[]) => drawPlan(valid(workflow(nodes)).plan).split('\n');

test('tasks are boxes, forks rhombuses, ends hexagons; edges say when they are taken', () => {
  expect(
    drawn(
      gate('g'),
      task('a', [{ taskId: 'g', branch: 'a' }]),
      task('b', [{ taskId: 'a', on: 'failure', errors: ['http_404'] }]),
      typed('end', 'fail', { code: 'x' }, { dependsOn: [{ taskId: 'a', on: 'failure' }] }),
      task('z', [{ taskId: 'a', on: 'any' }, 'b'], { triggerRule: 'all_done' }),
    ),
  ).toEqual([
    'flowchart TD',
    '  t0{"g<br/><small>condition</small>"}',
    '  t1["a<br/><small>transformation</small>"]',
    '  t2["b<br/><small>transformation</small>"]',
    '  t3{{"end<br/><small>fail</small>"}}',
    '  t4["z<br/><small>transformation, all_done</small>"]',
    '  t0 -- "a" --> t1',
    '  t1 -. "on http_404" .-> t2',
    '  t1 -. "on failure" .-> t3',
    '  t1 -. "however it ends" .-> t4',
    '  t2 --> t4',
  ]);
});

test('no name of an author breaks out of its label', () => {
  const branch = 'x" --> t0; click t0 "javascript:1"';
  const [, , , edge] = drawn(
    typed('g', 'condition', { value: 'input.way' }),
    task('a', [{ taskId: 'g', branch }]),
  );
  expect(edge).toMatch(/^ {2}t0 -- "[^"]*" --> t1$/);
});
