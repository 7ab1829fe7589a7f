// Limits and circuit breakers of outside services, shared by two workers on one database.
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { NotNow, RetryableError, TerminalError } from '../../src/core/errors.ts';
import { newId } from '../../src/core/id.ts';
import { type Database, openDatabase, type Queryable } from '../../src/db/connection/connection.ts';
import { registerWorker, removeWorker } from '../../src/db/protocol/workers.ts';
import { setServiceLimit } from '../../src/db/resources/services.ts';
import { AttemptAbort } from '../../src/engine/attempt/abort.ts';
import { OutsideServices } from '../../src/engine/services/services.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { depth } from '../support/depth.ts';
import { gate, until } from '../support/engine.ts';
import { patience } from '../support/patience.ts';

let own: TestDatabase;
let database: Database;
let logged: string[] = [];
let opened: OutsideServices[] = [];
let made = 0;
/** A service of its own for each test. */
let service = '';

beforeAll(async () => {
  own = await createDatabase();
  database = openDatabase(own.url);
});
beforeEach(() => {
  service = `service-${made++}`;
  logged = [];
});
afterEach(async () => {
  await Promise.all(opened.map((services) => services.close()));
  opened = [];
});
afterAll(async () => {
  await database.close();
  await own.drop();
});

const query = async (text: string, values: unknown[] = []) =>
  (await database.engine.query(text, values)).rows;
const permits = async () =>
  (
    await query('select count(*)::int as n from dagwright.service_permits where service_id = $1', [service])
  )[0].n;
const stateOf = async () =>
  (
    await query(
      `select openings, extract(epoch from open_until - clock_timestamp()) * 1000 as left, probe_id is not null as probing
       from dagwright.service_states where service_id = $1 || '@tenant-1'`,
      [service],
    )
  )[0];
/** The time of an open breaker is over. */
const endOpening = () =>
  query(
    "update dagwright.service_states set open_until = clock_timestamp() where service_id = $1 || '@tenant-1'",
    [service],
  );

const TENANT = 'tenant-1';

/** A worker's services, under a worker row of its own. */
async function openWorker(db: Queryable = database.engine) {
  const workerId = newId();
  await registerWorker(database.engine, {
    id: workerId,
    host: 'test',
    pid: 1,
    concurrency: 16,
    leaseSeconds: 15,
    types: [],
  });
  const note = (message: string) => void logged.push(message);
  const services = new OutsideServices({
    db,
    workerId: () => workerId,
    log: { debug: () => {}, info: () => {}, warn: note, error: note },
  });
  opened.push(services);
  const use = <T>(call: () => Promise<T>, signal = new AbortController().signal) =>
    services.use({ serviceId: service, tenantId: TENANT }, signal, call);
  return {
    workerId,
    services,
    use,
    /** As a task does: comes back when it is told to. */
    async insist<T>(call: () => Promise<T>): Promise<T> {
      for (;;) {
        try {
          return await use(call);
        } catch (error) {
          if (!(error instanceof NotNow)) throw error;
          await delay(error.delayMs);
        }
      }
    },
  };
}

