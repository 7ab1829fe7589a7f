// Starts and ends the heartbeat thread of a worker; see heartbeat-thread.ts for what it keeps.
import { Worker as Thread } from 'node:worker_threads';
import { engineConnection } from '../db/connection.ts';
import { BEAT_SQL, WORKER_LOCK } from '../db/workers.ts';
import type { HeartbeatData, HeartbeatMessage } from './heartbeat-thread.ts';

const BEAT_MS = 3_000;
const STILL_MS = 30_000;

export interface Heartbeat {
  /** Ends the thread and frees the lock. */
  stop(): Promise<void>;
}

/** Begins to beat for a registered worker; resolves after the first beat. */
export async function startHeartbeat(options: {
  readonly url: string;
  readonly workerId: string;
  readonly lockKey: number;
  readonly onMessage: (message: HeartbeatMessage) => void;
}): Promise<Heartbeat> {
  const pulse = new SharedArrayBuffer(4);
  const counter = new Int32Array(pulse);
  const { types: _, ...connection } = engineConnection(options.url, 'dagwright heartbeat');
  const workerData: HeartbeatData = {
    connection: {
      ...connection,
      options: `${connection.options} -c statement_timeout=5000 -c lock_timeout=0`,
      // A connection whose other side has vanished must not keep the beat waiting.
      query_timeout: 6000,
    },
    workerId: options.workerId,
    lockKey: options.lockKey,
    lockClass: WORKER_LOCK,
    beatSql: BEAT_SQL,
    intervalMs: BEAT_MS,
    stillMs: STILL_MS,
    pulse,
  };
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const thread = new Thread(new URL(`./heartbeat-thread.${extension}`, import.meta.url), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 },
  });
  thread.unref();
  const ticking = setInterval(() => Atomics.add(counter, 0, 1), 1000);
  ticking.unref();
  let isStopping = false;
  await new Promise<void>((resolve, reject) => {
    thread.on('message', (message: HeartbeatMessage) => {
      if (message.kind === 'beat') resolve();
      options.onMessage(message);
    });
    // A thread that ends unasked leaves the worker without a lease: tell it as a death, so that it registers anew.
    thread.on('error', (error) => {
      reject(error);
      if (!isStopping) options.onMessage({ kind: 'dead' });
    });
  });
  return {
    async stop() {
      isStopping = true;
      clearInterval(ticking);
      await thread.terminate();
    },
  };
}
