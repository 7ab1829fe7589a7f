// Mappings and templates: types, escapes, missing paths, problems with pointers, references.
import { describe, expect, test } from 'vitest';
import { compileExpression, compileMapping, evaluateMapping } from '../../../src/core/expression/mapping.ts';
import { lazy } from '../../../src/core/expression/scope.ts';
import type { Json } from '../../../src/core/json.ts';
import { errorOf, mapped, must, problems, SCOPE } from './evaluate.ts';

describe('templates', () => {
  test.each<[string, Json]>([
    ['{{ input.age }}', 42],
    ['{{input.tags}}', ['red', 'blue']],
    ['$.input.age', 42],
    ['$.input.age + 1', 43],
    ["$['input'].name", 'Ann'],
    ['{{ parameters.name }}', 'Ann'],
    ['Hi {{ input.name }}!', 'Hi Ann!'],
    [' {{ input.age }}', ' 42'],
    ['{{ input.age }}{{ input.yes }}', '42true'],
    ['[{{ input.none }}]', '[]'],
    ['x {{ input.nested }}', 'x {"list":[1,2,{"c":"x"}],"a-b":1}'],
    ['{{ {a: {b: 1}} }}', { a: { b: 1 } }],
    ['{{ {a:{b:1}}}}', { a: { b: 1 } }],
    ["{{ '}}' }}", '}}'],
    ["a {{ '{{' }} b", 'a {{ b'],
    ['\\{{ input.age }}', '{{ input.age }}'],
    ['\\{{ {{ input.age }}', '{{ 42'],
    ['$$.input.age', '$.input.age'],
    ['$$[0]', '$[0]'],
    ['$$. {{ input.age }}', '$. 42'],
    ['$5.00', '$5.00'],
    ['costs $.5', 'costs $.5'],
    ['a }} b', 'a }} b'],
    ['', ''],
    ['{{ tasks.get-user.output.id }}', 8],
    ['$.tasks.get-user.output.id', 8],
    ["$.input.nested['a-b']", 1],
    ['$.input.nested.list[-1].c', 'x'],
    ['$.input.items[*].id', [1, 2, 3]],
    ['$.input.items[1:].id', [2, 3]],
    ['$.input..sku', ['a', 'b', 'c']],
    ['$.input.items[?@.price > 10].id', [2, 3]],
    ['$.input.items[?@.id == $.tasks.fetch.output.id]', []],
    ['$.input.items[?@.price > $.input.items[0].price].id', [2, 3]],
    ['$..sku', ['a', 'b', 'c']],
    ['{{ input.name[*] }}', []],
  ])('%j yields %j', (template, expected) => {
    expect(mapped(template)).toEqual(expected);
  });

  test('the result of a template is never evaluated again', () => {
    const scope = { input: { a: '{{ input.b }}', b: 'secret' } };
    expect(mapped({ x: '{{ input.a }}', y: 'is {{ input.a }}' }, scope)).toEqual({
      x: '{{ input.b }}',
      y: 'is {{ input.b }}',
    });
  });

  test('templates work in every string of a mapping, and nothing else is touched', () => {
    const mapping = { a: ['{{ input.age }}', 1, null, { b: '{{ item }}' }], '{{ input.age }}': true };
    expect(mapped(mapping)).toEqual({ a: [42, 1, null, { b: 'it' }], '{{ input.age }}': true });
  });

  test('a constant mapping yields the very same value', () => {
    const mapping = { a: [1, { b: 'text' }], c: null };
    const compiled = must(compileMapping(mapping, ''));
    expect(compiled.isConstant).toBe(true);
    expect(evaluateMapping(compiled, {})).toBe(mapping);
    expect(must(compileMapping({ a: ['$$.x'] }, '')).constant).toEqual({ a: ['$.x'] });
  });

  test('a mapping with a member __proto__ sets no prototype', () => {
    const made = mapped(JSON.parse('{"__proto__":{"a":"{{ input.age }}"},"b":"{{ input.age }}"}') as Json);
    expect(JSON.stringify(made)).toBe('{"__proto__":{"a":42},"b":42}');
    expect(Object.getPrototypeOf(made)).toBe(Object.prototype);
  });
});

