// Makes what the parts of one worker share (engine/context.ts): its calls, and what it tells and is told.
import type { Outage } from '../../db/connection/outage.ts';
import { giveSuspectTurnBack, takeSuspectTurn } from '../../db/protocol/workers.ts';
import { SuspectGate } from '../attempt/suspect-gate.ts';
import type { WorkerContext, WorkerEvents } from '../context.ts';
import { noteStaleWrite } from '../log/notes.ts';
import { createCalls } from '../settle/calls.ts';
import { runLane } from './lane.ts';
import type { LanesUnderWay } from './lanes-under-way.ts';
import type { Membership } from './membership.ts';
import type { WatchLoop } from './watch-loop.ts';

type Shared = 'pool' | 'types' | 'executions' | 'attempts' | 'log' | 'executionLog' | 'outside' | 'locked';

export interface ContextParts extends Pick<WorkerContext, Shared> {
  readonly membership: Membership;
  readonly outage: Outage;
  readonly lanes: LanesUnderWay;
  /** It is made of the context, and so comes after it. */
  readonly watch: () => WatchLoop;
  readonly isDraining: () => boolean;
  /** Told what happens. */
  readonly events: Pick<WorkerEvents, 'attemptEnded' | 'tasksRecovered' | 'executionEnded'> & {
    settleLost(executionId: string, taskId: string): void;
  };
}

export function createWorkerContext(parts: ContextParts): WorkerContext {
  const { membership, outage, lanes, watch, isDraining, events, ...shared } = parts;
  const { pool, log, executions, executionLog, locked } = shared;
  const whileAlive = () => membership.whileAlive();
  const suspect = (executionId: string) => watch().suspect(executionId);
  const calls = createCalls({
    pool,
    worker: () => membership,
    whileAlive,
    onRetry: (error) => {
      outage.refused(error);
      log.debug('the database did not answer; trying again', { error: String(error) });
    },
    suspect,
    untilFree: (executionId) => locked.untilFree(executionId),
  });
  const context: WorkerContext = {
    ...shared,
    ...calls,
    get id() {
      return membership.id;
    },
    get slots() {
      return membership.slots;
    },
    get draining() {
      return isDraining();
    },
    events: {
      attemptEnded: (ended) => events.attemptEnded(ended),
      tasksRecovered: (tasks) => events.tasksRecovered(tasks),
      executionEnded(executionId) {
        executions.forget(executionId);
        events.executionEnded(executionId);
      },
      settleLost(executionId, claim) {
        log.warn('a stale write was refused', { executionId, taskId: claim.taskId, fence: claim.fence });
        noteStaleWrite(executionLog, executionId, claim);
        events.settleLost(executionId, claim.taskId);
      },
    },
    spawn({ executionId, claim }) {
      const run = async () => {
        const memory = await executions.get(executionId);
        if (memory !== null) await runLane(context, { memory, claim, list: [], isExtra: true });
      };
      void lanes.track(run());
    },
    nowMs: () => watch().nowMs(),
    wakeIn: (ms) => watch().wakeIn(ms),
    suspect,
    suspectGate: new SuspectGate({
      turn: {
        take: (ms) => takeSuspectTurn(pool, membership.id, ms),
        giveBack: () => giveSuspectTurnBack(pool, membership.id),
      },
    }),
    whileAlive,
  };
  return context;
}
