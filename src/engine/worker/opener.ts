// Opens what this process starts in the commit of the start (start_and_open_v3), and runs it at once: no job is written, fetched
// or completed.
//   O1  It offers a slot that is free and that no job waits for, while the lease is good; nothing else is taken before a job.
//   O2  Dying before the commit leaves nothing; after it, running tasks of a dead worker, which are taken over as all are.
//   O3  Where the answer is lost, claims may be this worker's that no lane holds: the execution is suspected.
//   O4  An offer counts as a lane until it is accepted, withdrawn or lost: the worker does not end before. What was accepted is
//       registered in the same turn, so that a cancel or a take-over finds it.

import type { Offer, Opener } from '../../db/executions/execution-starts.ts';
import type { WorkerContext } from '../context.ts';
import { runRoots } from './job.ts';
import type { Slots } from './slots.ts';
import type { TenantsAtWork } from './tenants-at-work.ts';

export interface OpenerOptions {
  readonly worker: WorkerContext;
  readonly slots: Slots;
  /** Keeps a slot that was taken for as long as the lane needs it. */
  readonly keepSlot: (executionId: string, lane: Promise<void>) => Promise<unknown>;
  readonly atWork: TenantsAtWork;
  readonly isLeaseGood: () => boolean;
  /** Keeps an eye on what runs until it has ended. */
  readonly track: (lane: Promise<void>) => Promise<void>;
}

export function createOpener(options: OpenerOptions): Opener {
  const { worker, slots, keepSlot, atWork, isLeaseGood, track } = options;
  return {
    worker,
    offer(versionId, maxTasks): Offer | null {
      if (worker.draining || !isLeaseGood() || worker.suspectGate.isHolding) return null;
      const compiled = worker.executions.compiled(versionId);
      if (compiled === null || compiled.plan.nodes.length > maxTasks || !slots.tryTake()) return null;
      const ended = Promise.withResolvers<void>();
      const known = atWork.expect();
      void track(ended.promise);
      const end = () => {
        known();
        slots.release();
        ended.resolve();
      };
      return {
        plan: compiled.opening,
        accept(execution, startedAtMs) {
          const roots = runRoots(worker, worker.executions.adopt(execution, compiled), startedAtMs);
          const lane = atWork.during(execution.tenantId, roots);
          ended.resolve(lane);
          known();
          keepSlot(execution.id, lane).catch(() => {});
        },
        withdraw: end,
        lose(executionId) {
          worker.suspect(executionId);
          end();
        },
      };
    },
  };
}
