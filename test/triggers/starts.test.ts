// Starts: the revision they are checked against, what survives a lost answer, how long they wait, what they share.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/core/id.ts';
import type { Json } from '../../src/core/json.ts';
import type { TaskLog } from '../../src/core/log-lines.ts';
import { type Database, openDatabase } from '../../src/db/connection/connection.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { applyDefinition } from '../../src/db/resources/definitions.ts';
import { createStarts, StartUnanswered } from '../../src/triggers/starts/starts.ts';
import { BEGIN } from '../support/begin.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { graph } from '../support/engine.ts';
import { faultyDatabase } from '../support/faulty-pg.ts';
import { patience } from '../support/patience.ts';
import { startProxy } from '../support/proxy.ts';

const quiet: TaskLog = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const acting = { tenantId: DEFAULT_TENANT_ID, actor: 'test' };

let own: TestDatabase;
let database: Database;
beforeAll(async () => {
  own = await createDatabase();
  database = openDatabase(own.url);
});
afterAll(async () => {
  await database.close();
  await own.drop();
});

const saved = async (more: object = {}): Promise<string> => {
  const wanted = graph('a', { more });
  await applyDefinition(database, DEFAULT_TENANT_ID, wanted, 'test');
  return wanted.workflowId;
};
const started = async (workflowId: string) =>
  (
    await database.engine.query<{ id: string; revision: number; input: { r?: number } }>(
      'select id, revision, input from dagwright.workflow_executions where workflow_id = $1',
      [workflowId],
    )
  ).rows;
const jobs = async () =>
  (await database.engine.query('select execution_id as id from dagwright.jobs_v1()')).rows.map(
    ({ id }) => id,
  );

