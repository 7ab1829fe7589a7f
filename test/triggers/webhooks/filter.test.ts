// A webhook's filters: OR within a logicGroup, AND between groups, and never an exception.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { STRUCTURED_OPERATORS } from '../../../src/core/expression/syntax/structured.ts';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import { MAX_FILTERS } from '../../../src/core/trigger/webhook.ts';
import { eventScope } from '../../../src/triggers/webhooks/event/event-scope.ts';
import { compileFilters } from '../../../src/triggers/webhooks/event/filter.ts';
import { compileInputMapping } from '../../../src/triggers/webhooks/event/mapping.ts';
import { cpuMs } from '../../support/cpu-time.ts';
import { depth } from '../../support/depth.ts';
import { patience } from '../../support/patience.ts';

const BODY: Json = {
  action: 'opened',
  n: 5,
  none: null,
  yes: true,
  tags: ['a', 'b'],
  'a-b': 1,
  text: '{{ x }} $.y',
  nested: { list: [{ id: 9 }] },
  o: { a: 1 },
};
const scopeOf = (body: Json) =>
  eventScope({
    eventId: 'e',
    receivedAt: '2026-11-20T17:00:00.000Z',
    method: 'POST',
    headers: { 'x-github-event': 'push' },
    query: { q: '1' },
    body,
  });

function passes(filters: Json | undefined, scope = scopeOf(BODY)): boolean | string[] {
  const compiled = compileFilters(filters);
  return compiled.ok
    ? compiled.value(scope)
    : compiled.problems.map(({ pointer, hint }) => (hint === undefined ? pointer : `${pointer} (${hint})`));
}
const f = (fieldPath: string, operator: string, value?: Json, logicGroup?: Json): JsonObject => ({
  fieldPath,
  operator,
  ...(value === undefined ? {} : { value }),
  ...(logicGroup === undefined ? {} : { logicGroup }),
});

describe('operators', () => {
  it.each<[string, string, Json | undefined, boolean]>([
    ['body.action', 'equals', 'opened', true],
    ['body.action', 'equals', 'closed', false],
    ['body.n', 'equals', 5, true],
    ['body.n', 'equals', '5', false],
    ['body.o', 'equals', { a: 1 }, true],
    ['body.none', 'equals', null, true],
    ['body.gone', 'equals', null, true],
    ['body.action', 'not_equals', 'opened', false],
    ['body.action', 'not_equals', 'x', true],
    ['body.gone', 'not_equals', 'x', true],
    ['body.action', 'contains', 'pen', true],
    ['body.tags', 'contains', 'b', true],
    ['body.tags', 'contains', 'c', false],
    ['body.n', 'contains', 'x', false],
    ['body.tags', 'not_contains', 'c', true],
    ['body.tags', 'not_contains', 'a', false],
    ['body.gone', 'not_contains', 'a', true],
    ['body.action', 'regex', '^open', true],
    ['body.action', 'regex', 'ned$', true],
    ['body.action', 'regex', '^x', false],
    ['body.n', 'regex', '5', false],
    ['body.n', 'gt', 4, true],
    ['body.n', 'gt', 5, false],
    ['body.n', 'gte', 5, true],
    ['body.n', 'gte', 6, false],
    ['body.n', 'lt', 6, true],
    ['body.n', 'lt', 5, false],
    ['body.n', 'lte', 5, true],
    ['body.n', 'lte', 4, false],
    ['body.n', 'gt', '4', false],
    ['body.n', 'lt', '6', false],
    ['body.gone', 'gt', 0, false],
    ['body.none', 'lte', 0, false],
    ['body.action', 'gt', 'abc', true],
    ['body.action', 'in', ['opened', 'closed'], true],
    ['body.action', 'in', ['closed'], false],
    ['body.action', 'not_in', ['closed'], true],
    ['body.action', 'not_in', ['opened'], false],
    ['body.none', 'exists', undefined, true],
    ['body.gone', 'exists', undefined, false],
    ['body.gone.deep', 'exists', undefined, false],
    ['body.gone', 'not_exists', undefined, true],
    ['body.none', 'not_exists', undefined, false],
  ])('%s %s %j: %s', (path, operator, value, expected) =>
    expect(passes([f(path, operator, value)])).toBe(expected),
  );

  it('are exactly those of structured conditions', () => {
    for (const operator of STRUCTURED_OPERATORS) {
      const value =
        operator === 'in' || operator === 'not_in' ? ['x'] : /exists/.test(operator) ? undefined : 'x';
      expect(typeof passes([f('body.action', operator, value)]), operator).toBe('boolean');
    }
    expect(passes([f('body.a', 'equal', 1)])).toEqual(['/filters/0/operator (equals)']);
  });

  it('take their values as they are: templates in them are text', () => {
    const body = { a: '{{ body.b }}', b: 'x', c: '$.body.b', d: '$$.x', e: '\\{{', list: ['{{ method }}'] };
    for (const [key, value] of Object.entries(body))
      expect(passes([f(`body.${key}`, 'equals', value)], scopeOf(body)), key).toBe(true);
    expect(passes([f('body.a', 'equals', '{{ body.a }}')], scopeOf(body))).toBe(false);
    expect(passes([f('body.c', 'regex', '^\\$\\.body')], scopeOf(body))).toBe(true);
    expect(passes([f('body.c', 'in', ['$.body.b'])], scopeOf(body))).toBe(true);
  });
});

