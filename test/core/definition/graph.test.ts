import { describe, expect, test } from 'vitest';
import { validateDefinition } from '../../../src/core/definition/validate.ts';
import { gate, problemsOf, task, typed, warningsOf, workflow } from './documents.ts';

const fails = (taskId: string, more: Record<string, unknown> = {}) => typed(taskId, 'fail', {}, more);
const race = typed('p', 'parallel', {
  branches: { x: { taskType: 'transformation', config: { output: 1 } } },
  minSuccesses: 1,
});

describe('edges', () => {
  test.each<[string, unknown[], string[]]>([
    ['an unknown parent', [task('plan'), task('b', ['pln'])], ['/nodes/1/dependsOn/0 unknown_task']],
    ['itself as parent', [task('a', ['a'])], ['/nodes/0/dependsOn/0 self_dependency']],
    [
      'a parent twice',
      [task('a'), task('b', ['a', { taskId: 'a' }])],
      ['/nodes/1/dependsOn/1/taskId duplicate_dependency'],
    ],
    ['a taskId twice', [task('a'), task('b'), task('a')], ['/nodes/2/taskId duplicate_task']],
    [
      'a branch of a task without branches',
      [task('a'), task('b', [{ taskId: 'a', branch: 'x' }])],
      ['/nodes/1/dependsOn/0/branch not_a_fork'],
    ],
    [
      'a branch that no case has',
      [gate('g'), task('b', [{ taskId: 'g', branch: 'c' }])],
      ['/nodes/1/dependsOn/0/branch unknown_branch'],
    ],
    [
      'a branch that true and false exclude',
      [typed('g', 'condition', { expression: true }), task('b', [{ taskId: 'g', branch: 'yes' }])],
      ['/nodes/1/dependsOn/0/branch unknown_branch'],
    ],
    [
      'a branch that no part has',
      [race, task('b', [{ taskId: 'p', branch: 'y' }])],
      ['/nodes/1/dependsOn/0/branch unknown_branch'],
    ],
    [
      'a branch on failure',
      [gate('g'), task('b', [{ taskId: 'g', branch: 'a', on: 'failure' }])],
      ['/nodes/1/dependsOn/0/on conflict'],
    ],
    [
      'errors without a failure',
      [task('a'), task('b', [{ taskId: 'a', errors: ['timeout'] }])],
      ['/nodes/1/dependsOn/0/errors errors_without_failure'],
    ],
    [
      'an error pattern that fits nothing',
      [task('a'), task('b', [{ taskId: 'a', on: 'failure', errors: ['time out'] }])],
      ['/nodes/1/dependsOn/0/errors/0 invalid_error_pattern'],
    ],
  ])('%s', (_title, nodes, problems) => {
    expect(problemsOf(workflow(nodes))).toEqual(problems);
  });

  test.each<[string, unknown[]]>([
    [
      'the branches of a value are those that edges name',
      [typed('g', 'condition', { value: 'input.way' }), task('b', [{ taskId: 'g', branch: 'anything' }])],
    ],
    ['a parent on success and on failure', [task('a'), task('b', ['a', { taskId: 'a', on: 'failure' }])]],
    ['the winner of a parallel', [race, task('b', [{ taskId: 'p', branch: 'x' }])]],
  ])('accepted: %s', (_title, nodes) => {
    expect(problemsOf(workflow(nodes))).toEqual([]);
  });

  test('a repeated taskId names both places', () => {
    const result = validateDefinition(workflow([task('a'), task('a')]));
    expect(result.ok ? '' : result.problems[0]?.message).toBe(
      'the taskId "a" is used at /nodes/0/taskId and /nodes/1/taskId',
    );
  });

  test('a cycle names its members in order', () => {
    const nodes = [task('a', ['c']), task('b', ['a']), task('c', ['b']), task('d', ['c'])];
    const result = validateDefinition(workflow(nodes));
    expect(result.ok ? [] : result.problems).toEqual([
      expect.objectContaining({
        code: 'cycle',
        message: 'these tasks wait for each other: b -> c -> a -> b',
      }),
    ]);
  });

  test('a branch that does not exist gets the nearest as hint', () => {
    const result = validateDefinition(
      workflow([typed('g', 'condition', { expression: true }), task('b', [{ taskId: 'g', branch: 'ture' }])]),
    );
    expect(result.ok ? '' : result.problems[0]?.hint).toBe('did you mean "true"?');
  });
});

describe('tasks that can never run', () => {
  test.each<[string, unknown[], string[]]>([
    [
      'two branches of one fork, both needed',
      [
        gate('g'),
        task('x', [{ taskId: 'g', branch: 'a' }]),
        task('y', [{ taskId: 'g', branch: 'b' }]),
        task('z', ['x', 'y'], { triggerRule: 'all_success' }),
      ],
      ['/nodes/3/dependsOn never_runs'],
    ],
    ['after a task that always fails', [fails('f'), task('b', ['f'])], ['/nodes/1/dependsOn/0 never_runs']],
    ['after the end', [typed('t', 'terminate', {}), task('b', ['t'])], ['/nodes/1/dependsOn/0 never_runs']],
    [
      'on failure of an optional task',
      [fails('f', { optional: true }), task('b', [{ taskId: 'f', on: 'failure' }])],
      ['/nodes/1/dependsOn/0 never_runs'],
    ],
    [
      'only the first of a chain is named',
      [fails('f'), task('b', ['f']), task('c', ['b'])],
      ['/nodes/1/dependsOn/0 never_runs'],
    ],
    [
      'success and failure of one task, both needed',
      [
        task('p'),
        task('x', ['p']),
        task('y', [{ taskId: 'p', on: 'failure' }]),
        task('z', ['x', 'y'], { triggerRule: 'all_success' }),
      ],
      ['/nodes/3/dependsOn never_runs'],
    ],
  ])('%s', (_title, nodes, problems) => {
    expect(problemsOf(workflow(nodes))).toEqual(problems);
  });

  test.each<[string, unknown[]]>([
    [
      'a join after a branch',
      [
        gate('g'),
        task('x', [{ taskId: 'g', branch: 'a' }]),
        task('y', [{ taskId: 'g', branch: 'b' }]),
        task('z', ['x', 'y']),
      ],
    ],
    ['a failure that is caught', [fails('f'), task('b', [{ taskId: 'f', on: 'failure' }])]],
    ['after an optional failure', [fails('f', { optional: true }), task('b', ['f'])]],
    ['however it ends', [fails('f'), task('b', [{ taskId: 'f', on: 'any' }])]],
    ['one of two', [fails('f'), task('a'), task('b', ['f', 'a'], { triggerRule: 'one_success' })]],
    [
      'the same branch twice',
      [gate('g'), task('x', [{ taskId: 'g', branch: 'a' }]), task('z', ['x', { taskId: 'g', branch: 'a' }])],
    ],
  ])('can run: %s', (_title, nodes) => {
    expect(problemsOf(workflow(nodes))).toEqual([]);
    expect(warningsOf(workflow(nodes))).toEqual([]);
  });
});
