import { describe, expect, test } from 'vitest';
import { validateDefinition } from '../../../src/core/definition/validate.ts';
import { gate, problemsOf, reads, task, typed, warningsOf, workflow } from './documents.ts';

const inputSchema = {
  type: 'object',
  properties: { customer: { $ref: '#/$defs/customer' }, tags: { type: 'array', items: { type: 'string' } } },
  additionalProperties: false,
  $defs: { customer: { type: 'object', properties: { name: {} }, additionalProperties: false } },
};
const withInput = (output: string) => workflow([reads('a', output)], { inputSchema });
const at = '/nodes/0/config/output';
const after = (first: Record<string, unknown>, output: unknown) =>
  workflow([{ ...first, taskId: 'x' }, reads('r', output, 'x')]);

describe('names out of place', () => {
  test.each<[string, unknown, string[]]>([
    ['item', workflow([reads('a', '{{ item }}')]), [`${at} out_of_scope`]],
    ['index', workflow([reads('a', '{{ index }}')]), [`${at} out_of_scope`]],
    ['output in config', workflow([reads('a', '{{ output }}')]), [`${at} out_of_scope`]],
    [
      'task in the output of the definition',
      workflow([task('a')], { output: '{{ task.id }}' }),
      ['/output out_of_scope'],
    ],
    ['an unknown name', workflow([reads('a', '{{ inptu.x }}')]), [`${at} expression`]],
    ['output in outputMapping', workflow([task('a', [], { outputMapping: { x: '$.output' } })]), []],
  ])('%s', (_title, document, problems) => {
    expect(problemsOf(document)).toEqual(problems);
  });
});

describe('paths that the known schemas exclude', () => {
  test.each<[string, unknown, string[]]>([
    ['a field that the input lacks', withInput('{{ input.custmer }}'), [`${at} excluded_path`]],
    ['one behind a local reference', withInput('$.input.customer.nam'), [`${at} excluded_path`]],
    ['the seed’s name of the input', withInput('{{ parameters.custmer }}'), [`${at} excluded_path`]],
    ['a member of a text', withInput('$.input.tags[0].x'), [`${at} excluded_path`]],
    [
      'also where missing would be tolerated',
      withInput("{{ input.custmer ?? 'x' }}"),
      [`${at} excluded_path`],
    ],
    ['a field of the execution', withInput('{{ execution.idd }}'), [`${at} excluded_path`]],
    ['a field of the trigger', withInput('{{ trigger.typ }}'), [`${at} excluded_path`]],
    ['what the input has', withInput('{{ input.customer.name }} {{ input.tags[0] }}'), []],
    [
      'a field of a task’s result',
      after(task('x'), '{{ tasks.x.ouput }}'),
      ['/nodes/1/config/output excluded_path'],
    ],
    [
      'a field of a condition',
      after(gate('x'), '{{ tasks.x.output.brnch }}'),
      ['/nodes/1/config/output excluded_path'],
    ],
    [
      'a field that a transformation does not make',
      after(reads('x', { a: { b: 1 } }), '{{ tasks.x.output.a.c }}'),
      ['/nodes/1/config/output excluded_path'],
    ],
    [
      'a field that an outputMapping does not make',
      after(task('x', [], { outputMapping: { id: '$.output' } }), '{{ tasks.x.output.name }}'),
      ['/nodes/1/config/output excluded_path'],
    ],
    [
      'a branch that a parallel does not have',
      after(
        typed('x', 'parallel', { branches: { a: { taskType: 'transformation', config: { output: 1 } } } }),
        '{{ tasks.x.output.b }}',
      ),
      ['/nodes/1/config/output excluded_path'],
    ],
    [
      'the raw output of a wait',
      workflow([typed('a', 'wait', { seconds: 1 }, { outputMapping: '$.output.fired' })]),
      ['/nodes/0/outputMapping excluded_path'],
    ],
    [
      'a field that the inputMapping does not make',
      workflow([task('a', [], { inputMapping: { x: 1 }, config: { output: '{{ task.input.y }}' } })]),
      [`${at} excluded_path`],
    ],
    [
      'what a template makes is unknown',
      after(reads('x', '{{ input }}'), '{{ tasks.x.output.any.thing }}'),
      [],
    ],
  ])('%s', (_title, document, problems) => {
    expect(problemsOf(document)).toEqual(problems);
  });
});

