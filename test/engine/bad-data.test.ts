// Results, errors and costs that cannot be stored: the task fails clearly, nothing hangs, nobody else is harmed.
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { RetryableError, TerminalError } from '../../src/core/errors.ts';
import { type Body, definition, type Engine, gate, graph, openEngine } from '../support/engine.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine({ concurrency: 16 });
});
afterEach(() => engine.expectSound());
afterAll(() => engine.close());

const circular: Record<string, unknown> = {};
circular.self = { circular };
const deep = JSON.parse(`${'['.repeat(300)}${']'.repeat(300)}`);
const hostile = {
  get boom() {
    throw new Error('a getter');
  },
};

const BAD: readonly [string, unknown, string][] = [
  ['a NUL in a text', { a: ['x\u0000y'] }, 'unstorable_output'],
  ['a NUL in a key', { 'a\u0000': 1 }, 'unstorable_output'],
  ['a lone surrogate', 'half \ud83d', 'unstorable_output'],
  ['NaN', { n: Number.NaN }, 'unstorable_output'],
  ['Infinity', [Number.POSITIVE_INFINITY], 'unstorable_output'],
  ['an integer beyond 2^53', 2 ** 53 + 2, 'unstorable_output'],
  ['a BigInt', 10n, 'unstorable_output'],
  ['a function', { f: () => 1 }, 'unstorable_output'],
  ['a symbol', Symbol('s'), 'unstorable_output'],
  ['a circle', circular, 'unstorable_output'],
  ['a Map', new Map([['a', 1]]), 'unstorable_output'],
  ['a Set in an object', { found: new Set([1]) }, 'unstorable_output'],
  ['undefined in a list', [1, undefined], 'unstorable_output'],
  ['too deep a nesting', deep, 'unstorable_output'],
  ['a getter that throws', hostile, 'unstorable_output'],
  ['more than 1 MB', 'x'.repeat(1_000_001), 'payload_too_large'],
];

describe('a task that returns', () => {
  test.for(BAD)('%s fails with its own error at once', async ([, value, code]) => {
    engine.bodies.bad = () => value;
    const run = await engine.run(graph('bad -> after', { tasks: { bad: { retry: { maxAttempts: 3 } } } }));
    expect(run.states).toBe('bad failed, after skipped upstream_failed');
    expect(run.task('bad').error).toMatchObject({ code, attempts: 1 });
    expect(run.task('bad').error!.message).toMatch(/^Task "bad": its output /);
    expect(run.execution).toMatchObject({ status: 'failed', error: { code } });
  });

  test('nothing, a Date and a class instance is stored as JSON has it', async () => {
    class Point {
      x = 1;
    }
    engine.bodies.none = () => undefined;
    engine.bodies.date = () => ({ at: new Date(0), point: new Point(), left: undefined });
    const run = await engine.run(graph('none; date'));
    expect(run.task('none').output).toBeNull();
    expect(run.task('date').output).toEqual({ at: '1970-01-01T00:00:00.000Z', point: { x: 1 } });
  });
});

test('what the database itself refuses fails the task, and harms none of those that settle with it', async () => {
  // `branch` is no JSON that anything checks: only the statement that stores it fails. All bodies end at once.
  const barrier = gate();
  const good = Array.from({ length: 12 }, (_, i) => `g${i}`);
  let inside = 0;
  for (const id of good)
    engine.bodies[id] = async () => {
      if (++inside === good.length) barrier.open();
      await barrier.opened;
    };
  engine.bodies.release = () => barrier.opened;
  // No definition can hold a NUL: the expression makes one.
  const one = graph(`${good.join('; ')}; release -> poison`, {
    failurePolicy: 'continue',
    tasks: { poison: { taskType: 'condition', config: { value: `parseJson('"a\\\\u0000b"')` } } },
  });
  const run = await engine.run(one);
  expect(run.task('poison')).toMatchObject({ status: 'failed', error: { code: 'unstorable_output' } });
  expect(run.tasks.filter(({ status }) => status === 'completed')).toHaveLength(13);
  expect(run.tasks.filter(({ attempt }) => attempt !== 1)).toEqual([]);
});

test('files of the server that cannot be written for a while fail no task: the results are sent again', async ({
  onTestFinished,
}) => {
  const engine = await openEngine({ concurrency: 16, faults: false });
  const admin = new pg.Client({ connectionString: engine.database.url });
  await admin.connect();
  onTestFinished(async () => {
    await admin.end();
    await engine.close();
  });
  // A sequence counts on in what is rolled back.
  await admin.query(`
    create sequence public.refusals;
    grant usage on sequence public.refusals to public;
    create function public.refuse() returns trigger language plpgsql as $$ begin
      if nextval('public.refusals') <= 15 then
        raise exception 'could not write block 7 in file "base/1/2": Input/output error' using errcode = '58030';
      end if;
      return new;
    end $$;
    create trigger refuse before update on dagwright.task_executions for each row execute function public.refuse()`);
  const runs = await Promise.all([engine.run(graph('a -> b -> c')), engine.run(graph('x; y; z'))]);
  expect(runs.map(({ execution }) => execution.status)).toEqual(['completed', 'completed']);
  const { rows } = await admin.query('select last_value::int as n from public.refusals');
  expect(rows[0].n).toBeGreaterThan(15);
  expect(engine.logged.join()).toContain('cannot read or write its files');
});