describe('missing paths', () => {
  test.each([
    ['{{ input.nope }}', '$.input.nope is missing: $.input has no "nope"'],
    ['$.input.name.first', '$.input.name.first is missing: $.input.name has no "first"'],
    ['$.input.tags[2]', '$.input.tags[2] is missing: $.input.tags has no [2]'],
    ['$.input.tags.length', '$.input.tags.length is missing'],
    ["$.input.name['length']", 'is missing'],
    ['$.input.name[0]', 'is missing'],
    ['$.input.toString', '$.input.toString is missing'],
    ['x {{ input.nope }}', '$.input.nope is missing'],
    ['$.input.nope[*].id', '$.input.nope[*].id is missing'],
    ['$.output.id', '$.output.id is missing: there is no "output" here'],
    ['{{ input.nope ?? input.gone }}', '$.input.gone is missing'],
    ['{{ true ? input.nope : 1 }}', '$.input.nope is missing'],
    ['{{ first(input.items).nope }}', 'first(input.items).nope is missing'],
  ])('%s is missing_path', (template, message) => {
    expect(errorOf(() => mapped(template))).toContain(
      `missing_path: ${message.startsWith('is') ? '' : message}`,
    );
    expect(errorOf(() => mapped(template))).toContain(message);
  });

  test('the error carries the path', () => {
    expect(() => mapped('{{ input.nope }}')).toThrow(expect.objectContaining({ path: '$.input.nope' }));
  });

  test('a missing path as an operand is null', () => {
    expect(mapped('{{ input.nope == null }}')).toBe(true);
    expect(mapped('{{ [input.nope == null, length(input.nope)] }}')).toEqual([true, null]);
  });

  test('a present null is a value', () => {
    expect(mapped('{{ input.none }}')).toBeNull();
  });

  test('secrets are an error that says where they may be used, and a value where the scope has them', () => {
    expect(errorOf(() => mapped('Bearer {{ secrets.token }}'))).toMatch(
      /^expression: secrets can only be read in/,
    );
    expect(mapped('Bearer {{ secrets.token }}', { secrets: { token: 't' } })).toBe('Bearer t');
    expect(mapped('$..*', { secrets: { token: 't' }, input: {} })).toEqual([{}]);
    expect(problems(compileMapping('$.input[?@ == $.secrets.token]', ''))[0]?.message).toContain('secrets');
  });
});

describe('scope', () => {
  test('a lazy value is computed when it is first read, and once', () => {
    let reads = 0;
    const scope = { input: lazy(() => ({ a: ++reads })), task: lazy(() => expect.unreachable()) };
    expect(mapped({ x: '{{ input.a }}', y: '{{ input.a }}' }, scope)).toEqual({ x: 1, y: 1 });
    expect(mapped('{{ input.a }}', scope)).toBe(1);
  });

  test('tasks and their fields may be lazy too, also in queries', () => {
    const tasks = { a: lazy(() => ({ output: lazy(() => ({ id: 1 })) })), b: { output: { id: 2 } } };
    const scope = { tasks: lazy(() => tasks) };
    expect(mapped('{{ tasks.a.output.id }}', scope)).toBe(1);
    expect(mapped('{{ tasks[*].output.id }}', scope)).toEqual([1, 2]);
    expect(mapped('{{ tasks.a }}', scope)).toEqual({ output: { id: 1 } });
    expect(mapped('{{ tasks }}', scope)).toEqual({ a: { output: { id: 1 } }, b: { output: { id: 2 } } });
    expect(mapped('$..id', scope)).toEqual([1, 2]);
    expect(mapped('$.tasks.b[?@.id > $.tasks.a.output.id].id', scope)).toEqual([2]);
  });

  test('a scope may have a null prototype', () => {
    expect(mapped('$.input.a', Object.assign(Object.create(null), { input: { a: 1 } }))).toBe(1);
  });

  test('other names can be allowed in place of those of a task', () => {
    const options = { roots: ['body', 'headers'] };
    expect(evaluateMapping(must(compileMapping('$.body.id', '', options)), { body: { id: 5 } })).toBe(5);
    expect(problems(compileMapping('$.input.id', '', options))[0]?.hint).toContain('body, headers');
    expect(problems(compileMapping('$.body.id', ''))).toHaveLength(1);
  });
});

