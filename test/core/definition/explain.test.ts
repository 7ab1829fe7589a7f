import { expect, test } from 'vitest';
import { explainPlan } from '../../../src/core/definition/explain.ts';
import { gate, task, typed, valid, workflow } from './documents.ts';

const explain = (document: unknown): string => {
  const { plan, definition } = valid(document);
  return explainPlan(plan, definition);
};

test('each task has a line that says when it runs', () => {
  const nodes = [
    gate('g'),
    task('a', [{ taskId: 'g', branch: 'a' }]),
    task('b', [{ taskId: 'g', branch: 'b' }]),
    task('c', [], { conditionExpression: 'input.x > 1' }),
    task('join', ['a', 'b', 'c']),
    task('rescue', [{ taskId: 'c', on: 'failure', errors: ['timeout', 'http_5xx'] }]),
    task('log', [{ taskId: 'join', on: 'any' }]),
    task('either', ['a', 'c'], { triggerRule: 'one_success' }),
  ];
  expect(explain(workflow(nodes)).split('\n')).toEqual([
    'g: runs at the start',
    'a: runs after g taking "a"',
    'b: runs after g taking "b"',
    'c: runs at the start, if its condition holds',
    'join: runs after one of (a, b) and c',
    'rescue: runs after c on failure (timeout, http_5xx)',
    'log: runs after join, however it ends',
    'either: runs when the first succeeds of (a, c)',
  ]);
});

test('alternatives of success and failure are told as such', () => {
  const nodes = [task('a'), task('rescue', [{ taskId: 'a', on: 'failure' }]), task('end', ['a', 'rescue'])];
  expect(explain(workflow(nodes))).toContain('end: runs after one of (a, rescue)');
});

test('what a task has by defaults is told with its value', () => {
  const headers = { 'x-team': 'a', 'x-app': 'b' };
  const nodes = [
    typed(
      'get',
      'external_api',
      { url: 'https://a.example', headers: { 'x-app': 'c' } },
      { timeoutSeconds: 5 },
    ),
    typed('fan', 'parallel', {
      items: [1],
      task: { taskType: 'external_api', config: { url: 'https://b.example' } },
    }),
    task('own', [], { retry: { maxAttempts: 1 }, timeoutSeconds: 1 }),
  ];
  const defaults = {
    '*': { timeoutSeconds: 9, retry: { maxAttempts: 2 } },
    external_api: { config: { headers } },
  };
  expect(explain(workflow(nodes, { defaults })).split('\n')).toEqual([
    'get: runs at the start; by defaults: retry {"maxAttempts":2}, config.headers.x-team "a"',
    'fan: runs at the start; by defaults: timeoutSeconds 9, retry {"maxAttempts":2}, config.task.timeoutSeconds 9, config.task.retry {"maxAttempts":2}, config.task.config.headers {"x-team":"a","x-app":"b"}',
    'own: runs at the start',
  ]);
});
