// The connection that each command holds beside those of its pools: the server sees by it who needs it, and the command sees
// by its end that the server has gone (killed, or `db stop`), and has it found or started again.
//   K1  It keeps no process alive, and no failure to come back ends it: it tries on.
//   K2  After `release` nothing is started any more.
import type pg from 'pg';
import { type Address, connect, DATABASE } from './connection.ts';

const KEEPER_NAME = 'dagwright command';
const RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 10_000;

export interface Keeper {
  release(): Promise<void>;
}

export interface KeeperOptions {
  /** Finds the server, or starts it again; undefined where its home is gone. */
  readonly revive: () => Promise<Address | undefined>;
  /** Coming back failed; it is tried again. */
  readonly onFailure?: (error: unknown) => void;
}

/** One idle connection for as long as this process lives: the kernel closes it with the process, however that ends. */
export async function openKeeper(address: Address, options: KeeperOptions): Promise<Keeper> {
  let isReleased = false;
  let failures = 0;
  let comingBack: Promise<void> = Promise.resolve();
  let client = await connect(address, KEEPER_NAME);
  await ensureDatabase(client);

  const later = (): void => {
    if (isReleased) return;
    const waitMs = Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** Math.min(failures, 10));
    setTimeout(() => {
      comingBack = comeBack();
    }, waitMs).unref();
  };
  const hold = (next: pg.Client): void => {
    client = next;
    referable(client).unref();
    client.once('end', later);
  };
  const comeBack = async (): Promise<void> => {
    if (isReleased) return;
    try {
      const found = await options.revive();
      if (found === undefined) return;
      const next = await connect(found, KEEPER_NAME);
      failures = 0;
      if (isReleased) await next.end();
      else hold(next);
    } catch (error) {
      failures++;
      options.onFailure?.(error);
      later();
    }
  };

  hold(client);
  return {
    release: async () => {
      isReleased = true;
      await comingBack;
      referable(client).ref();
      await client.end().catch(() => {});
    },
  };
}

async function ensureDatabase(client: pg.Client): Promise<void> {
  const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE]);
  if (rowCount === 0) await client.query(`create database ${DATABASE}`);
}

// pg has both methods, its types have neither.
const referable = (client: pg.Client) => client as pg.Client & { ref(): void; unref(): void };
