// A worker, and a scheduler where it is asked for, in the program's own process.
import { assertIsolation } from '../db/operations/isolation-check.ts';
import { Worker } from '../engine/worker/worker.ts';
import { createEventPass } from '../triggers/events.ts';
import { createHousekeepingPass } from '../triggers/housekeeping.ts';
import { Scheduler } from '../triggers/scheduler.ts';
import { createStarts } from '../triggers/starts/starts.ts';
import type { Opened } from './open.ts';
import type { WorkerOptions } from './options.ts';

export interface RunningWorker {
  readonly worker: Worker;
  stop(): Promise<void>;
}

export async function startWorker(
  { config, database, isEmbedded, log, types }: Opened,
  { concurrency = config.concurrency, scheduler: isScheduling = false }: WorkerOptions,
): Promise<RunningWorker> {
  if (!isEmbedded) await assertIsolation(database.directUrl);
  // This process serves no callbacks: only an address that is given leads to a service that does.
  const publicUrl = config.isPublicUrlGiven ? config.outside.publicUrl : null;
  const { leaseSeconds, retentionDays } = config;
  const outside = { ...config.outside, publicUrl };
  const worker = new Worker({ database, types, log, concurrency, leaseSeconds, retentionDays, outside });
  try {
    await worker.start();
  } catch (error) {
    await worker.stop();
    throw error;
  }
  const scheduler = isScheduling
    ? new Scheduler({
        database,
        log,
        passes: [
          createEventPass({ database, log, starts: createStarts({ database, log }) }),
          createHousekeepingPass({ database, retentionDays }),
        ],
      })
    : null;
  scheduler?.start();
  return {
    worker,
    async stop() {
      await scheduler?.stop();
      await worker.stop();
    },
  };
}
