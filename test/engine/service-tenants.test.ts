// Limits of outside services between tenants: permits and starts are shared out, and none takes what is another's by the name that it
// gives its calls.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { newId } from '../../src/core/id.ts';
import { type Database, openDatabase } from '../../src/db/connection/connection.ts';
import { registerWorker } from '../../src/db/protocol/workers.ts';
import { exchangePermits, type PermitAnswer, setServiceLimit } from '../../src/db/resources/services.ts';
import { OutsideServices } from '../../src/engine/services/services.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { gate, until } from '../support/engine.ts';

let own: TestDatabase;
let database: Database;
let workerId: string;
let services: OutsideServices;
let made = 0;
let service = '';

beforeAll(async () => {
  own = await createDatabase();
  database = openDatabase(own.url);
});
beforeEach(async () => {
  service = `shared-${made++}`;
  workerId = newId();
  const row = { id: workerId, host: 'test', pid: 1, concurrency: 16, leaseSeconds: 15, types: [] };
  await registerWorker(database.engine, row);
  const quiet = () => {};
  services = new OutsideServices({
    db: database.engine,
    workerId: () => workerId,
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
  });
});
afterEach(() => services.close());
afterAll(async () => {
  await database.close();
  await own.drop();
});

/** Asks for `n` permits for each of these tenants at once, and gives `released` back. */
async function ask(
  wants: Readonly<Record<string, number>>,
  released: readonly string[] = [],
  { patienceMs = 2_000 } = {},
) {
  const wanted = Object.entries(wants).flatMap(([tenantId, n]) =>
    Array.from({ length: n }, () => ({ id: newId(), tenantId })),
  );
  const exchange = { serviceId: service, workerId, released, wanted, patienceMs };
  const answers = await exchangePermits(database.engine, exchange);
  const granted = new Map<string, PermitAnswer[]>();
  for (const [i, { tenantId }] of wanted.entries())
    if (answers[i]!.granted) granted.set(tenantId, [...(granted.get(tenantId) ?? []), answers[i]!]);
  return (tenantId: string) => (granted.get(tenantId) ?? []).map(({ permitId }) => permitId);
}

test('while another waits, nobody gets more than its share; alone, all there is', async () => {
  await setServiceLimit(database.engine, service, { maxConcurrency: 4 });
  const held = (await ask({ a: 6 }))('a');
  expect(held).toHaveLength(4);
  expect((await ask({ b: 3 }))('b')).toEqual([]);
  // One after the other comes back: the first two go to b, for it has none, whoever asks first.
  const first = await ask({ a: 1, b: 0 }, [held[0]!]);
  expect(first('a')).toEqual([]);
  const second = await ask({ b: 3 }, [held[1]!]);
  expect(second('b')).toHaveLength(2);
  const third = await ask({ b: 1, a: 1 }, [second('b')[0]!]);
  expect([third('a').length, third('b').length]).toEqual([0, 1]);
});

test('of those that ask together, who has least goes first', async () => {
  await setServiceLimit(database.engine, service, { maxConcurrency: 6 });
  const granted = await ask({ a: 6, b: 2, c: 1 });
  expect([granted('a').length, granted('b').length, granted('c').length]).toEqual([3, 2, 1]);
});

test('a rate is shared out likewise', async () => {
  await setServiceLimit(database.engine, service, { rateLimit: 10, rateIntervalMs: 60_000 });
  expect((await ask({ a: 4 }))('a')).toHaveLength(4);
  const granted = await ask({ a: 10, b: 10 });
  expect([granted('a').length, granted('b').length]).toEqual([1, 5]);
});

test('of a rate, too, nobody gets more than its share while another waits that has less', async () => {
  await setServiceLimit(database.engine, service, { rateLimit: 4, rateIntervalMs: 60_000 });
  expect((await ask({ a: 4 }))('a')).toHaveLength(4);
  expect((await ask({ b: 1 }, [], { patienceMs: 0 }))('b')).toEqual([]);
  // A minute later all of them may start anew.
  await database.engine.query(
    `update dagwright.service_starts set starts_at = starts_at - interval '2 minutes' where service_id = $1`,
    [service],
  );
  expect((await ask({ a: 4 }))('a')).toHaveLength(2);
  expect((await ask({ b: 4 }))('b')).toHaveLength(2);
});

test('calls that never end, in the name of a service that others use, leave them a permit', async () => {
  await setServiceLimit(database.engine, service, { maxConcurrency: 3 });
  const held = gate();
  let begun = 0;
  const use = (tenantId: string, call: () => Promise<unknown>) =>
    services.use({ serviceId: service, tenantId }, new AbortController().signal, call);
  await use('b', async () => 'used before');
  const endless = Array.from({ length: 6 }, () =>
    use('a', async () => {
      begun++;
      await held.opened;
    }).catch(() => {}),
  );
  await until(async () => begun === 2);
  await delay(300);
  expect(begun).toBe(2);
  expect(await use('b', async () => 'called')).toBe('called');
  held.open();
  await Promise.all(endless);
});
