// The progress of a run where there is no terminal: one line for each task.
import { expect, test } from 'vitest';
import { inOrderOfEnd } from '../../src/cli/watch-execution.ts';

const at = (second: number) => new Date(Date.UTC(2030, 0, 1, 0, 0, second)).toISOString();

test('tasks come in the order in which they ended, open ones last, items before their fan-out', () => {
  const tasks = [
    { taskId: 'retrying', mapIndex: null, completedAt: null },
    { taskId: 'parts', mapIndex: null, completedAt: at(3) },
    { taskId: 'parts', mapIndex: 0, completedAt: at(3) },
    { taskId: 'last', mapIndex: null, completedAt: at(10) },
    { taskId: 'first', mapIndex: null, completedAt: at(1) },
  ];
  expect(inOrderOfEnd(tasks).map(({ taskId, mapIndex }) => `${taskId}/${mapIndex}`)).toEqual([
    'first/null',
    'parts/0',
    'parts/null',
    'last/null',
    'retrying/null',
  ]);
});
