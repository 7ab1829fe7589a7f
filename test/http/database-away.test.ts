// The database goes away under requests: each is answered in bounded time with 503 and Retry-After, and nothing that was
// acknowledged is lost or done twice.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { Type } from 'typebox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/db/connection/connection.ts';
import { migrateDatabase } from '../../src/db/operations/migrate.ts';
import { answerOnce } from '../../src/http/request/once.ts';
import type { Api } from '../../src/http/server/api.ts';
import { type OwnPostgres, openOwnPostgres } from '../crash/support/own-postgres.ts';
import { TIME_SCALE, testRequestLimits } from '../support/limits.ts';
import { patience } from '../support/patience.ts';
import { type FaultyProxy, startProxy } from '../support/proxy.ts';
import { type CallAnswer, openService, type TestService } from '../support/service.ts';

const MAKE = '/v1/variables/test';
/** 6 s by its limits, or their part; three times that, and what 41 requests take, on a machine that does other things. */
const BOUND_MS = 18_000 * TIME_SCALE + patience(6_000);

// Each call makes one variable, named by the caller.
function addMakeRoute(owner: () => TestService) {
  return (api: Api): void => {
    api.post(
      MAKE,
      {
        config: { access: 'variables:write' },
        schema: { body: Type.Object({ name: Type.String() }, { additionalProperties: false }) },
      },
      (request, reply) =>
        answerOnce(owner().service, request, reply, async (client) => {
          await client.query(
            `insert into dagwright.workflow_variables (tenant_id, name, value, created_by) values ($1, $2, '1', 'test')`,
            [request.acting.tenantId, `${request.body.name}-${randomUUID()}`],
          );
          return { status: 201, body: { name: request.body.name } };
        }),
    );
  };
}

function expectAnswered({ status, headers, body }: CallAnswer): void {
  if (status !== 503) return void expect(status).toBeLessThan(300);
  expect(headers['retry-after']).toMatch(/^[12]$/);
  expect(body.code).toMatch(/database_unavailable|busy|unavailable/);
}

describe('a database whose files cannot be written', () => {
  it.each([
    ['has no room', '53100'],
    ['has errors', '58030'],
  ])('because its disk %s is answered 503, and told to try again', async (_what, code) => {
    await using service = await openService();
    const admin = new pg.Client({ connectionString: service.database.engine.options.connectionString });
    await admin.connect();
    await admin.query(`
      create function public.refuse() returns trigger language plpgsql as $$ begin
        raise exception 'no' using errcode = '${code}';
      end $$;
      create trigger refuse before insert on dagwright.workflow_variables execute function public.refuse()`);
    await admin.end();
    const answer = await service.call('POST', '/v1/variables', { body: { name: 'a', value: 1 } });
    expect([answer.status, answer.body.code]).toEqual([503, 'database_unavailable']);
    expectAnswered(answer);
  });
});

describe('a database that restarts', () => {
  let server: OwnPostgres;
  let service: TestService;
  beforeAll(async () => {
    server = await openOwnPostgres();
    await migrateDatabase(server.url);
    service = await openService({
      reach: () => openDatabase(server.url, { forRequests: true }),
      addRoutes: addMakeRoute(() => service),
    });
  });
  afterAll(async () => {
    await service?.close();
    await server?.remove();
  });

  it('loses nothing that was acknowledged, and does nothing twice for clients that try again', async () => {
    const done = new AbortController();
    const acknowledged: string[] = [];
    let refused = 0;
    const client = async (id: number) => {
      for (let i = 0; !done.signal.aborted; i++) {
        const name = `c${id}-${i}`;
        for (;;) {
          const answer = await service.call('POST', MAKE, {
            body: { name },
            headers: { 'idempotency-key': name },
          });
          expectAnswered(answer);
          if (answer.status === 201) break;
          refused++;
          await pause(20);
        }
        acknowledged.push(name);
      }
    };
    const clients = Array.from({ length: 4 }, (_, id) => client(id));
    const until = async (n: number) => {
      while (acknowledged.length < n) await pause(10);
    };
    await until(20);
    for (const mode of ['fast', 'immediate'] as const) {
      await server.stop(mode);
      expectAnswered(await service.call('GET', '/v1/executions'));
      const ready = await service.call('GET', '/readyz');
      expect([ready.status, ready.headers['retry-after']]).toEqual([503, expect.any(String)]);
      expect((await service.call('GET', '/healthz')).status).toBe(200);
      expect((await service.call('GET', '/metrics')).body).toContain('dagwright_database_up 0');
      await server.start();
      await until(acknowledged.length + 20);
    }
    done.abort();
    await Promise.all(clients);
    expect(refused).toBeGreaterThan(0);
    expect((await service.call('GET', '/readyz')).status).toBe(200);
    const rows = await service.query<{ name: string; n: number }>(
      `select regexp_replace(name, '-[0-9a-f-]{36}$', '') as name, count(*)::int as n from dagwright.workflow_variables group by 1`,
    );
    const made = new Map(rows.map(({ name, n }) => [name, n]));
    expect(acknowledged.filter((name) => made.get(name) !== 1)).toEqual([]);
    expect(rows.filter(({ n }) => n > 1)).toEqual([]);
    expect(service.logged.filter((line) => line.startsWith('a request failed'))).toEqual([]);
  });
});

describe('a database that falls silent', () => {
  let proxy: FaultyProxy;
  let service: TestService;
  beforeAll(async () => {
    service = await openService({
      reach: (url) => openDatabase(url, { forRequests: true }),
      addRoutes: addMakeRoute(() => service),
    });
    const { hostname, port } = new URL(service.database.url);
    proxy = await startProxy({ host: hostname, port: Number(port) });
  });
  afterAll(async () => {
    proxy.heal({ forgets: false });
    await proxy.close();
    await service.close();
  });

  it('keeps no request waiting for longer than its limits, and is used again when it speaks', async () => {
    const through = await openService({
      reach: () =>
        openDatabase(proxy.urlOf(service.database.url), { forRequests: true, limits: testRequestLimits }),
      addRoutes: addMakeRoute(() => through),
    });
    try {
      const make = (name: string) =>
        through.call('POST', MAKE, { body: { name }, headers: { 'idempotency-key': name } });
      expect((await make('before')).status).toBe(201);
      expect((await through.call('GET', '/readyz')).status).toBe(200);
      proxy.blackhole();
      const startedAt = performance.now();
      const answers = await Promise.all([
        ...Array.from({ length: 30 }, (_, i) => make(`silent-${i}`)),
        ...Array.from({ length: 10 }, () => through.call('GET', '/v1/executions')),
        through.call('GET', '/readyz'),
      ]);
      expect(performance.now() - startedAt).toBeLessThan(BOUND_MS);
      for (const { status, headers } of answers) {
        expect(status).toBe(503);
        expect(headers['retry-after']).toMatch(/^[12]$/);
      }
      proxy.heal({ forgets: true });
      let answer = await make('after');
      while (answer.status === 503) answer = await make('after');
      expect(answer.status).toBe(201);
      expect((await make('before')).headers['idempotency-replayed']).toBe('true');
    } finally {
      await through.close();
    }
  });
});
