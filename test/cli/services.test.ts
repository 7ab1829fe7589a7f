// dagwright services, as its users see it: stdout, stderr, exit codes.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../src/db/connection/connection.ts';
import { openService, pauseService, readServices, setServiceLimit } from '../../src/db/resources/services.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { runCli } from './support/run-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'dagwright-services-'));
let own: TestDatabase;
let database: Database;

beforeAll(async () => {
  own = await createDatabase();
  database = openDatabase(own.url);
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await database.close();
  await own.drop();
});

const services = (...args: string[]) =>
  runCli(['services', ...args], {
    cwd: folder,
    env: { HOME: folder, DATABASE_URL: own.url, LOG_LEVEL: 'warn' },
  });

const json = async (...args: string[]) => JSON.parse((await services(...args, '--json')).stdout);

test('limits are set one by one, listed and removed', async () => {
  expect(await json('set', 'openai', '--max-concurrency', '4')).toEqual({
    serviceId: 'openai',
    maxConcurrency: 4,
    rateLimit: null,
    rateIntervalSeconds: null,
  });
  const both = { serviceId: 'openai', maxConcurrency: 4, rateLimit: 60, rateIntervalSeconds: 0.5 };
  expect(await json('set', 'openai', '--rate', '60', '--per', '0.5')).toEqual(both);
  expect((await json('list')).items).toEqual([
    { ...both, inFlight: 0, state: 'closed', openings: 0, retryInMs: 0, lastError: null },
  ]);
  expect((await services('list')).stdout).toMatch(/openai +4 +0 +60 in 0\.5 s +closed/);
  expect((await services('remove', 'openai')).code).toBe(0);
  expect(await json('list')).toEqual({ items: [], nextCursor: null });
  const again = await services('remove', 'openai', '--json');
  expect([again.code, JSON.parse(again.stdout).errors[0].code]).toEqual([1, 'not_found']);
});

test('whatever a definition may name can be limited, and a listed breaker reset by its name', async () => {
  for (const serviceId of ['two words', 'a\tb\u001b[2J', 'x'.repeat(200)]) {
    expect(await json('set', serviceId, '--max-concurrency', '1')).toMatchObject({ serviceId });
    expect((await services('remove', serviceId)).code).toBe(0);
  }
  const breaker = `${'x'.repeat(200)}@00000000-0000-7000-8000-000000000001`;
  await openService(database.engine, breaker, { forMs: 60_000, code: 'http_503' });
  expect(await json('reset', breaker)).toEqual({ serviceId: breaker, wasHeldBack: true });
});

test('what a terminal would act upon is printed as an escape', async () => {
  const name = 'a\tb\u001b[2J';
  const printed = [
    await services('set', name, '--max-concurrency', '1'),
    await services('list'),
    await services('reset', name),
    await services('remove', name),
    await services('remove', name),
    await services('set', `${name}${'x'.repeat(200)}`, '--max-concurrency', '1'),
  ];
  for (const { stdout, stderr } of printed) {
    expect(stdout + stderr).toContain('a\\tb\\u001b[2J');
    expect(stdout + stderr).not.toMatch(/[^\P{Cc}\n]/u);
  }
  expect(printed.map(({ code }) => code)).toEqual([0, 0, 0, 0, 1, 2]);
});

test('reset closes a breaker and ends a pause', async () => {
  await openService(database.engine, 'api.example.com', { forMs: 60_000, code: 'http_503' });
  await pauseService(database.engine, 'slow.example.com', { forMs: 60_000, code: 'rate_limited' });
  const { items } = await json('list');
  expect(items).toMatchObject([
    { serviceId: 'api.example.com', state: 'open', openings: 1, lastError: 'http_503', maxConcurrency: null },
    { serviceId: 'slow.example.com', state: 'paused', openings: 0, lastError: 'rate_limited' },
  ]);
  for (const { retryInMs } of items) expect(retryInMs).toBeGreaterThan(30_000);
  for (const { serviceId } of items)
    expect(await json('reset', serviceId)).toEqual({ serviceId, wasHeldBack: true });
  expect(await json('reset', 'api.example.com')).toEqual({
    serviceId: 'api.example.com',
    wasHeldBack: false,
  });
  expect((await json('list')).items).toEqual([]);
  const { rows } = await database.engine.query(
    `select tenant_id, actor, action, resource_type, resource_id, old_values from dagwright.audit_logs
     where resource_type = 'services' and resource_id like '%.example.com' order by id`,
  );
  const reset = { tenant_id: null, actor: 'cli', action: 'services.reset', resource_type: 'services' };
  expect(rows).toEqual([
    {
      ...reset,
      resource_id: 'api.example.com',
      old_values: { heldBack: [{ serviceId: 'api.example.com', openings: 1, lastError: 'http_503' }] },
    },
    {
      ...reset,
      resource_id: 'slow.example.com',
      old_values: { heldBack: [{ serviceId: 'slow.example.com', openings: 0, lastError: 'rate_limited' }] },
    },
  ]);
});

test('two who set different limits of one service at the same moment both count', async () => {
  for (let n = 0; n < 20; n++) {
    const serviceId = `both-${n}`;
    await Promise.all([
      database.asEngine({ actor: 'one' }, (client) =>
        setServiceLimit(client, serviceId, { maxConcurrency: 5 }),
      ),
      database.asEngine({ actor: 'two' }, (client) =>
        setServiceLimit(client, serviceId, { rateLimit: 10, rateIntervalMs: 1_000 }),
      ),
    ]);
  }
  const { limits } = await readServices(database.engine);
  const all = { maxConcurrency: 5, rateLimit: 10, rateIntervalMs: 1_000 };
  for (let n = 0; n < 20; n++) expect(limits.get(`both-${n}`)).toEqual(all);
  await database.engine.query(`delete from dagwright.service_limits where service_id like 'both-%'`);
});

test.each([
  [['set', 'x'], 'nothing to set'],
  [['set', 'x', '--rate', '5'], '--rate and --per go together'],
  [['set', 'x', '--max-concurrency', '0'], 'a whole number from 1'],
  [['set', 'x', '--rate', '5', '--per', '-1'], 'expected seconds'],
  [['set', '', '--max-concurrency', '1'], '1 to 200 characters'],
  [['set', 'x'.repeat(201), '--max-concurrency', '1'], '1 to 200 characters'],
])('%j is wrong usage', async (args, message) => {
  const { code, stderr } = await services(...args);
  expect(code).toBe(2);
  expect(stderr).toContain(message);
});