describe('paths', () => {
  it.each(['body.action', '$.body.action', "body['action']", '$["body"]["action"]', ' body.action '])(
    '%s',
    (path) => expect(passes([f(path, 'equals', 'opened')])).toBe(true),
  );
  it.each([
    'headers.x-github-event',
    'headers.X-GitHub-Event',
    "headers['X-GitHub-Event']",
    '$.headers["x-github-event"]',
    'trigger.headers.X-Github-Event',
  ])('%s', (path) => expect(passes([f(path, 'equals', 'push')])).toBe(true));
  it.each([
    ['body.a-b', 1],
    ['body.nested.list[0].id', 9],
    ['body.nested.list.0.id', 9],
    ['body.nested.list[-1].id', 9],
    ['method', 'POST'],
    ['query.q', '1'],
    ['body.nested.list[*].id', [9]],
    ['lower(body.action)', 'opened'],
  ] as const)('%s', (path, value) => expect(passes([f(path, 'equals', value as Json)])).toBe(true));
  it('of unknown names are refused with the nearest one', () => {
    expect(passes([f('bdy.action', 'exists')])).toEqual(['/filters/0/fieldPath (did you mean body?)']);
    expect(
      passes([
        f('tasks.a', 'exists'),
        f('secrets.x', 'exists'),
        f('', 'exists'),
        f('42', 'exists'),
        f('body.', 'exists'),
        f("concat(headers['X-A'], '')", 'exists'),
      ]),
    ).toEqual([
      expect.stringMatching('^/filters/0/fieldPath'),
      expect.stringMatching('^/filters/1/fieldPath'),
      expect.stringMatching('^/filters/2/fieldPath'),
      '/filters/3/fieldPath (body.action)',
      expect.stringMatching('^/filters/4/fieldPath'),
      '/filters/5/fieldPath (headers["x-a"])',
    ]);
  });
});

describe('groups', () => {
  const yes = f('body.action', 'equals', 'opened');
  const no = f('body.action', 'equals', 'closed');
  const in_ = (filter: JsonObject, logicGroup: Json): JsonObject => ({ ...filter, logicGroup });

  it('no filters let everything pass', () => {
    for (const none of [undefined, null, []]) expect(passes(none)).toBe(true);
  });
  it('each filter without a group must hold', () => {
    expect(passes([yes, yes])).toBe(true);
    expect(passes([yes, no])).toBe(false);
    expect(passes([in_(no, null), yes])).toBe(false);
  });
  it('one of a group is enough, one of each group is needed', () => {
    expect(passes([in_(no, 'a'), in_(yes, 'a')])).toBe(true);
    expect(passes([in_(no, 'a'), in_(yes, 'a'), in_(no, 'b')])).toBe(false);
    expect(passes([in_(no, 'a'), in_(yes, 'b'), in_(yes, 'a'), in_(no, 'b')])).toBe(true);
    expect(passes([in_(no, 1), in_(yes, '1')])).toBe(true);
    expect(passes([in_(yes, ''), in_(no, '')])).toBe(true);
    expect(passes([no, in_(yes, '#0')])).toBe(false);
  });
  it('follow the truth table of AND over OR', () => {
    const groups = fc.array(fc.tuple(fc.boolean(), fc.constantFrom<Json>('a', 'b', 1, null)), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(groups, (rows) => {
        const alone = rows.filter(([, group]) => group === null).every(([holds]) => holds);
        const named = new Set(rows.map(([, group]) => group).filter((group) => group !== null));
        const all = [...named].every((group) => rows.some(([holds, other]) => other === group && holds));
        return passes(rows.map(([holds, group]) => in_(holds ? yes : no, group))) === (alone && all);
      }),
    );
  });
});