describe('reading tasks', () => {
  test.each<[string, unknown, string[]]>([
    [
      'no ancestor',
      workflow([task('a'), reads('b', '{{ tasks.a.output }}')]),
      ['/nodes/1/config/output not_an_ancestor'],
    ],
    [
      'a descendant',
      workflow([reads('a', '{{ tasks.b.output }}'), task('b', ['a'])]),
      ['/nodes/0/config/output not_an_ancestor'],
    ],
    ['itself', workflow([reads('a', '{{ tasks.a.output }}')]), ['/nodes/0/config/output not_an_ancestor']],
    [
      'an unknown task',
      workflow([task('plan'), reads('b', '{{ tasks.pln.output }}', 'plan')]),
      ['/nodes/1/config/output unknown_task'],
    ],
    [
      'an unknown task in the output',
      workflow([task('a')], { output: { x: '$.tasks.b.output' } }),
      ['/output/x unknown_task'],
    ],
    [
      'in a condition',
      workflow([task('a'), task('b', [], { conditionExpression: 'tasks.a.output > 1' })]),
      ['/nodes/1/conditionExpression not_an_ancestor'],
    ],
    [
      'in an inputMapping',
      workflow([task('a'), task('b', [], { inputMapping: { 'x/y': '$.tasks.a.output' } })]),
      ['/nodes/1/inputMapping/x~1y not_an_ancestor'],
    ],
    [
      'in a structured condition',
      workflow([
        task('a'),
        typed('b', 'condition', { expression: { all: [{ path: '$.tasks.a.output', operator: 'exists' }] } }),
      ]),
      ['/nodes/1/config/expression/all/0/path not_an_ancestor'],
    ],
    [
      'in a case',
      workflow([task('a'), typed('b', 'condition', { cases: [{ when: 'tasks.a.output', branch: 'x' }] })]),
      ['/nodes/1/config/cases/0/when not_an_ancestor'],
    ],
    [
      'in a part',
      workflow([
        task('a'),
        typed('p', 'parallel', {
          items: [1],
          task: { taskType: 'transformation', config: { output: '{{ tasks.a.output }}' } },
        }),
      ]),
      ['/nodes/1/config/task/config/output not_an_ancestor'],
    ],
    ['a far ancestor', workflow([task('a'), task('b', ['a']), reads('c', '{{ tasks.a.output }}', 'b')]), []],
    ['with a name in brackets', workflow([task('a-b'), reads('c', "$.tasks['a-b'].output", 'a-b')]), []],
  ])('%s', (_title, document, problems) => {
    expect(problemsOf(document)).toEqual(problems);
  });

  test('an unknown task gets the nearest name as hint', () => {
    const result = validateDefinition(workflow([task('plan'), reads('b', '{{ tasks.pln.output }}', 'plan')]));
    expect(result.ok ? '' : result.problems[0]?.hint).toBe('did you mean "plan"?');
  });
});

describe('reading a task that may be skipped', () => {
  const conditional = task('c', [], { conditionExpression: 'input.x > 1' });
  const onA = task('a', [{ taskId: 'g', branch: 'a' }]);
  const onB = task('b', [{ taskId: 'g', branch: 'b' }]);
  const warning = (position: number) => [`/nodes/${position}/config/output may_be_skipped`];

  test.each<[string, unknown[], string[]]>([
    [
      'a branch, behind its join',
      [gate('g'), onA, onB, reads('j', '{{ tasks.a.output }}', 'a', 'b')],
      warning(3),
    ],
    [
      'a branch, further down',
      [gate('g'), onA, onB, task('j', ['a', 'b']), reads('k', '$.tasks.a.output', 'j')],
      warning(4),
    ],
    [
      'an optional task',
      [task('o', [], { optional: true }), reads('r', '{{ tasks.o.output }}', 'o')],
      warning(1),
    ],
    [
      'a task that failed',
      [task('f'), reads('r', '{{ tasks.f.output }}', { taskId: 'f', on: 'failure' })],
      warning(1),
    ],
    [
      'however it ended',
      [task('f'), reads('r', '{{ tasks.f.output }}', { taskId: 'f', on: 'any' })],
      warning(1),
    ],
    [
      'by a rule',
      [task('x'), task('y'), reads('r', '{{ tasks.x.output }}', 'x', 'y')].with(2, {
        ...reads('r', '{{ tasks.x.output }}', 'x', 'y'),
        triggerRule: 'one_success',
      }),
      warning(2),
    ],
  ])('warns: %s', (_title, nodes, warnings) => {
    expect(warningsOf(workflow(nodes))).toEqual(warnings);
    expect(problemsOf(workflow(nodes))).toEqual([]);
  });

  test.each<[string, unknown[]]>([
    ['with ??', [gate('g'), onA, onB, reads('j', "{{ tasks.a.output ?? 'none' }}", 'a', 'b')]],
    [
      'alternatives that cover the join',
      [gate('g'), onA, onB, reads('j', '{{ tasks.a.output ?? tasks.b.output }}', 'a', 'b')],
    ],
    [
      'alternatives, further down',
      [gate('g'), onA, onB, task('j', ['a', 'b']), reads('k', '{{ tasks.a.output ?? tasks.b.output }}', 'j')],
    ],
    ['a needed parent that has a condition', [conditional, reads('r', '{{ tasks.c.output }}', 'c')]],
    ['one of several needed parents', [conditional, task('d'), reads('r', '{{ tasks.c.output }}', 'd', 'c')]],
    ['a needed grandparent', [conditional, task('d', ['c']), reads('r', '{{ tasks.c.output }}', 'd')]],
    [
      'the fork, behind both branches',
      [gate('g'), onA, onB, reads('j', '{{ tasks.g.output.branch }}', 'a', 'b')],
    ],
    ['its status', [task('o', [], { optional: true }), reads('r', '{{ tasks.o.status }}', 'o')]],
    [
      'the error of a failed one',
      [task('f'), reads('r', '{{ tasks.f.error.code }}', { taskId: 'f', on: 'failure' })],
    ],
  ])('does not warn: %s', (_title, nodes) => {
    expect(warningsOf(workflow(nodes))).toEqual([]);
    expect(problemsOf(workflow(nodes))).toEqual([]);
  });

  test.each<[string, unknown[], string, string[]]>([
    ['a branch', [gate('g'), onA, onB], '$.tasks.a.output', ['/output may_be_skipped']],
    ['a branch with ??', [gate('g'), onA, onB], '{{ tasks.a.output ?? tasks.b.output }}', []],
    ['a join', [gate('g'), onA, onB, task('j', ['a', 'b'])], '$.tasks.j.output', []],
    [
      'what follows a condition',
      [conditional, task('d', ['c'])],
      '$.tasks.d.output',
      ['/output may_be_skipped'],
    ],
  ])('in the output of the definition: %s', (_title, nodes, output, warnings) => {
    expect(warningsOf(workflow(nodes, { output }))).toEqual(warnings);
  });
});
