// graphile-worker alone, which has jobs and no steps: what the queue under this engine does by itself.
// A chain is a job that adds the next one in its handler; a fan-out or a DAG is as many jobs, added in one call, without
// dependencies, with the batching that its documentation recommends for throughput.
import { EventEmitter } from 'node:events';
import { Logger, makeWorkerUtils, run, type WorkerEvents } from 'graphile-worker';
import pg from 'pg';
import type { Session, SessionOptions } from '../contender.ts';
import { countSteps, isChain, type Workload } from '../workloads.ts';

const SLOTS = 64;
const CONNECTIONS = 16;
const logger = new Logger(() => () => {});

interface Payload {
  readonly run: number;
  /** Jobs that still follow in this chain. */
  readonly left: number;
}

export async function openGraphile(url: string, { workload }: SessionOptions): Promise<Session> {
  const chained = isChain(workload);
  const steps = countSteps(workload);
  const pool = new pg.Pool({ connectionString: url, max: CONNECTIONS });
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  const events = new EventEmitter() as WorkerEvents;
  let executed = 0;
  let started = 0;
  const open = new Map<number, { left: number; resolve: () => void }>();
  events.on('job:complete', ({ job }) => {
    const { run: id } = job.payload as Payload;
    const entry = open.get(id);
    if (entry === undefined || --entry.left > 0) return;
    open.delete(id);
    entry.resolve();
  });
  const runner = await startRunner(pool, events, workload, async (payload, addNext) => {
    executed++;
    if (payload.left > 0) await addNext({ run: payload.run, left: payload.left - 1 });
  });
  const utils = await makeWorkerUtils({ pgPool: pool, logger });
  return {
    concurrency: workload.concurrency,
    stepsPerRun: steps,
    bodiesPerRun: steps,
    async run() {
      const id = started++;
      const ended = new Promise<void>((resolve) => open.set(id, { left: steps, resolve }));
      if (chained) await utils.addJob('noop', { run: id, left: steps - 1 });
      else
        await utils.addJobs(
          Array.from({ length: steps }, () => ({ identifier: 'noop', payload: { run: id, left: 0 } })),
        );
      await ended;
    },
    executed: () => executed,
    async close() {
      await runner.stop();
      await utils.release();
      await pool.end();
    },
  };
}

async function startRunner(
  pgPool: pg.Pool,
  events: WorkerEvents,
  workload: Workload,
  handle: (payload: Payload, addNext: (next: Payload) => Promise<unknown>) => Promise<void>,
) {
  const batching = isChain(workload)
    ? {}
    : { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 };
  return await run({
    pgPool,
    events,
    noHandleSignals: true,
    logger,
    crontab: '',
    taskList: {
      noop: (payload, { addJob }) => handle(payload as Payload, (next) => addJob('noop', next)),
    },
    preset: { worker: { concurrentJobs: SLOTS, ...batching } },
  });
}
