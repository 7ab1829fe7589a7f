// The heartbeat: a thread of its own with a connection of its own, so that a busy main loop misses no beat.
//   H1  It beats every 3 s by the database clock and holds a session advisory lock; a killed process frees the lock.
//   H2  It stops beating once the main loop has stood still for 30 s: a worker that cannot work must lose its lease.
//   H3  A beat that finds no row means that this worker was declared dead; the main thread is told, and beats end.
//   H4  A beat that goes unanswered for 2 s is sent over another connection too, and the first that answers is kept: a network
//       that has forgotten a connection must not cost the lease. Sent twice, it is one beat.
import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import type pg from 'pg';
import { type Bounded, BoundedClient } from '../../db/connection/bounded-client.ts';

export interface HeartbeatData {
  readonly connection: pg.ClientConfig;
  readonly workerId: string;
  readonly lockKey: number;
  readonly lockClass: number;
  readonly beatSql: string;
  readonly intervalMs: number;
  /** H4. */
  readonly doubtMs: number;
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

/** A connection, and whether its session holds the lock. */
interface Line {
  readonly client: Bounded;
  hasLock: boolean;
}

const LOCK_SQL = 'select pg_try_advisory_lock($1, $2) as locked';

const DEAD: HeartbeatMessage = { kind: 'dead' };
const data = workerData as HeartbeatData;
const port = parentPort!;
const pulse = new Int32Array(data.pulse);
let line = null as Line | null;
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

function openLine(): Line {
  const opened: Line = { client: new BoundedClient(data.connection), hasLock: false };
  opened.client.on('error', () => {
    if (line === opened) line = null;
  });
  return opened;
}

async function beatOver(used: Line): Promise<{ readonly used: Line; readonly message: HeartbeatMessage }> {
  const { client } = used;
  // An older connection of ours that the server has not given up yet may hold it still: that is as good.
  if (!used.hasLock)
    used.hasLock = (await client.query(LOCK_SQL, [data.lockClass, data.lockKey])).rows[0].locked;
  const sentAtMs = monotonicMs();
  const { rows } = await client.query<{ slots: number }>(data.beatSql, [data.workerId]);
  const message = rows[0] === undefined ? DEAD : { kind: 'beat' as const, slots: rows[0].slots, sentAtMs };
  return { used, message };
}

async function isAnsweredWithin(answer: Promise<unknown>, ms: number): Promise<boolean> {
  return await Promise.race([answer.then(() => true), delay(ms, false, { ref: false })]);
}

async function beat(): Promise<HeartbeatMessage> {
  const lines: Line[] = [];
  const beatOverNew = async () => {
    const fresh = openLine();
    lines.push(fresh);
    await fresh.client.connect();
    return await beatOver(fresh);
  };
  const known = line;
  if (known !== null) lines.push(known);
  try {
    const first = known === null ? beatOverNew() : beatOver(known);
    const isInTime = known === null || (await isAnsweredWithin(first, data.doubtMs));
    const { used, message } = await (isInTime ? first : Promise.any([first, beatOverNew()]));
    line = used;
    return message;
  } catch (error) {
    line = null;
    const last: unknown = error instanceof AggregateError ? error.errors.at(-1) : error;
    return { kind: 'missed', message: last instanceof Error ? last.message : String(last) };
  } finally {
    for (const other of lines) if (other !== line) other.client.giveUp(new Error('another is used'));
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
await line?.client.end().catch(() => {});