describe('problems', () => {
  test('all problems come at once, each with its pointer and position', () => {
    const result = compileMapping(
      {
        a: '{{ inptu.x }}',
        'b/~c': ['ok', '{{ nope( }}', { d: 'x {{ 1 + }} y' }],
        e: '{{ open',
        f: '{{ input.age }}',
      },
      '/nodes/0/config',
    );
    expect(problems(result)).toEqual([
      {
        pointer: '/nodes/0/config/a',
        code: 'expression',
        message: 'at character 4: unknown name "inptu"',
        hint: 'did you mean input?',
      },
      expect.objectContaining({
        pointer: '/nodes/0/config/b~1~0c/1',
        message: 'at character 4: unknown function nope()',
      }),
      expect.objectContaining({
        pointer: '/nodes/0/config/b~1~0c/2/d',
        message: 'at character 10: expected a value, found "}"',
      }),
      expect.objectContaining({
        pointer: '/nodes/0/config/e',
        message: 'at character 4: unknown name "open"',
      }),
    ]);
  });

  test('an unclosed template says so', () => {
    expect(problems(compileMapping('a {{ input.x', ''))[0]).toMatchObject({
      message: 'at character 3: the "{{" is never closed by "}}"',
    });
  });

  test('a text that begins with "$." is told how to stay a text', () => {
    expect(problems(compileMapping('$.50 off', ''))[0]?.hint).toContain('write "$$."');
  });

  test('an expression wrapped in {{ }} is accepted, a part of it is not', () => {
    expect(evaluateMapping(must(compileExpression(' {{ input.age }} ', '')), SCOPE)).toBe(42);
    expect(problems(compileExpression('{{ input.age }} > 1', ''))[0]?.hint).toContain('without {{ }}');
  });
});

describe('references', () => {
  test.each<[string, readonly (readonly [string, readonly (string | number)[], boolean, boolean])[]]>([
    ['input.a.b[0]', [['input', ['a', 'b', 0], true, false]]],
    ["$.tasks['x-y'].output", [['tasks', ['x-y', 'output'], true, false]]],
    ['parameters.a', [['input', ['a'], true, false]]],
    ['input.a[*].b', [['input', ['a'], false, false]]],
    ['input.a..b', [['input', ['a'], false, false]]],
    [
      'input.a[index]',
      [
        ['input', ['a'], false, false],
        ['index', [], true, false],
      ],
    ],
    [
      'input.a ?? input.b',
      [
        ['input', ['a'], true, true],
        ['input', ['b'], true, false],
      ],
    ],
    ['input.a + 1', [['input', ['a'], true, true]]],
    ['!input.a', [['input', ['a'], true, true]]],
    ['count(input.a)', [['input', ['a'], true, true]]],
    [
      'input.a ? input.b : input.c',
      [
        ['input', ['a'], true, true],
        ['input', ['b'], true, false],
        ['input', ['c'], true, false],
      ],
    ],
    ['[input.a]', [['input', ['a'], true, false]]],
    ['(input.a ?? 1) == 1', [['input', ['a'], true, true]]],
    [
      'input[?@.x == $.tasks.t.output]',
      [
        ['input', [], false, false],
        ['tasks', ['t', 'output'], true, true],
      ],
    ],
    ['$..x', [['$', [], false, false]]],
    ['secrets.token', [['secrets', ['token'], true, false]]],
    ['first(tasks.t.output).id', [['tasks', ['t', 'output'], true, true]]],
  ])('%s reads %j', (expression, expected) => {
    const { references } = must(compileExpression(expression, '/p'));
    expect(references.map(({ root, path, complete, guarded }) => [root, path, complete, guarded])).toEqual(
      expected,
    );
    expect(references.every(({ pointer }) => pointer === '/p')).toBe(true);
  });

  test('references name the pointer of their text', () => {
    const { references } = must(compileMapping({ a: ['{{ input.x }}', 'y {{ item }}'] }, '/m'));
    expect(references.map(({ pointer }) => pointer)).toEqual(['/m/a/0', '/m/a/1']);
  });
});
