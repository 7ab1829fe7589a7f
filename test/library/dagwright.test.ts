// The library on a database: all that it does beside the engine, which has tests of its own.
import pg from 'pg';
import { Type } from 'typebox';
import { afterAll, beforeAll, describe, expect, expectTypeOf, test, vi } from 'vitest';
import {
  Dagwright,
  DagwrightError,
  defineTask,
  ExecutionFailed,
  type Run,
  workflow,
} from '../../src/index.ts';
import { createDatabase, createEmptyDatabase, type TestDatabase } from '../support/database.ts';
import { isFullDepth } from '../support/depth.ts';

const TONE = 'never-to-be-seen';
const greet = defineTask({
  type: 'greet',
  configSchema: Type.Object({ name: Type.String(), times: Type.Optional(Type.Integer()) }),
  outputSchema: Type.Object({ text: Type.String() }),
  secrets: ['TONE'],
  async run({ config, secrets }) {
    return { text: `Hello ${config.name}${secrets.TONE}` };
  },
});
const hello = workflow({
  workflowId: 'hello',
  inputSchema: Type.Object({ who: Type.String() }),
  outputSchema: { type: 'object', properties: { said: { type: 'string' } }, required: ['said'] },
  nodes: [
    { taskId: 'hi', taskType: greet, config: { name: '{{ input.who }}' } },
    { taskId: 'end', taskType: 'transformation', dependsOn: ['hi'], config: { output: 1 } },
  ],
  output: { said: '{{ tasks.hi.output.text }}' },
});
const failing = workflow({
  workflowId: 'failing',
  nodes: [{ taskId: 'f', taskType: 'fail', config: { code: 'broken', message: 'as planned' } }],
});
const waiting = workflow({
  workflowId: 'waiting',
  nodes: [{ taskId: 'w', taskType: 'wait', config: { seconds: 3000 } }],
});

let database: TestDatabase;
let dagwright: Dagwright;
beforeAll(async () => {
  database = await createDatabase();
  dagwright = await Dagwright.connect({
    databaseUrl: database.url,
    tasks: [greet],
    environment: { DAGWRIGHT_SECRET_TONE: TONE },
  });
  await dagwright.apply(hello, failing, waiting);
  await dagwright.startWorker({ concurrency: 4 });
});
afterAll(async () => {
  await dagwright?.close();
  await database?.drop();
});
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    (error: unknown) => (error instanceof DagwrightError ? error.code : error),
  );

describe('a run', () => {
  test('gives its result, typed by the schemas of the workflow', async () => {
    const run = await dagwright.start(hello, { who: 'Ada' });
    expectTypeOf(run).toEqualTypeOf<Run<{ said: string }>>();
    const { said } = await run.result();
    expect(said).toContain('Hello Ada');
    expect(said).not.toContain(TONE);
    expect(await run.get()).toMatchObject({
      status: 'completed',
      tasks: [{ taskId: 'hi' }, { taskId: 'end' }],
    });
    // @ts-expect-error the input is misspelt
    const wrong = dagwright.start(hello, { whom: 'Ada' });
    expect(await codeOf(wrong)).toBe('validation');
  });

  test('with the same idempotency key is the first; with another request it is refused', async () => {
    const start = (who: string) => dagwright.start(hello, { who }, { idempotencyKey: 'order-1' });
    const first = await start('Ada');
    const again = await start('Ada');
    expect([first.existing, again.existing, again.id]).toEqual([false, true, first.id]);
    expect(await codeOf(start('Eve'))).toBe('key_reused');
  });

  test('that fails throws what it failed of', async () => {
    const run = await dagwright.start('failing');
    const error = await run.result().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ExecutionFailed);
    expect(error).toMatchObject({
      message: expect.stringContaining('broken: as planned'),
      execution: { status: 'failed', error: { code: 'broken' } },
    });
    expect(await run.wait()).toMatchObject({ status: 'failed' });
  });

  test('is waited for as long as is said, and cancelled', async () => {
    const run = await dagwright.start('waiting');
    expect(await codeOf(run.wait({ timeoutMs: 1 }))).toBe('timeout');
    expect(await run.wait({ signal: AbortSignal.abort('enough') }).catch((reason: unknown) => reason)).toBe(
      'enough',
    );
    const ended = run.wait();
    expect(await run.cancel('not needed')).toBe('cancelled');
    expect(await ended).toMatchObject({ status: 'cancelled', error: { message: 'not needed' } });
    expect(await run.cancel()).toBe('cancelled');
  });

  test('tells each task that ended, and its end; and goes on after any of them', async () => {
    const run = await dagwright.start(hello, { who: 'Bob' });
    const seen: string[] = [];
    const seqs: number[] = [];
    for await (const event of run.events()) {
      seen.push(event.type === 'task' ? event.task.taskId : `${event.type} ${event.status}`);
      if (event.type === 'task') seqs.push(event.seq);
    }
    expect(seen.filter((one) => !/^status/.test(one))).toEqual(['hi', 'end', 'end completed']);
    const rest: string[] = [];
    for await (const event of run.events({ after: seqs[0] }))
      rest.push(event.type === 'task' ? event.task.taskId : event.type);
    expect(rest).toEqual(['end', 'end']);
  });

  test('that nobody started is said not to be there', async () => {
    const id = '00000000-0000-7000-8000-000000000abc';
    expect(await dagwright.get(id)).toBeNull();
    expect(await dagwright.get('x')).toBeNull();
    expect(await codeOf(dagwright.wait(id))).toBe('not_found');
    expect(await codeOf(dagwright.cancel(id))).toBe('not_found');
    expect(await codeOf(dagwright.events('x').next())).toBe('not_found');
    expect(await codeOf(dagwright.start('nobody'))).toBe('not_found');
  });

  test('takes no input that JSON would lose', async () => {
    expect(await codeOf(dagwright.start('waiting', { at: new Map() }))).toBe('unstorable_output');
  });
});