describe('starts', () => {
  it('happen once each, although the database loses answers and connections', async () => {
    const workflowId = await saved();
    const faulty = faultyDatabase(database, 11, { lostBefore: 0.15, lostAfter: 0.25, conflict: 0.1 });
    const starts = createStarts({ database: faulty, log: quiet, deadlineMs: 60_000 });
    const answers: string[] = [];
    for (let round = 0; round < 20; round++) {
      const some = Array.from({ length: 10 }, (_, n) =>
        starts.start(acting, {
          workflowId,
          triggerType: 'api',
          ...(n % 2 === 0 ? {} : { idempotencyKey: `${round}/${n}`, requestHash: '00' }),
        }),
      );
      for (const answer of await Promise.all(some)) {
        if (!answer.ok) throw new Error(answer.code);
        expect(answer.existing).toBe(false);
        answers.push(answer.id);
      }
    }
    expect(faulty.met.lostAfter).toBeGreaterThan(3);
    const rows = await started(workflowId);
    expect(rows.map(({ id }) => id).toSorted()).toEqual(answers.toSorted());
    const queued = await jobs();
    expect(answers.map((id) => queued.filter((job) => job === id).length)).toEqual(answers.map(() => 1));
  });

  it('take the revision whose schema the input was checked against, while it is saved again and again', async () => {
    const wanted = graph('a');
    const withRule = (r: number) => ({ ...wanted, inputSchema: { properties: { r: { const: r } } } });
    await applyDefinition(database, DEFAULT_TENANT_ID, withRule(1), 'test');
    const starts = createStarts({ database, log: quiet });
    let latest = 1;
    let isSaving = true;
    const saving = (async () => {
      for (let r = 2; r <= 40; r++) {
        await applyDefinition(database, DEFAULT_TENANT_ID, withRule(r), 'test');
        latest = r;
      }
      isSaving = false;
    })();
    let refused = 0;
    while (isSaving) {
      const answers = await Promise.all(
        [latest, latest, latest + 1].map((r) =>
          starts.start(acting, { workflowId: wanted.workflowId, triggerType: 'api', input: { r } }),
        ),
      );
      refused += answers.filter(({ ok }) => !ok).length;
    }
    await saving;
    const rows = await started(wanted.workflowId);
    expect(rows.length).toBeGreaterThan(10);
    expect(refused).toBeGreaterThan(0);
    expect(rows.filter(({ revision, input }) => revision !== input.r)).toEqual([]);
    // Seen at once.
    const next = { workflowId: wanted.workflowId, triggerType: 'api', input: { r: 40 } } as const;
    expect((await starts.start(acting, next)).ok).toBe(true);
  });

  it('remember the revision, and neither start nor refuse by one that was replaced', async () => {
    const wanted = graph('a');
    const save = (required: string) =>
      applyDefinition(
        database,
        DEFAULT_TENANT_ID,
        { ...wanted, inputSchema: { required: [required] } },
        'test',
      );
    const sent: string[] = [];
    const engine = {
      query: (config: { name: string }) => {
        sent.push(config.name.replace(/ by hand$/, ''));
        return database.engine.query(config as never);
      },
    };
    const starts = createStarts({ database: { ...database, engine } as never, log: quiet });
    const start = async (input: Json, more: object = {}) => {
      sent.length = 0;
      const { workflowId } = wanted;
      return await starts.start(acting, { workflowId, triggerType: 'api', input, ...more });
    };
    await save('q');
    expect(await start({ q: 1 })).toMatchObject({ ok: true });
    expect(sent).toEqual(['find_startable', 'find_input_rule', 'start_executions_v1']);
    expect(await start({ q: 2 })).toMatchObject({ ok: true });
    expect(sent).toEqual(['start_executions_v1']);
    // It fits what was replaced.
    await save('r');
    expect(await start({ q: 3 })).toMatchObject({ ok: false, code: 'validation' });
    expect(sent).toEqual(['start_executions_v1', 'find_startable', 'find_input_rule']);
    // It fits what is new only.
    await save('s');
    expect(await start({ s: 4 })).toMatchObject({ ok: true });
    expect(sent).toEqual(['find_startable', 'find_input_rule', 'start_executions_v1']);
    // With a key that has started before it is the same, by whichever revision.
    const key = { idempotencyKey: 'once', requestHash: '00' };
    const first = await start({ s: 5 }, key);
    await save('t');
    expect(await start({ s: 5 }, key)).toEqual({ ...first, existing: true });
    expect(await start({ t: 6 }, { revision: 4 })).toMatchObject({ ok: true });
    expect((await started(wanted.workflowId)).map(({ revision }) => revision).toSorted()).toEqual([
      1, 1, 3, 3, 4,
    ]);
  });

  it('give up after the deadline where the database is silent, and go on when it is back', async () => {
    const workflowId = await saved();
    const { hostname, port } = new URL(own.url);
    const proxy = await startProxy({ host: hostname, port: Number(port) });
    const far = openDatabase(proxy.urlOf(own.url));
    const starts = createStarts({ database: far, log: quiet, deadlineMs: 700 });
    const start = () => starts.start(acting, { workflowId, triggerType: 'api' });
    try {
      expect((await start()).ok).toBe(true);
      proxy.blackhole();
      const before = performance.now();
      const failures = await Promise.allSettled([start(), start()]);
      expect(performance.now() - before).toBeLessThan(patience(5_000));
      for (const failure of failures)
        expect(failure.status === 'rejected' && failure.reason).toBeInstanceOf(StartUnanswered);
      proxy.heal({ forgets: true });
      for (let isBack = false; !isBack; )
        isBack = await start().then(
          ({ ok }) => ok,
          () => false,
        );
    } finally {
      await far.close().catch(() => {});
      await proxy.close();
    }
  });

  it('that are due at the same moment share a commit', async () => {
    const workflowId = await saved();
    let calls = 0;
    const counted: Database = {
      ...database,
      engine: new Proxy(database.engine, {
        get(target, key) {
          if (key !== 'query') return Reflect.get(target, key);
          return (...args: unknown[]) => {
            if ((args[0] as { name?: string }).name === 'start_executions_v1') calls++;
            return (target.query as (...all: unknown[]) => unknown)(...args);
          };
        },
      }),
    };
    const starts = createStarts({ database: counted, log: quiet });
    await Promise.all(
      Array.from({ length: 200 }, () => starts.start(acting, { workflowId, triggerType: 'api' })),
    );
    expect(await started(workflowId)).toHaveLength(200);
    expect(calls).toBeLessThan(10);
  });

  it('that are refused do not hold up those beside them', async () => {
    const workflowId = await saved({ inputSchema: { required: ['q'] } });
    const starts = createStarts({ database, log: quiet });
    const inputs: Json[] = [{ q: 1 }, {}, { q: '\u0000' }, { q: 'x'.repeat(1_100_000) }, { q: 2 }];
    const answers = await Promise.all(
      inputs.map((input) => starts.start(acting, { workflowId, triggerType: 'api', input })),
    );
    expect(answers.map((answer) => (answer.ok ? 'ok' : answer.code))).toEqual([
      'ok',
      'validation',
      'validation',
      'payload_too_large',
      'ok',
    ]);
  });

  it('whose key an open transaction has used wait for it alone, and the others are answered', async () => {
    const workflowId = await saved();
    const starts = createStarts({ database, log: quiet, deadlineMs: 20_000 });
    const client = await database.engine.connect();
    await client.query(BEGIN);
    await client.query(`select set_config('app.current_tenant_id', $1, true)`, [DEFAULT_TENANT_ID]);
    const first = await client.query(`select dagwright.start_workflow($1, '{}', 'taken') as id`, [
      workflowId,
    ]);
    let isAnswered = false;
    const held = starts.start(acting, { workflowId, triggerType: 'api', idempotencyKey: 'taken' });
    void held.then(() => {
      isAnswered = true;
    });
    const others = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        starts.start(acting, { workflowId, triggerType: 'api', idempotencyKey: `free ${n}` }),
      ),
    );
    expect(others.every(({ ok }) => ok)).toBe(true);
    expect(isAnswered).toBe(false);
    await client.query('commit');
    client.release();
    expect(await held).toEqual({ ok: true, id: first.rows[0].id, existing: true });
  });

  it('in a transaction of the caller are undone with it', async () => {
    const workflowId = await saved();
    const starts = createStarts({ database, log: quiet });
    const request = { id: newId(), workflowId, triggerType: 'webhook' } as const;
    await expect(
      database.asEngine({ actor: 'test' }, async (client) => {
        expect(await starts.startWith(client, DEFAULT_TENANT_ID, [request])).toMatchObject([
          { ok: true, id: request.id },
        ]);
        throw new Error('undone');
      }),
    ).rejects.toThrow('undone');
    expect(await started(workflowId)).toEqual([]);
    await database.asEngine({ actor: 'test' }, (client) =>
      starts.startWith(client, DEFAULT_TENANT_ID, [request, { workflowId: 'none', triggerType: 'webhook' }]),
    );
    expect(await started(workflowId)).toMatchObject([{ id: request.id }]);
  });
});