test('what is refused delays nothing else: other executions that settle in the same batch go on at once', async ({
  onTestFinished,
}) => {
  // Without faults: what a lost answer leads to is logged as well.
  const engine = await openEngine({ concurrency: 16, faults: false });
  onTestFinished(() => engine.close());
  for (let round = 0; round < 5; round++) {
    const barrier = gate();
    let inside = 0;
    const body = async () => {
      if (++inside === 9) barrier.open();
      await barrier.opened;
    };
    for (const id of ['item', 'good', 'release']) engine.bodies[id] = body;
    const definitions = [
      graph('release -> poison', {
        tasks: { poison: { taskType: 'condition', config: { value: `parseJson('"a\\\\u0000b"')` } } },
      }),
      graph('item -> next', {
        tasks: {
          item: { taskType: 'parallel', config: { items: [1, 2, 3, 4], task: { taskType: 'probe' } } },
        },
      }),
      ...Array.from({ length: 4 }, () => graph('good -> next')),
    ];
    const [poisoned, ...others] = await Promise.all(definitions.map((one) => engine.run(one)));
    expect(poisoned!.task('poison').error).toMatchObject({ code: 'unstorable_output' });
    expect(others.map(({ execution }) => execution.status)).toEqual(Array(5).fill('completed'));
  }
  // Nothing was refused as stale, and no claim had to be found again.
  expect(engine.logged).toEqual([]);
});

const THROWN: readonly [string, Body, object][] = [
  [
    'a message with NULs and half characters',
    () => {
      throw new Error('a\u0000b \ud83d');
    },
    { code: 'handler_error', message: 'a\ufffdb \ufffd' },
  ],
  [
    'details that cannot be stored',
    () => {
      throw new TerminalError('odd', 'no', { details: { n: 1n } as never });
    },
    { code: 'odd', message: 'no', details: null },
  ],
  [
    'a very long message',
    () => {
      throw new Error('x'.repeat(5_000_000));
    },
    { code: 'handler_error', message: `${'x'.repeat(4000)}…` },
  ],
  [
    'a text',
    () => {
      throw 'just text';
    },
    { code: 'handler_error', message: 'just text' },
  ],
  [
    'nothing',
    () => {
      throw undefined;
    },
    { code: 'handler_error', message: 'undefined' },
  ],
  [
    'an object without a text',
    () => {
      throw Object.assign(Object.create(null), { n: 1n });
    },
    { code: 'handler_error', message: 'something was thrown that has no text' },
  ],
  [
    'an error without code and message',
    () => {
      throw Reflect.construct(TerminalError, []);
    },
    { code: 'undefined' },
  ],
  [
    'after a usage that cannot be stored',
    ({ addCost }) => {
      addCost('0.5', { note: 'a\u0000' });
    },
    { code: 'unstorable_output', message: expect.stringContaining('addCost') },
  ],
  [
    'a retry that asks for an absurd delay, without one left',
    () => {
      throw new RetryableError('later', { retryAfter: Number.MAX_VALUE });
    },
    { code: 'handler_error', message: 'later' },
  ],
];

test.for(THROWN)('a task that throws %s fails with what can be shown of it', async ([, body, error]) => {
  engine.bodies.bad = body;
  const run = await engine.run(graph('bad'));
  expect(run.task('bad')).toMatchObject({ status: 'failed', error });
});

test('a retry after an absurd delay is stored, and can be cancelled', async () => {
  engine.bodies.bad = ({ attempt }) => {
    if (attempt === 1) throw new RetryableError('later', { retryAfter: Number.NaN });
    return 'second';
  };
  const run = await engine.run(
    graph('bad', { tasks: { bad: { retry: { maxAttempts: 2, initialIntervalSeconds: 0.01 } } } }),
  );
  expect(run.task('bad')).toMatchObject({ status: 'completed', attempt: 2 });
});

test('an output that is only too big as a whole fails the execution, not a task', async () => {
  const big = 'x'.repeat(900_000);
  const leaves = Array.from({ length: 20 }, (_, i) => `t${i}`);
  for (const id of leaves) engine.bodies[id] = () => big;
  const run = await engine.run(graph(leaves.join('; ')));
  expect(run.execution).toMatchObject({ status: 'failed', error: { code: 'payload_too_large' } });
  expect(run.tasks.filter(({ status }) => status !== 'completed')).toEqual([]);
});

test('an input that PostgreSQL cannot store is refused at the start, and starts nothing', async () => {
  await engine.apply(
    definition([{ taskId: 'a', taskType: 'probe', dependsOn: [], config: {} }], { workflowId: 'storable' }),
  );
  await expect(engine.start('storable', { input: { a: 'x\u0000' } })).rejects.toThrow();
  expect(
    await engine.query(`select from dagwright.workflow_executions where workflow_id = 'storable'`),
  ).toEqual([]);
});

test('all expressions of an attempt have the steps of one evaluation together', async () => {
  const cases = Array.from({ length: 60 }, () => ({ when: 'count(input.list[?@ < 0]) > 0', branch: 'x' }));
  const flow = graph('c', { tasks: { c: { taskType: 'condition', config: { cases, default: 'y' } } } });
  const input = { list: Array.from({ length: 100_000 }, (_, i) => i) };
  const run = await engine.run(flow, { input });
  expect(run.task('c')).toMatchObject({
    status: 'failed',
    error: { message: expect.stringContaining('too many steps') },
  });
});
