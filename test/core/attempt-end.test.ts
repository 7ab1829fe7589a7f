// What the ends of attempts become: the table agrees with the statuses that a task may take.
import { expect, test } from 'vitest';
import { ATTEMPT_ENDS, type AttemptEnd, isTaskEnd, taskStateOf } from '../../src/core/attempt-end.ts';
import { isTerminalTask, TASK_MOVES } from '../../src/core/status.ts';

const totals = { durationMs: 1 };
const error = { code: 'boom', message: 'it failed' };
const fanOut = {
  kind: 'fanOut',
  values: [],
  total: 0,
  maxConcurrency: 1,
  toleratedFailures: 0,
  neededSuccesses: 0,
} as const;
const ENDS: readonly AttemptEnd[] = [
  { ...totals, kind: 'completed', outputJson: '1', output: 1, branch: 'left' },
  { ...totals, kind: 'skipped', reason: 'condition_false' },
  { ...totals, kind: 'cancelled' },
  { ...totals, kind: 'failed', error },
  { ...totals, kind: 'retrying', error, retryInMs: 5 },
  { ...totals, kind: 'waiting', on: 'timer', delayMs: 5 },
  { ...totals, kind: 'inReview', reviewJson: '{}' },
  { ...totals, kind: 'fanOut', fanOut, valuesJson: '[]' },
  { ...totals, kind: 'terminated', status: 'completed', outputJson: '1', error: null },
  { ...totals, kind: 'released' },
];

test('every kind of end is in this test', () => {
  expect(ENDS.map(({ kind }) => kind).sort()).toEqual(Object.keys(ATTEMPT_ENDS).sort());
});

test.each(ENDS.map((end) => [end.kind, end] as const))(
  '%s settles as a status that a running task may take',
  (_, end) => {
    const { settlesAs } = ATTEMPT_ENDS[end.kind];
    const status = settlesAs === 'released' ? 'pending' : settlesAs;
    expect(TASK_MOVES.running).toContain(status);
    if (isTaskEnd(end)) expect(taskStateOf(end).status).toBe(status);
    // A terminated task has ended too, but its execution ends with it: no edge is judged.
    expect(isTaskEnd(end) || end.kind === 'terminated').toBe(isTerminalTask(status));
  },
);

test('the state keeps what edges are judged by', () => {
  expect(ENDS.filter(isTaskEnd).map(taskStateOf)).toEqual([
    { status: 'completed', branch: 'left' },
    { status: 'skipped', reason: 'condition_false' },
    { status: 'cancelled' },
    { status: 'failed', errorCode: 'boom' },
  ]);
});
