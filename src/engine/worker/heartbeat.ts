// Starts and ends the heartbeat thread of a worker; see heartbeat-thread.ts for what it keeps.
import { Worker as Thread } from 'node:worker_threads';
import { engineConnection } from '../../db/connection/connection.ts';
import { LIMITS, type Limits } from '../../db/connection/limits.ts';
import { BEAT_SQL, WORKER_LOCK } from '../../db/protocol/workers.ts';
import type { HeartbeatData, HeartbeatMessage } from './heartbeat-thread.ts';

const BEAT_MS = 3_000;
const STILL_MS = 30_000;

export interface Heartbeat {
  /** Ends the thread and frees the lock. */
  stop(): Promise<void>;
}

/** Begins to beat for a registered worker; resolves after the first beat, or when it is told that it is dead. */
export async function startHeartbeat(options: {
  readonly url: string;
  /** How long its connection waits; the usual where absent. */
  readonly limits?: Limits;
  readonly workerId: string;
  readonly lockKey: number;
  readonly onMessage: (message: HeartbeatMessage) => void;
}): Promise<Heartbeat> {
  const pulse = new SharedArrayBuffer(4);
  const counter = new Int32Array(pulse);
  const { limits = LIMITS } = options;
  const { types: _, ...connection } = engineConnection(options.url, 'dagwright heartbeat', limits);
  const { ms, laterMs, doubtMs } = limits.beat;
  const workerData: HeartbeatData = {
    connection: {
      ...connection,
      options: `${connection.options} -c statement_timeout=${ms} -c lock_timeout=0`,
      // A connection whose other side has vanished must not keep the beat waiting.
      query_timeout: ms + laterMs,
    },
    workerId: options.workerId,
    lockKey: options.lockKey,
    lockClass: WORKER_LOCK,
    beatSql: BEAT_SQL,
    intervalMs: BEAT_MS,
    doubtMs,
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
  let hasBegun = false;
  await new Promise<void>((resolve, reject) => {
    const begin = () => {
      hasBegun = true;
      resolve();
    };
    thread.on('message', (message: HeartbeatMessage) => {
      // Dead before its first beat: the worker registers anew, and whoever waits for this one goes on.
      if (message.kind !== 'missed') begin();
      options.onMessage(message);
    });
    // A thread that ends unasked leaves the worker without a lease: tell it as a death, so that it registers anew. Before
    // it has begun, whoever waits for it is told.
    thread.on('error', (error) => {
      if (hasBegun && !isStopping) options.onMessage({ kind: 'dead' });
      reject(error);
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
