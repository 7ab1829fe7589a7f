import { expect, test } from 'vitest';
import { explainJoins } from '../../../src/core/definition/explain.ts';
import { gate, task, valid, workflow } from './documents.ts';

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
  expect(explainJoins(valid(workflow(nodes)).plan).split('\n')).toEqual([
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
  expect(explainJoins(valid(workflow(nodes)).plan)).toContain('end: runs after one of (a, rescue)');
});
