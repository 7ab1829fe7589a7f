// The service that is fuzzed: a PostgreSQL of its own, `dagwright start --role all`, an attacker with an editor's key, and a
// neighbour.
import { Agent } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { migrateDatabase } from '../../src/db/operations/migrate.ts';
import { OPERATOR_KEY, type ServiceSlot, Services } from '../chaos/services.ts';
import { type OwnPostgres, openOwnPostgres } from '../crash/support/own-postgres.ts';
import { operationsOf } from '../http/support/openapi-requests.ts';
import { ALLOCATOR_ENVIRONMENT } from './allocator.ts';
import { prepareAttacker } from './attacker.ts';
import { type HostileServer, openHostileServer } from './hostile-server.ts';
import type { Surroundings } from './inputs/input.ts';
import { Turns } from './turns.ts';

const PRELOAD = new URL('./turns-preload.ts', import.meta.url).href;

export interface FuzzTarget {
  readonly slot: ServiceSlot;
  readonly services: Services;
  readonly server: OwnPostgres;
  readonly hostile: HostileServer;
  readonly turns: Turns;
  readonly agent: Agent;
  /** An editor's. */
  readonly key: string;
  readonly neighbourKey: string;
  readonly surroundings: Surroundings;
  /** One statement as the server's superuser. */
  query<T>(sql: string): Promise<T[]>;
  close(): Promise<void>;
}

/** `folder`: for its logs. */
export async function openTarget(folder: string, seed: number): Promise<FuzzTarget> {
  const server = await openOwnPostgres();
  const hostile = await openHostileServer(seed);
  const services = new Services(folder);
  const agent = new Agent({ keepAlive: true, maxSockets: 100 });
  const admin = new pg.Client({ connectionString: server.url });
  const close = async () => {
    agent.destroy();
    await services.end();
    await admin.end().catch(() => {});
    await hostile.close();
    await server.remove();
  };
  try {
    await migrateDatabase(server.url);
    await admin.connect();
    const turnsFile = join(folder, 'turns');
    const slot = await services.start({
      ...{ databaseUrl: server.url, role: 'all' },
      environment: {
        DAGWRIGHT_ALLOWED_HOSTS: hostile.host,
        FUZZ_TURNS: turnsFile,
        ...ALLOCATOR_ENVIRONMENT,
      },
      nodeOptions: ['--expose-gc', '--import', PRELOAD],
    });
    while ((await fetch(`${slot.url}/readyz`).catch(() => null))?.status !== 200) await delay(50);
    const [key, neighbourKey] = [await makeKey(slot.url, 'attacker'), await makeKey(slot.url, 'neighbour')];
    const document = await (await fetch(`${slot.url}/openapi.json`)).json();
    const prepared = await prepareAttacker({ url: slot.url, key, agent }, hostile.origin);
    return {
      ...{ slot, services, server, hostile, agent, key, neighbourKey, close },
      turns: new Turns(turnsFile),
      surroundings: { ...prepared, operations: operationsOf(document as Parameters<typeof operationsOf>[0]) },
      query: async (sql) => (await admin.query(sql)).rows,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A tenant of this name, and an editor's key of it. */
async function makeKey(url: string, name: string): Promise<string> {
  const headers = { authorization: `Bearer ${OPERATOR_KEY}`, 'content-type': 'application/json' };
  const ask = async (path: string, body: object, more: Record<string, string> = {}) => {
    const answer = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { ...headers, ...more },
      body: JSON.stringify(body),
    });
    if (answer.status !== 201) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Record<string, string>;
  };
  const tenant = await ask('/v1/tenants', { name });
  const key = await ask('/v1/api-keys', { name: 'fuzz', roles: ['editor'] }, { 'x-tenant-id': tenant.id! });
  return key.key!;
}
