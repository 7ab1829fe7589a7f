// Whatever fails, the library throws a DagwrightError: a code of the table, a hint, and what failed below as its cause.
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { meaningsOf } from '../../src/core/codes/code-table.ts';
import {
  Dagwright,
  DagwrightError,
  defineTask,
  ExecutionFailed,
  type StartOptions,
  workflow,
} from '../../src/index.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let dagwright: Dagwright;
beforeAll(async () => {
  database = await createDatabase();
  dagwright = await Dagwright.connect({ databaseUrl: database.url, actor: 'failures' });
  const nodes = [{ taskId: 'f', taskType: 'fail' }];
  await dagwright.apply({ workflowId: 'plain', nodes }, { workflowId: 'exclusive', minTier: 3, nodes });
});
afterAll(async () => {
  await dagwright?.close();
  await database?.drop();
});

/** The error, which is as all must be. */
async function failureOf(work: () => unknown): Promise<DagwrightError> {
  const error: unknown = await (async () => work())().then(
    () => 'done',
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(DagwrightError);
  const { code, hint, problems, message } = error as DagwrightError;
  expect(meaningsOf(code), code).not.toEqual([]);
  expect(hint, message).toMatch(/\w/);
  expect(problems.length).toBeGreaterThan(0);
  for (const problem of problems) expect(meaningsOf(problem.code), problem.code).not.toEqual([]);
  return error as DagwrightError;
}

describe('connect', () => {
  const url = (change: (url: URL) => void) => {
    const changed = new URL(database.url);
    change(changed);
    return String(changed);
  };

  test.each([
    ['a server that is not there', () => ({ databaseUrl: 'postgres://127.0.0.1:1/none' }), 'database'],
    ['no such database', () => ({ databaseUrl: url((one) => (one.pathname = '/nobodys')) }), 'database'],
    ['no such login', () => ({ databaseUrl: url((one) => (one.username = 'nobody_at_all')) }), 'database'],
    [
      'a folder that cannot be made',
      () => ({ home: '/dev/null/home', environment: { DATABASE_URL: undefined } }),
      'embedded_database',
    ],
  ])('%s', async (_, options, code) => {
    const error = await failureOf(() => Dagwright.connect(options()));
    expect(error.code).toBe(code);
    expect(error.cause).toBeInstanceOf(Error);
  });

  test('settings and types that are none', async () => {
    const one = defineTask({ type: 'twice', run: () => null });
    const settings = { databaseUrl: database.url };
    const codes = [
      await failureOf(() => Dagwright.connect({ ...settings, tasks: [one, one] })),
      await failureOf(() => Dagwright.connect({ ...settings, actor: 'system' })),
      await failureOf(() => Dagwright.connect({ ...settings, tenant: 'nobody' })),
      await failureOf(() => defineTask({ type: 'Not a name', run: () => null })),
      await failureOf(() => defineTask({ type: 'wait', run: () => null })),
      await failureOf(() => defineTask({ type: 'mine', timeoutSeconds: -1, run: () => null })),
      await failureOf(() =>
        defineTask({ type: 'mine', configSchema: { type: 'nonsense' }, run: () => null }),
      ),
    ].map(({ code }) => code);
    expect(codes).toEqual([
      ...['validation', 'validation', 'not_found', 'validation', 'validation', 'validation', 'validation'],
    ]);
  });
});

test('a workflow that JSON cannot hold', async () => {
  const output = { mine: 1n } as never;
  const error = await failureOf(() =>
    workflow({ workflowId: 'x', nodes: [{ taskId: 'f', taskType: 'fail' }], output }),
  );
  expect(error.code).toBe('not_json');
});

test('a task type that nobody knows: apply names the option of connect, not the setting of the command line', async () => {
  const error = await dagwright
    .apply({ workflowId: 'typo', nodes: [{ taskId: 'a', taskType: 'gret' }] } as never)
    .catch((failure: unknown) => failure);
  expect(error).toMatchObject({
    problems: [{ code: 'unknown_type', hint: 'own types are given to Dagwright.connect({ tasks: [ … ] })' }],
  });
});

describe('a worker', () => {
  test('does not start on a database that would not keep tenants apart', async () => {
    const admin = new pg.Client({ connectionString: database.url });
    await admin.connect();
    try {
      await admin.query('alter table dagwright.schedules no force row level security');
      const error = await failureOf(() => dagwright.startWorker());
      expect(error).toMatchObject({ code: 'isolation', message: expect.stringContaining('schedules') });
    } finally {
      await admin.query('alter table dagwright.schedules force row level security');
      await admin.end();
    }
  });
});

describe('a start', () => {
  test.each<[pointer: string, options: StartOptions]>([
    ['/priority', { priority: 11 }],
    ['/priority', { priority: 1.5 }],
    ['/revision', { revision: 0 }],
    ['/runAt', { runAt: new Date('nonsense') }],
    ['/idempotencyKey', { idempotencyKey: '' }],
    ['/idempotencyKey', { idempotencyKey: 'k'.repeat(501) }],
  ])('a wrong %s is refused before anything is asked', async (pointer, options) => {
    const error = await failureOf(() => dagwright.start('plain', {}, options));
    expect(error).toMatchObject({ code: 'validation', problems: [{ pointer }] });
  });

  test('tells all that is wrong with its options at once', async () => {
    const error = await failureOf(() => dagwright.start('plain', {}, { priority: 0, revision: -1 }));
    expect(error.problems.map(({ pointer }) => pointer)).toEqual(['/priority', '/revision']);
  });

  test('whose result is waited for: the execution comes with the error', async () => {
    await dagwright.startWorker({ concurrency: 1 });
    const run = await dagwright.start('plain');
    const error = await failureOf(() => run.result());
    expect(error).toBeInstanceOf(ExecutionFailed);
    expect(error).toMatchObject({ code: 'execution_failed', execution: { id: run.id, status: 'failed' } });
    await dagwright.stopWorker();
  });
});

describe('a start in a transaction of the program', () => {
  let client: pg.Client;
  beforeAll(async () => {
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query('begin');
  });
  afterAll(async () => {
    await client.end();
  });
  /** Undone afterwards, with what `before` changed. */
  const refusedAfter = async (before: string, workflowId: string, options: StartOptions = {}) => {
    await client.query('savepoint before');
    try {
      if (before !== '') await client.query(before);
      return await failureOf(() => dagwright.start(workflowId, {}, { ...options, client }));
    } finally {
      await client.query('rollback to before');
    }
  };

  test.each<[code: string, before: string, workflowId: string, options: StartOptions]>([
    ['not_found', '', 'nobody', {}],
    ['not_active', `update dagwright.workflow_definitions set status = 'archived'`, 'plain', {}],
    ['tier_too_low', '', 'exclusive', {}],
    ['tenant_suspended', `update dagwright.tenants set status = 'suspended'`, 'plain', {}],
    ['too_many_starts', 'update dagwright.tenants set max_starts_per_minute = 0', 'plain', {}],
    ['too_many_waiting', 'update dagwright.tenants set max_waiting_executions = 0', 'plain', {}],
    ['payload_too_large', '', 'plain', { metadata: { note: 'x'.repeat(17_000) } }],
    ['database', 'set local role pg_monitor', 'plain', {}],
  ])('%s: the code of the refusal, with the SQLSTATE as cause', async (code, before, workflowId, options) => {
    const error = await refusedAfter(before, workflowId, options);
    expect(error.code).toBe(code);
    expect((error.cause as { code?: string }).code).toMatch(/^[0-9A-Z]{5}$/);
  });

  test('a revision that is not there is named', async () => {
    const error = await refusedAfter('', 'plain', { runAt: new Date(), revision: 17 });
    expect(error).toMatchObject({
      code: 'not_found',
      message: expect.stringMatching(/"plain" with revision 17/),
    });
  });

  test('a transaction that has failed says so', async () => {
    await client.query('savepoint before');
    await client.query('select 1 / 0').catch(() => {});
    const error = await failureOf(() => dagwright.start('plain', {}, { client }));
    expect(error).toMatchObject({ code: 'database', hint: expect.stringContaining('roll it back') });
    await client.query('rollback to before');
  });
});

describe('after close', () => {
  test('every call says that the connection was closed', async () => {
    const closed = await Dagwright.connect({ databaseUrl: database.url });
    await closed.close();
    const id = '00000000-0000-7000-8000-000000000abc';
    const calls: readonly (() => unknown)[] = [
      () => closed.start('plain'),
      () => closed.apply({ workflowId: 'x', nodes: [{ taskId: 'f', taskType: 'fail' }] }),
      () => closed.get(id),
      () => closed.wait(id),
      () => closed.cancel(id),
      () => closed.events(id).next(),
      () => closed.startWorker(),
    ];
    for (const call of calls) expect((await failureOf(call)).code).toBe('closed');
  });
});
