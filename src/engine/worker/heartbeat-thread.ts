// The heartbeat: a thread of its own with a connection of its own, so that a busy main loop misses no beat.
//   H1  It beats every 3 s by the database clock and holds a session advisory lock; a killed process frees the lock.
//   H2  It stops beating once the main loop has stood still for 30 s: a worker that cannot work must lose its lease.
//   H3  A beat that finds no row means that this worker was declared dead; the main thread is told, and beats end.
import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import pg from 'pg';

export interface HeartbeatData {
  readonly connection: pg.ClientConfig;
  readonly workerId: string;
  readonly lockKey: number;
  readonly lockClass: number;
  readonly beatSql: string;
  readonly intervalMs: number;
  readonly stillMs: number;
  /** One Int32: rises as the main loop turns. */
  readonly pulse: SharedArrayBuffer;
}

/**
 * What the thread tells: a beat (slots: how many tasks all live workers may run; when it was sent, by the clock that all
 * threads share), a miss, or that the worker is dead.
 */
export type HeartbeatMessage =
  | { readonly kind: 'beat'; readonly slots: number; readonly sentAtMs: number }
  | { readonly kind: 'missed'; readonly message: string }
  | { readonly kind: 'dead' };

const LOCK_SQL = 'select pg_try_advisory_lock($1, $2) as locked';

const data = workerData as HeartbeatData;
const port = parentPort!;
const pulse = new Int32Array(data.pulse);
let client = null as pg.Client | null;
let hasLock = false;
let lastPulse = -1;
let lastMoved = performance.now();

function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

function isMainLoopAlive(): boolean {
  const now = Atomics.load(pulse, 0);
  if (now !== lastPulse) {
    lastPulse = now;
    lastMoved = performance.now();
  }
  return performance.now() - lastMoved < data.stillMs;
}

async function connect(): Promise<pg.Client> {
  const fresh = new pg.Client(data.connection);
  fresh.on('error', () => {
    if (client === fresh) client = null;
  });
  await fresh.connect();
  hasLock = false;
  return fresh;
}

async function beat(): Promise<HeartbeatMessage> {
  try {
    client ??= await connect();
    // An older connection of ours that the server has not given up yet may hold it still: that is as good.
    if (!hasLock) hasLock = (await client.query(LOCK_SQL, [data.lockClass, data.lockKey])).rows[0].locked;
    const sentAtMs = monotonicMs();
    const { rows } = await client.query<{ slots: number }>(data.beatSql, [data.workerId]);
    return rows[0] === undefined ? { kind: 'dead' } : { kind: 'beat', slots: rows[0].slots, sentAtMs };
  } catch (error) {
    const broken = client;
    client = null;
    broken?.end().catch(() => {});
    return { kind: 'missed', message: error instanceof Error ? error.message : String(error) };
  }
}

while (true) {
  if (isMainLoopAlive()) {
    const message = await beat();
    port.postMessage(message);
    if (message.kind === 'dead') break;
    await delay(message.kind === 'missed' ? Math.min(500, data.intervalMs) : data.intervalMs);
  } else {
    await delay(data.intervalMs);
  }
}
await client?.end().catch(() => {});