describe('a start in a transaction of the program', () => {
  const within = async (end: 'commit' | 'rollback') => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      await client.query('set role dagwright_caller');
      await client.query('begin');
      await client.query(`select set_config('app.current_tenant_id', 'mine', true)`);
      const run = await dagwright.start(hello, { who: 'Tx' }, { client, idempotencyKey: `tx-${end}` });
      const early = await codeOf(run.wait());
      const { rows } = await client.query(`select current_setting('app.current_tenant_id') as tenant`);
      await client.query(end);
      return { run, early, tenant: rows[0].tenant };
    } finally {
      await client.end();
    }
  };

  test('is there once that is committed, and leaves the setting of the session alone', async () => {
    const { run, early, tenant } = await within('commit');
    expect([early, tenant]).toEqual(['not_found', 'mine']);
    expect((await run.result()).said).toContain('Hello Tx');
    // Both doors know the same keys.
    const again = await dagwright.start(hello, { who: 'Tx' }, { idempotencyKey: 'tx-commit' });
    expect(again.id).toBe(run.id);
  });

  test('begins when it is to, under the revision that it names', async () => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      await client.query('set role dagwright_caller');
      const runAt = new Date(Date.now() + 3_600_000);
      const later = await dagwright.start(hello, { who: 'Tx' }, { client, runAt });
      expect(await later.get()).toMatchObject({ status: 'pending' });
      await client.query('reset role');
      const given = 'select run_at as at from dagwright.workflow_executions where id = $1';
      expect((await client.query(given, [later.id])).rows).toEqual([{ at: runAt }]);
      await client.query('set role dagwright_caller');
      await later.cancel();
      const first = await dagwright.start(hello, { who: 'Tx' }, { client, revision: 1 });
      expect((await first.wait()).status).toBe('completed');
      expect(await codeOf(dagwright.start(hello, { who: 'Tx' }, { client, revision: 99 }))).toBe('not_found');
    } finally {
      await client.end();
    }
  });

  test('is gone with a rollback', async () => {
    const { run } = await within('rollback');
    expect(await run.get()).toBeNull();
  });
});