/** `lanes` at once, until `count` calls were made. */
async function callInLanes(lanes: number, count: number, call: () => Promise<unknown>): Promise<void> {
  let left = count;
  const lane = async () => {
    while (left-- > 0) await call();
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

const unavailable = () => Promise.reject(new RetryableError('down', { code: 'http_503' }));
const fine = async () => 'fine';
const kindOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'called',
    (error) => (error instanceof NotNow ? 'not now' : (error as RetryableError).code),
  );

describe('without limits', () => {
  test('calls of a healthy service cost one statement a second, however many they are', async () => {
    let statements = 0;
    const counting = {
      query: (...args: unknown[]) => {
        statements++;
        return (database.engine.query as (...all: unknown[]) => unknown)(...args);
      },
    } as Queryable;
    const worker = await openWorker(counting);
    const startedAt = performance.now();
    let most = 0;
    let inFlight = 0;
    await callInLanes(50, 5_000, () =>
      worker.use(async () => {
        most = Math.max(most, ++inFlight);
        await new Promise(setImmediate);
        inFlight--;
      }),
    );
    expect(statements).toBeLessThanOrEqual(1 + Math.ceil((performance.now() - startedAt) / 1_000));
    expect(most).toBe(50);
  });

  test('errors of calls come through as they are, and close lets no more begin', async () => {
    const { use, services } = await openWorker();
    const error = new TerminalError('http_404', 'gone');
    await expect(use(() => Promise.reject(error))).rejects.toBe(error);
    await services.close();
    await expect(use(fine)).rejects.toThrow('ended');
  });
});

describe('a limit of calls at once', () => {
  const calls = depth(10_000);
  test(`holds over both workers: ${calls.toLocaleString('en')} quick calls, never more than four in flight`, async () => {
    await setServiceLimit(database.engine, service, { maxConcurrency: 4 });
    const workers = [await openWorker(), await openWorker()];
    let most = 0;
    let inFlight = 0;
    let done = 0;
    const call = async () => {
      most = Math.max(most, ++inFlight);
      await new Promise(setImmediate);
      inFlight--;
      done++;
    };
    await Promise.all(workers.map((worker) => callInLanes(16, calls / 2, () => worker.insist(call))));
    expect([most, done]).toEqual([4, calls]);
    await until(async () => (await permits()) === 0);
  });

  test('holds for workers that ask at the same moment', async () => {
    await setServiceLimit(database.engine, service, { maxConcurrency: 3 });
    const workers = await Promise.all(Array.from({ length: 4 }, () => openWorker()));
    let most = 0;
    let inFlight = 0;
    const call = async () => {
      most = Math.max(most, ++inFlight);
      await delay(Math.random() * 3);
      inFlight--;
    };
    const pausing = async (insist: (call: () => Promise<void>) => Promise<void>) => {
      await delay(Math.random() * 6);
      await insist(call);
    };
    await Promise.all(workers.map(({ insist }) => callInLanes(2, 300, () => pausing(insist))));
    expect(most).toBe(3);
  });

  test('a worker that is gone holds nothing', async () => {
    await setServiceLimit(database.engine, service, { maxConcurrency: 1 });
    const [dead, other] = [await openWorker(), await openWorker()];
    const held = gate();
    const entered = gate();
    const hanging = dead.use(async () => {
      entered.open();
      await held.opened;
    });
    await entered.opened;
    expect(await kindOf(other.use(fine))).toBe('not now');
    const waiting = other.use(fine);
    await removeWorker(database.engine, dead.workerId);
    expect(await waiting).toBe('fine');
    held.open();
    await hanging;
    await until(async () => (await permits()) === 0);
  });

  test('a worker without a row gets nothing', async () => {
    await setServiceLimit(database.engine, service, { maxConcurrency: 1 });
    const worker = await openWorker();
    await removeWorker(database.engine, worker.workerId);
    expect(await kindOf(worker.use(fine))).toBe('not now');
  });

  test('a worker that is never idle lets another in', async () => {
    await setServiceLimit(database.engine, service, { maxConcurrency: 1 });
    const [busy, other] = [await openWorker(), await openWorker()];
    let stop = false;
    const running = Promise.all(
      Array.from({ length: 8 }, async () => {
        while (!stop) await busy.insist(() => new Promise((resolve) => setTimeout(resolve, 2)));
      }),
    );
    for (let i = 0; i < 3; i++) expect(await other.use(fine)).toBe('fine');
    stop = true;
    await running;
  });

  test('an abort leaves the queue, and gives back what was held', async () => {
    await setServiceLimit(database.engine, service, { maxConcurrency: 1 });
    const worker = await openWorker();
    const first = new AbortController();
    const entered = gate();
    const running = worker.use(
      () =>
        new Promise((_, reject) => {
          entered.open();
          first.signal.addEventListener('abort', () => reject(first.signal.reason));
        }),
      first.signal,
    );
    await entered.opened;
    const second = new AbortController();
    let wasCalled = false;
    const waiting = worker.use(async () => {
      wasCalled = true;
    }, second.signal);
    const third = worker.use(fine);
    await new Promise(setImmediate);
    second.abort(new AttemptAbort('cancelled'));
    await expect(waiting).rejects.toThrow('aborted: cancelled');
    first.abort(new AttemptAbort('cancelled'));
    await expect(running).rejects.toThrow('aborted: cancelled');
    expect(await third).toBe('fine');
    expect(wasCalled).toBe(false);
    await until(async () => (await permits()) === 0);
  });

  test('an abort before the start that was given gives its permit back', async () => {
    await setServiceLimit(database.engine, service, {
      maxConcurrency: 1,
      rateLimit: 1,
      rateIntervalMs: 1_700,
    });
    const worker = await openWorker();
    await worker.use(fine);
    const controller = new AbortController();
    const waiting = worker.use(fine, controller.signal);
    await until(async () => (await permits()) === 1);
    controller.abort(new AttemptAbort('shutdown'));
    await expect(waiting).rejects.toThrow('aborted: shutdown');
    await until(async () => (await permits()) === 0);
  });

  test('is followed within a second when it changes', async () => {
    const worker = await openWorker();
    await worker.use(fine);
    await setServiceLimit(database.engine, service, { maxConcurrency: 1 });
    const held = gate();
    await until(() => worker.use(async () => (await permits()) === 1));
    const hanging = worker.use(() => held.opened);
    expect(await kindOf(worker.use(fine))).toBe('not now');
    held.open();
    await hanging;
  });
});

describe('a rate', () => {
  test('is exceeded in no interval, by both workers together', async () => {
    const rate = 20;
    const intervalMs = 500;
    await setServiceLimit(database.engine, service, { rateLimit: rate, rateIntervalMs: intervalMs });
    // Every start that was given, by the database's clock.
    const admin = new pg.Client({ connectionString: own.url });
    await admin.connect();
    await admin.query(`create table public.starts (at timestamptz not null);
      grant insert, select on public.starts to public;
      create function public.note_start() returns trigger language plpgsql as $$
        begin insert into public.starts values (new.starts_at); return new; end $$;
      create trigger note_start after insert or update on dagwright.service_starts for each row execute function public.note_start()`);
    await admin.end();
    const workers = [await openWorker(), await openWorker()];
    const began: number[] = [];
    await Promise.all(
      workers.map(({ insist }) =>
        callInLanes(6, 50, () => insist(async () => void began.push(performance.now()))),
      ),
    );
    const given = await query(
      `select extract(epoch from lead(at, $1) over (order by at) - at) * 1000 as ms from public.starts`,
      [rate],
    );
    const spans = given.flatMap(({ ms }) => (ms === null ? [] : [Number(ms)]));
    expect(began).toHaveLength(100);
    expect(spans).toHaveLength(100 - rate);
    expect(Math.min(...spans)).toBeGreaterThanOrEqual(intervalMs);
  });

  test('a start that is too far away is not waited for in a slot', async () => {
    await setServiceLimit(database.engine, service, { rateLimit: 1, rateIntervalMs: 60_000 });
    const worker = await openWorker();
    await worker.use(fine);
    const startedAt = performance.now();
    const refusals = await Promise.all(
      Array.from({ length: 3 }, () => worker.use(fine).catch((error) => error as NotNow)),
    );
    expect(performance.now() - startedAt).toBeLessThan(patience(2_000));
    const delays = (refusals as NotNow[]).map(({ delayMs }) => delayMs).sort((a, b) => a - b);
    // In their turn, not all at once.
    for (const [i, delayMs] of delays.entries()) expect(delayMs).toBeGreaterThan(55_000 + i * 30_000);
  });

  test('a change of the rate forgets no start', async () => {
    await setServiceLimit(database.engine, service, { rateLimit: 3, rateIntervalMs: 60_000 });
    const worker = await openWorker();
    for (let i = 0; i < 3; i++) await worker.use(fine);
    for (const rateLimit of [5, 2]) {
      await setServiceLimit(database.engine, service, { rateLimit });
      expect(await kindOf(worker.use(fine))).toBe(rateLimit === 5 ? 'called' : 'not now');
    }
  });
});

describe('the circuit breaker', () => {
  test('opens for both workers, lets exactly one probe through, and closes for both', async () => {
    const [a, b] = [await openWorker(), await openWorker()];
    await b.use(fine);
    for (let i = 0; i < 5; i++) expect(await kindOf(a.use(unavailable))).toBe('http_503');
    expect(await kindOf(a.use(fine))).toBe('not now');
    await until(async () => (await kindOf(b.use(fine))) === 'not now');
    expect(await stateOf()).toMatchObject({ openings: 1 });
    const refusal = (await b.use(fine).catch((error) => error)) as NotNow;
    expect(refusal.delayMs).toBeGreaterThan(1_000);

    await endOpening();
    // Two more that have just read that its time is over: both ask to be the probe.
    const late = [await openWorker(), await openWorker()];
    for (const { services } of late)
      await services.use(
        { serviceId: `beside ${service}`, tenantId: TENANT },
        new AbortController().signal,
        fine,
      );
    const workers = [...late, a, b];
    const held = gate();
    let probes = 0;
    const probe = () => {
      probes++;
      return held.opened;
    };
    const calls: Promise<string>[] = [];
    await until(async () => {
      for (let i = 0; i < 5; i++) for (const { use } of workers) calls.push(kindOf(use(probe)));
      return probes > 0;
    });
    for (let i = 0; i < 10; i++) for (const { use } of workers) calls.push(kindOf(use(probe)));
    await until(async () => (await stateOf())?.probing);
    held.open();
    const ends = await Promise.all(calls);
    expect(probes).toBe(1);
    expect(ends.filter((end) => end === 'called')).toHaveLength(1);
    for (const { use } of workers) await until(async () => (await kindOf(use(fine))) === 'called');
    expect(await stateOf()).toBeUndefined();
  });

  test('a probe that fails opens it for twice as long', async () => {
    const [a, b] = [await openWorker(), await openWorker()];
    for (let i = 0; i < 5; i++) await kindOf(a.use(unavailable));
    await until(stateOf);
    await endOpening();
    await until(async () => (await kindOf(b.use(unavailable))) === 'http_503');
    await until(async () => (await stateOf()).openings === 2);
    const { left, probing } = await stateOf();
    expect(Number(left)).toBeGreaterThan(7_000);
    expect(probing).toBe(false);
    expect(await kindOf(b.use(fine))).toBe('not now');
  });

  test('a probe whose worker is gone makes room for another', async () => {
    const [a, b] = [await openWorker(), await openWorker()];
    for (let i = 0; i < 5; i++) await kindOf(a.use(unavailable));
    await until(stateOf);
    await endOpening();
    const held = gate();
    let hanging: Promise<string> | undefined;
    await until(async () => {
      const call = kindOf(a.use(() => held.opened));
      const first = await Promise.race([call, until(async () => (await stateOf())?.probing)]);
      if (first === true) hanging = call;
      return first === true;
    });
    expect(await kindOf(b.use(fine))).toBe('not now');
    await removeWorker(database.engine, a.workerId);
    await until(async () => (await kindOf(b.use(fine))) === 'called');
    held.open();
    await hanging;
  });

  test('a closed breaker opens for nobody by 4xx, refusals or aborts; a timeout counts', async () => {
    const worker = await openWorker();
    for (let i = 0; i < 10; i++)
      await kindOf(worker.use(() => Promise.reject(new TerminalError('http_404', 'no'))));
    const aborting = async (reason: 'cancelled' | 'shutdown' | 'timeout') => {
      const controller = new AbortController();
      await kindOf(
        worker.use(() => {
          controller.abort(new AttemptAbort(reason));
          return Promise.reject(controller.signal.reason);
        }, controller.signal),
      );
    };
    for (let i = 0; i < 10; i++) await aborting(i % 2 === 0 ? 'cancelled' : 'shutdown');
    expect(await kindOf(worker.use(fine))).toBe('called');
    for (let i = 0; i < 5; i++) await aborting('timeout');
    expect(await kindOf(worker.use(fine))).toBe('not now');
  });

  test('a service that asks for fewer calls is left alone by both, as long as it asks', async () => {
    const [a, b] = [await openWorker(), await openWorker()];
    await b.use(fine);
    const limited = new RetryableError('slow down', { code: 'rate_limited', retryAfter: 30 });
    await expect(a.use(() => Promise.reject(limited))).rejects.toBe(limited);
    for (const { use } of [a, b]) {
      await until(async () => (await kindOf(use(fine))) === 'not now');
      const { delayMs, message } = (await use(fine).catch((error) => error)) as NotNow;
      expect(delayMs).toBeGreaterThan(20_000);
      expect(message).toContain(service);
    }
  });
});

describe('a database that does not answer', () => {
  /** Fails every statement while it is away, as a server that is down does. */
  const flaky = () => {
    const db = {
      isAway: false,
      refused: 0,
      query(...args: unknown[]) {
        if (db.isAway) {
          db.refused++;
          return Promise.reject(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }));
        }
        return (database.engine.query as (...all: unknown[]) => Promise<unknown>)(...args);
      },
    };
    return db;
  };

  test("stops no call; this worker's breaker still holds; it is said once", async () => {
    const db = flaky();
    db.isAway = true;
    const worker = await openWorker(db as unknown as Queryable);
    for (let i = 0; i < 3; i++) expect(await kindOf(worker.use(fine))).toBe('called');
    for (let i = 0; i < 5; i++) expect(await kindOf(worker.use(unavailable))).toBe('http_503');
    expect(await kindOf(worker.use(fine))).toBe('not now');
    expect(logged).toHaveLength(1);
    db.isAway = false;
    await until(stateOf);
    expect(await stateOf()).toMatchObject({ openings: 1 });
    expect(await kindOf(worker.use(fine))).toBe('not now');
  });

  test('gets back what was held when it is there again, without another call', async () => {
    await setServiceLimit(database.engine, service, { maxConcurrency: 2 });
    const db = flaky();
    const worker = await openWorker(db as unknown as Queryable);
    const [held, entered] = [gate(), gate()];
    const first = worker.use(() => {
      entered.open();
      return held.opened;
    });
    await entered.opened;
    expect(await permits()).toBe(1);
    db.isAway = true;
    expect(await worker.use(fine)).toBe('fine');
    held.open();
    await first;
    const { refused } = db;
    await until(async () => db.refused > refused + 2);
    db.isAway = false;
    await until(async () => (await permits()) === 0);
  });

  test('close ends although it is away, and leaves no timer', async () => {
    await setServiceLimit(database.engine, service, { maxConcurrency: 1 });
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const client = new pg.Client({ connectionString: own.url });
    await client.connect();
    const well = await openWorker(client);
    const atFirst = timers();
    await well.use(fine);
    await well.services.close();
    expect(timers()).toBeLessThanOrEqual(atFirst);
    let isAway = false;
    const worker = await openWorker({
      query: (...args: unknown[]) =>
        isAway
          ? Promise.reject(Object.assign(new Error('gone'), { code: 'ECONNRESET' }))
          : (client.query as (...all: unknown[]) => Promise<unknown>).apply(client, args),
    } as unknown as Queryable);
    const before = timers();
    await worker.use(async () => {
      isAway = true;
    });
    await worker.services.close();
    expect(timers()).toBeLessThanOrEqual(before);
    await client.end();
  });
});
