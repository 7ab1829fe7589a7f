import { expect, test } from 'vitest';
import { conclude } from '../../src/core/plan/conclude.ts';
import type { TaskState } from '../../src/core/plan/decide.ts';
import type { Plan } from '../../src/core/plan/plan.ts';
import { planOf } from './support/text-plan.ts';

const ok: TaskState = { status: 'completed' };
const skipped: TaskState = { status: 'skipped', reason: 'branch_not_taken' };
const failed = (errorCode = 'timeout'): TaskState => ({ status: 'failed', errorCode });

function concluded(plan: Plan, states: { readonly [taskId: string]: TaskState }): string {
  const { status, failedTask, completedWithErrors } = conclude(
    plan,
    plan.nodes.map((node) => states[node.taskId] ?? ok),
  );
  if (failedTask !== null) return `${status} by ${plan.nodes[failedTask]!.taskId}`;
  return completedWithErrors ? `${status} with errors` : status;
}

test('all completed or skipped: completed', () => {
  expect(concluded(planOf('a -> b'), { b: skipped })).toBe('completed');
});
test('an uncaught failure fails the execution', () => {
  expect(concluded(planOf('a -> b'), { a: failed(), b: skipped })).toBe('failed by a');
});
test('the first uncaught failure in plan order is the one named', () => {
  expect(concluded(planOf('a -> b; a -> c'), { c: failed(), b: failed() })).toBe('failed by b');
});
test('a failure is caught when a direct target of a matching edge completed', () => {
  expect(concluded(planOf('t -!-> h'), { t: failed() })).toBe('completed with errors');
});
test('one of several targets is enough', () => {
  expect(concluded(planOf('t -!-> h; t -!-> g'), { t: failed(), h: failed() })).toBe('failed by h');
  expect(concluded(planOf('t -!-> h; t -!-> g'), { t: failed(), h: skipped })).toBe('completed with errors');
});
test('a failure whose targets did not complete is uncaught', () => {
  expect(concluded(planOf('t -!-> h'), { t: failed(), h: skipped })).toBe('failed by t');
});
test('a target of an edge that does not match catches nothing', () => {
  const plan = planOf('t -!timeout-> h; t -!-> g; x -!-> h');
  expect(concluded(plan, { t: failed('http_500'), g: skipped, x: failed() })).toBe('failed by t');
});
test('on: any catches nothing', () => {
  expect(concluded(planOf('t -*-> h'), { t: failed() })).toBe('failed by t');
});
test('the failure of an optional task is an error, not a failure', () => {
  expect(concluded(planOf('a -> b', { optional: ['a'] }), { a: failed() })).toBe('completed with errors');
});
test('a cancelled task fails nothing', () => {
  expect(concluded(planOf('a -> b'), { a: { status: 'cancelled' }, b: skipped })).toBe('completed');
});