describe('bad filters', () => {
  it('are all named at once', () => {
    expect(
      passes([
        f('body.a', 'resembles', 'x'),
        { fieldPath: 7, operator: 'equals', value: 1 },
        f('body.a', 'equals'),
        f('body.a', 'exists', 1),
        f('body.a', 'in', 'x'),
        f('body.a', 'regex', '('),
        f('body.a', 'regex', '(?=x)'),
        { ...f('body.a', 'exists'), logicGroup: {} },
        { ...f('body.a', 'exists'), fieldpath: 'x' },
        'x',
        null,
        { fieldPath: 'body.a' },
        f('body.a', 'exists'),
      ]),
    ).toEqual([
      '/filters/0/operator',
      '/filters/1/fieldPath',
      '/filters/2',
      '/filters/3/value',
      '/filters/4/value',
      '/filters/5/value',
      '/filters/6/value',
      '/filters/7/logicGroup',
      '/filters/8/fieldpath (fieldPath)',
      '/filters/9',
      '/filters/10',
      '/filters/11/operator',
    ]);
    for (const wrong of ['x', {}, 1, Array.from({ length: 101 }, () => f('body.a', 'exists'))])
      expect(passes(wrong as Json)).toEqual(['/filters']);
  });
});

describe('whatever the event is', () => {
  it('a filter is true or false, and nothing throws', () => {
    const filters = fc.array(
      fc.record({
        fieldPath: fc.constantFrom(
          'body',
          'body.a',
          'body[*].a',
          'body..a',
          'headers.X',
          'body.a + 1',
          'body.a.b[0]',
        ),
        operator: fc.constantFrom(...STRUCTURED_OPERATORS),
        value: fc.jsonValue() as fc.Arbitrary<Json>,
      }),
    );
    fc.assert(
      fc.property(filters, fc.jsonValue() as fc.Arbitrary<Json>, (given, body) => {
        const list = given.map((filter) =>
          /exists/.test(filter.operator) ? f(filter.fieldPath, filter.operator) : filter,
        );
        const result = passes(list, scopeOf(body));
        return typeof result === 'boolean' || result.length > 0;
      }),
      { numRuns: depth(1000) },
    );
  });
  it('one that cannot be evaluated is false, and its group may still hold', () => {
    const failing = f('body.o + 1', 'not_equals', 0, 'g');
    expect(passes([failing])).toBe(false);
    expect(passes([failing, f('body.action', 'equals', 'opened', 'g')])).toBe(true);
  });
});

const PULL = fileURLToPath(
  new URL('../../../../shared/data/webhooks/github/pull_request__opened.payload.json', import.meta.url),
);
it.skipIf(!existsSync(PULL))(
  'filters a real pull request (skipped where ../shared/data/webhooks is absent)',
  () => {
    const scope = scopeOf(JSON.parse(readFileSync(PULL, 'utf8')) as Json);
    expect(
      passes(
        [
          f('body.action', 'in', ['opened', 'reopened']),
          f('body.pull_request.draft', 'equals', false),
          f('body.number', 'gte', 1),
        ],
        scope,
      ),
    ).toBe(true);
    expect(passes([f('body.pull_request.merged', 'equals', true)], scope)).toBe(false);
    expect(
      passes(
        [
          f('body.repository.full_name', 'regex', '^Codertocat/'),
          f('body.pull_request.user.type', 'equals', 'Bot', 1),
          f('body.sender.type', 'equals', 'User', 1),
        ],
        scope,
      ),
    ).toBe(true);
  },
);

describe('a delivery', () => {
  it('has the steps of one evaluation for all of its filters and its mapping', () => {
    const text = 'x'.repeat(500_000);
    const filters = Array.from({ length: MAX_FILTERS }, (_, i) =>
      f('body.text', 'regex', `x{${100 + i}}y`, 'any'),
    );
    const scope = scopeOf({ text });
    const ms = cpuMs(() => expect(passes(filters, scope)).toBe(false));
    expect(ms).toBeLessThan(patience(1_500));
    const mapping = compileInputMapping({ a: '{{ lower(body.text) }}' });
    expect(mapping.ok && mapping.value(scope)).toMatchObject({
      ok: false,
      problems: [{ code: 'expression', message: expect.stringContaining('too many steps') }],
    });
    // The next delivery has its own.
    expect(mapping.ok && mapping.value(scopeOf({ text }))).toMatchObject({ ok: true });
  });

  it('of honest size passes a hundred filters', () => {
    const body = {
      ...BODY,
      text: 'order '.repeat(10_000),
      tags: Array.from({ length: 1_000 }, (_, i) => `tag ${i}`),
    };
    const filters = Array.from({ length: MAX_FILTERS }, (_, i) =>
      i % 2 === 0 ? f('body.text', 'contains', 'order') : f('body.tags', 'contains', `tag ${i}`),
    );
    expect(passes(filters, scopeOf(body))).toBe(true);
  });
});
