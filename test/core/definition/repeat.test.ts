// `repeat` as definitions say it.
import { expect, test } from 'vitest';
import { problemsOf, task, typed, warningsOf, workflow } from './documents.ts';

const repeated = (repeat: Record<string, unknown>, more: Record<string, unknown> = {}) =>
  workflow([task('a', [], { repeat, ...more })]);
const AT = '/nodes/0/repeat';

test.each<[Record<string, unknown>, Record<string, unknown>?]>([
  [{ until: '$.output.done' }, { config: { output: { done: true } } }],
  [{ until: 'loop.index > 3 || loop.previous == output', maxIterations: 5, delaySeconds: 0.5 }],
  [{ until: 'false', onLimit: 'complete', collect: '$.output', stopWhenSame: 2 }],
  [
    { until: 'output.n == 1', collect: { n: '$.output.n' } },
    { outputMapping: { n: '{{ output + loop.index }}' } },
  ],
  [
    { until: 'output == 1' },
    { config: { output: '{{ loop.previous ?? loop.index }}' }, inputMapping: '$.loop.index' },
  ],
])('%j is accepted', (repeat, more) => {
  expect(problemsOf(repeated(repeat, more))).toEqual([]);
  expect(warningsOf(repeated(repeat, more))).toEqual([]);
});

test.each<[Record<string, unknown>, string]>([
  [{}, `${AT}/until required`],
  [{ until: 'output.' }, `${AT}/until expression`],
  [{ until: 'true', maxIterations: 0 }, `${AT}/maxIterations range`],
  [{ until: 'true', onLimit: 'stop' }, `${AT}/onLimit invalid_value`],
  [{ until: 'true', stopWhenSame: 1 }, `${AT}/stopWhenSame range`],
  [{ until: 'true', times: 3 }, `${AT}/times unknown_field`],
  [{ until: 'loop.number > 1' }, `${AT}/until excluded_path`],
  [{ until: 'tasks.b.output' }, `${AT}/until unknown_task`],
])('%j is refused', (repeat, problem) => expect(problemsOf(repeated(repeat))).toEqual([problem]));

test.each<[string, unknown, string]>([
  [
    'loop without repeat',
    workflow([task('a', [], { config: { output: '{{ loop.index }}' } })]),
    '/nodes/0/config/output out_of_scope',
  ],
  [
    'loop before the first round',
    repeated({ until: 'true' }, { conditionExpression: 'loop.index == 0' }),
    '/nodes/0/conditionExpression out_of_scope',
  ],
  [
    'a condition',
    workflow([typed('a', 'condition', { expression: 'true' }, { repeat: { until: 'true' } })]),
    '/nodes/0/repeat conflict',
  ],
  [
    'a parallel',
    workflow([
      typed(
        'a',
        'parallel',
        { items: [1], task: { taskType: 'fail', config: {} } },
        { repeat: { until: 'true' } },
      ),
    ]),
    '/nodes/0/repeat conflict',
  ],
  [
    'what never completes',
    workflow([typed('a', 'fail', {}, { repeat: { until: 'true' } })]),
    '/nodes/0/repeat conflict',
  ],
  [
    'a part of a parallel',
    workflow([typed('a', 'parallel', { items: [1], task: { taskType: 'fail', repeat: { until: 'true' } } })]),
    '/nodes/0/config/task/repeat not_supported',
  ],
])('%s is refused', (_what, document, problem) => expect(problemsOf(document)).toEqual([problem]));

test('what it collects is a list, and nothing else is read from it', () => {
  const reader = (path: string) =>
    workflow([
      task('a', [], { repeat: { until: 'true', collect: '$.output' } }),
      task('b', ['a'], { config: { output: path } }),
    ]);
  expect(problemsOf(reader('$.tasks.a.output[0]'))).toEqual([]);
  expect(problemsOf(reader('$.tasks.a.output.body'))).toEqual(['/nodes/1/config/output excluded_path']);
});
