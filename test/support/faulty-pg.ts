// A database that fails as connections do, for tests: some statements fail before they are executed, some are executed
// and their answer is lost (a commit too), some end in a conflict. Which ones is drawn from a seed.
import type pg from 'pg';
import type { Database } from '../../src/db/connection/connection.ts';

export interface FaultRates {
  /** Share of statements whose connection is lost before they are executed. */
  readonly lostBefore: number;
  /** Share of statements that are executed, but whose connection is lost before the answer. */
  readonly lostAfter: number;
  /** Share of statements that end in 40001 or 40P01 and do nothing. */
  readonly conflict: number;
}

export const FAULT_RATES: FaultRates = { lostBefore: 0.05, lostAfter: 0.05, conflict: 0.03 };

export interface FaultyDatabase extends Database {
  /** Nothing fails while this is false. */
  isFaulty: boolean;
  /** How many statements met which fault. */
  readonly met: { -readonly [fault in keyof FaultRates]: number } & { statements: number };
}

type Query = (...args: readonly unknown[]) => Promise<unknown>;

/** `database` with faults in its work pool, from the same connections. Work in a tenant's name goes through unharmed. */
export function faultyDatabase(database: Database, seed: number, rates = FAULT_RATES): FaultyDatabase {
  const random = randomOf(seed);
  const met = { statements: 0, lostBefore: 0, lostAfter: 0, conflict: 0 };

  const draw = (): keyof FaultRates | null => {
    met.statements++;
    const drawn = random();
    const { lostBefore, lostAfter, conflict } = rates;
    if (drawn < lostBefore) return 'lostBefore';
    if (drawn < lostBefore + lostAfter) return 'lostAfter';
    return drawn < lostBefore + lostAfter + conflict ? 'conflict' : null;
  };
  // `lose` makes the loss true for a connection that somebody holds.
  const withFaults =
    (query: Query, lose: () => Promise<void>): Query =>
    async (...args) => {
      const fault = faulty.isFaulty && !/^rollback$/i.test(textOf(args[0])) ? draw() : null;
      if (fault === null) return await query(...args);
      met[fault]++;
      if (fault === 'conflict') throw conflictError(random());
      if (fault === 'lostAfter') await query(...args);
      await lose();
      throw lossError(random());
    };

  const { engine } = database;
  const pool = new Proxy(engine, {
    get(target, key) {
      if (key === 'query') return withFaults(target.query.bind(target) as Query, async () => {});
      if (key === 'connect') return async () => faultyClient(await target.connect());
      const value = Reflect.get(target, key) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const faultyClient = (client: pg.PoolClient): pg.PoolClient => {
    const query = withFaults(client.query.bind(client) as Query, async () => {
      await (client as unknown as pg.Client).end();
    });
    return new Proxy(client, {
      get(target, key) {
        if (key === 'query') return query;
        const value = Reflect.get(target, key) as unknown;
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  };
  const faulty: FaultyDatabase = { ...database, engine: pool, isFaulty: true, met };
  return faulty;
}

function textOf(statement: unknown): string {
  return typeof statement === 'string' ? statement : ((statement as pg.QueryConfig).text ?? '');
}

function lossError(drawn: number): Error {
  if (drawn < 0.5) return new Error('Connection terminated unexpectedly');
  return Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
}

function conflictError(drawn: number): Error {
  return drawn < 0.5
    ? Object.assign(new Error('could not serialize access due to concurrent update'), { code: '40001' })
    : Object.assign(new Error('deadlock detected'), { code: '40P01' });
}

// mulberry32
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
