// The service as processes: what is acknowledged is there, once, whoever is killed and whatever the database does meanwhile (P1).
// The same under load, and with more that goes wrong, is `npm run chaos -- --cell API,M26`.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Database, openDatabase } from '../../src/db/connection/connection.ts';
import { migrateDatabase } from '../../src/db/operations/migrate.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { applyDefinition } from '../../src/db/resources/definitions.ts';
import { createAgent, type Exchange, exchange } from '../chaos/http-client.ts';
import { type ServiceSlot, Services } from '../chaos/services.ts';
import { graph } from '../support/engine.ts';
import { type OwnPostgres, openOwnPostgres } from './support/own-postgres.ts';
import { until } from './support/supervisor.ts';

/** "within 7 s", and "within 10 s"; three times that on a machine that does other things. */
const ANSWERS_WITHIN_MS = 21_000;
const WORKS_AGAIN_MS = 30_000;
/** A dead worker is found after about 8 s. */
const TAKEN_OVER_MS = 40_000;

const FLOW = graph('a', {
  tasks: { a: { taskType: 'transformation', config: { output: 1 } } },
  more: { workflowId: 'w' },
});

const folder = mkdtempSync(join(tmpdir(), 'dagwright-crash-'));
const services = new Services(folder);
const agent = createAgent();
let server: OwnPostgres;
let database: Database;
/** Ends itself with -9 as soon as something is committed that it would have to tell of. */
let dying: ServiceSlot;
let steady: ServiceSlot;

beforeAll(async () => {
  server = await openOwnPostgres(inject('cluster'));
  await migrateDatabase(server.url);
  database = openDatabase(server.url, { max: 2, name: 'crash test' });
  await applyDefinition(database, DEFAULT_TENANT_ID, FLOW, 'test');
  const settings = { databaseUrl: server.url, role: 'api', isOpen: true } as const;
  [dying, steady] = await Promise.all([
    services.start({ ...settings, faults: { seed: 1, diesAfterCommit: 1 } }),
    services.start(settings),
  ]);
});
afterAll(async () => {
  await services.end();
  agent.destroy();
  await database?.close();
  await server?.remove();
  rmSync(folder, { recursive: true, force: true });
});

const start = (slot: ServiceSlot, key: string): Promise<Exchange> =>
  exchange(agent, slot.url, {
    path: '/v1/workflows/w/executions',
    headers: { 'idempotency-key': key },
    body: JSON.stringify({ input: { key } }),
    patienceMs: ANSWERS_WITHIN_MS,
  });

async function executionsOf(key: string): Promise<string[]> {
  const { rows } = await database.engine.query<{ id: string }>(
    `select id from dagwright.workflow_executions where input->>'key' = $1`,
    [key],
  );
  return rows.map(({ id }) => id);
}

const ended = (id: string) =>
  until(
    'the execution has ended',
    async () => {
      const { rows } = await database.engine.query<{ status: string }>(
        'select status from dagwright.workflow_executions where id = $1',
        [id],
      );
      return rows[0]?.status === 'completed';
    },
    TAKEN_OVER_MS,
  );

const idOf = (answer: Exchange): string => (answer.kind === 'answer' ? JSON.parse(answer.text).id : '');

test('an API process killed between the commit of starts and their answers, sent again: one execution each', async () => {
  const keys = ['k1', 'k2', 'k3'];
  const broken = await Promise.all(keys.map((key) => start(dying, key)));
  expect(broken.map(({ kind }) => kind)).toEqual(['broken', 'broken', 'broken']);
  const left = await Promise.all(keys.map(executionsOf));
  expect(left.filter(({ length }) => length === 1).length).toBeGreaterThan(0);
  for (const [i, key] of keys.entries()) {
    const answers = await Promise.all([start(steady, key), start(steady, key)]);
    expect(answers).toMatchObject([
      { kind: 'answer', status: 201 },
      { kind: 'answer', status: 201 },
    ]);
    const ids = await executionsOf(key);
    expect(ids).toHaveLength(1);
    expect(answers.map(idOf)).toEqual([ids[0], ids[0]]);
    if (left[i]!.length === 1) expect(ids).toEqual(left[i]);
  }
  expect(dying.ownEnds).toBeGreaterThan(0);
});

test('a worker killed between the commit that started and opened an execution and its answer: one execution, taken over', async () => {
  const whole = await services.start({
    ...{ databaseUrl: server.url, role: 'all', isOpen: true },
    faults: { seed: 1, diesAfterCommit: 1 },
  });
  // It learns the plan from a job, which no commit of its own starts.
  const learnt = idOf(await start(steady, 'learnt'));
  await ended(learnt);
  expect(await start(whole, 'opened')).toMatchObject({ kind: 'broken' });
  const [left] = await executionsOf('opened');
  expect(left).toBeDefined();
  expect(idOf(await start(steady, 'opened'))).toBe(left);
  await ended(left!);
  expect(await executionsOf('opened')).toEqual([left]);
  const { rows } = await database.engine.query(
    `select t.status, t.recoveries, (select count(*)::int from dagwright.jobs_v1() j where j.execution_id = $1) as jobs
     from dagwright.task_executions t where t.workflow_execution_id = $1`,
    [left],
  );
  // Running when it died: a start that had gone by the queue would not have had to be taken over.
  expect(rows).toEqual([{ status: 'completed', recoveries: 1, jobs: expect.any(Number) }]);
  await whole.halt();
});

test('PostgreSQL crashes and comes back: 503 with Retry-After meanwhile, 201 afterwards, and what was acknowledged is there', async () => {
  const before = await start(steady, 'before');
  await server.stop('immediate');
  const during = await start(steady, 'during');
  expect(during).toMatchObject({
    ...{ kind: 'answer', status: 503 },
    headers: { 'retry-after': expect.stringMatching(/^[1-9]\d*$/) },
  });
  await server.start();
  const answers: Exchange[] = [];
  await until(
    'a start is taken again',
    async () => {
      answers.push(await start(steady, 'during'));
      const last = answers.at(-1)!;
      return last.kind === 'answer' && last.status === 201;
    },
    WORKS_AGAIN_MS,
  );
  expect(
    answers.flatMap((one) => (one.kind === 'answer' && [201, 503].includes(one.status) ? [] : [one])),
  ).toEqual([]);
  expect(await executionsOf('during')).toEqual([idOf(answers.at(-1)!)]);
  expect(await executionsOf('before')).toEqual([idOf(before)]);
});