describe('connect', () => {
  test('refuses settings, tenants and actors that are none', async () => {
    expect(await codeOf(Dagwright.connect({ databaseUrl: 'mysql://x' }))).toBe('setting');
    expect(await codeOf(Dagwright.connect({ databaseUrl: database.url, tenant: 'nobody' }))).toBe(
      'not_found',
    );
    expect(await codeOf(Dagwright.connect({ databaseUrl: database.url, actor: 'system' }))).toBe(
      'validation',
    );
  });

  test('a way past the pooler of another database is not gone', async () => {
    vi.stubEnv('DIRECT_DATABASE_URL', 'postgres://nobody@127.0.0.1:1/none');
    try {
      for (const options of [
        { databaseUrl: database.url },
        { environment: { DATABASE_URL: database.url } },
        { environment: { DATABASE_URL: database.url, DIRECT_DATABASE_URL: database.url } },
      ])
        await (await Dagwright.connect(options)).close();
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test('migrates a given database only where that is asked for', async () => {
    const empty = await createEmptyDatabase();
    try {
      expect(await codeOf(Dagwright.connect({ databaseUrl: empty.url }))).toBe('migrations_pending');
      if (!isFullDepth) return;
      await using migrated = await Dagwright.connect({ databaseUrl: empty.url, migrate: true });
      const yaml = 'workflowId: hello\nnodes: [{ taskId: a, taskType: wait, config: { seconds: 1 } }]';
      expect(await migrated.apply(yaml)).toMatchObject([
        { workflowId: 'hello', revision: 1, outcome: 'created', status: 'active' },
      ]);
    } finally {
      await empty.drop();
    }
  });

  test('close ends what waits', async () => {
    const other = await Dagwright.connect({ databaseUrl: database.url });
    const run = await other.start('waiting');
    const waited = codeOf(run.wait());
    const followed = codeOf(
      (async () => {
        for await (const _ of run.events());
      })(),
    );
    await run.get();
    await other.close();
    expect([await waited, await followed]).toEqual(['closed', 'closed']);
    await dagwright.cancel(run.id);
  });

  /** Workers of this database beside that of the file. */
  const others = async () => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      const { rows } = await client.query<{ n: number }>('select count(*)::int as n from dagwright.workers');
      return rows[0]!.n - 1;
    } finally {
      await client.end();
    }
  };

  test('close ends it once, however often it is called, and each call waits for the end', async () => {
    const other = await Dagwright.connect({ databaseUrl: database.url });
    await other.startWorker({ concurrency: 1 });
    expect(await others()).toBe(1);
    const left = [other.close(), other.close()].map((closed) => closed.then(others));
    expect(await Promise.all(left)).toEqual([0, 0]);
    await other.close();
    expect(await codeOf(other.startWorker())).toBe('closed');
  });

  test('close waits for a worker that starts, and for one that stops', async () => {
    const starting = await Dagwright.connect({ databaseUrl: database.url });
    const started = codeOf(starting.startWorker({ concurrency: 1 }));
    expect(await codeOf(starting.startWorker())).toBe('already_started');
    await starting.close();
    expect([await started, await others()]).toEqual(['done', 0]);
    const stopping = await Dagwright.connect({ databaseUrl: database.url });
    await stopping.startWorker({ concurrency: 1 });
    const stopped = codeOf(stopping.stopWorker());
    await stopping.close();
    expect([await stopped, await others()]).toEqual(['done', 0]);
  });

  test('a worker that could not start leaves nothing, and another may', async () => {
    const other = await Dagwright.connect({ databaseUrl: database.url });
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    // It registers, and then cannot say which jobs are its own.
    await client.query('alter table dagwright.workers rename pool_ids to hidden');
    const failed = await codeOf(other.startWorker({ concurrency: 1 }));
    await client.query('alter table dagwright.workers rename hidden to pool_ids');
    await client.end();
    expect(failed).toBe('unexpected');
    expect(await others()).toBe(0);
    await other.startWorker({ concurrency: 1 });
    expect(await others()).toBe(1);
    await other.stopWorker();
    expect(await others()).toBe(0);
    await other.startWorker({ concurrency: 1 });
    await other.close();
    expect(await others()).toBe(0);
  });

  test('apply tells all that is wrong, and where', async () => {
    const error = await dagwright
      .apply(hello, { workflowId: 'bad', nodes: [{ taskId: 'a', taskType: 'gret' }] })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'validation', problems: [{ pointer: '1#/nodes/0/taskType' }] });
    expect((error as Error).message).toMatch(/^1#\/nodes\/0\/taskType: .*\(did you mean "greet"\?\)/i);
  });
});
