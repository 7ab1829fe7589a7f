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
import type { LanesUnderWay } from './lanes-under-way.ts';
import type { Membership } from './membership.ts';
import type { Slots } from './slots.ts';
import type { StuckLanes } from './stuck-lanes.ts';
import type { TenantsAtWork } from './tenants-at-work.ts';

export interface OpenerOptions {
  readonly worker: WorkerContext;
  readonly slots: Slots;
  readonly atWork: TenantsAtWork;
  readonly membership: Pick<Membership, 'isLeaseGood'>;
  readonly lanes: LanesUnderWay;
  readonly stuck: StuckLanes;
}

export function createOpener(options: OpenerOptions): Opener {
  const { worker, slots, atWork, membership, lanes, stuck } = options;
  return {
    worker,
    offer(versionId, maxTasks): Offer | null {
      if (worker.draining || !membership.isLeaseGood || worker.suspectGate.isHolding || stuck.isFull)
        return null;
      const compiled = worker.executions.compiled(versionId);
      if (compiled === null || compiled.plan.nodes.length > maxTasks || !slots.tryTake()) return null;
      const ended = Promise.withResolvers<void>();
      const known = atWork.expect();
      void lanes.track(ended.promise);
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
          // The slot is kept for as long as the lane needs it.
          void stuck
            .untilEnded({ executionId: execution.id, tenantId: execution.tenantId }, lane)
            .catch(() => {})
            .finally(() => slots.release());
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
