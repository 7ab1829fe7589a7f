// What the parts of one worker share.

import type pg from 'pg';
import type { CountedStatus } from '../core/attempt-end.ts';
import type { TaskLog } from '../core/log-lines.ts';
import type { Batcher } from '../db/connection/batcher.ts';
import type { LockedExecutions } from '../db/protocol/locked-executions.ts';
import type { Opened, Opening } from '../db/protocol/openings.ts';
import type { Settle, SettleResult } from '../db/protocol/settlement.ts';
import type { Claim, Finish, ListClaim, TaskRef } from '../db/protocol/transitions.ts';
import type { TaskType } from '../tasks/task-type.ts';
import type { AttemptRegister } from './attempt/attempt-register.ts';
import type { SuspectGate } from './attempt/suspect-gate.ts';
import type { ExecutionLog } from './log/execution-log.ts';
import type { ExecutionCache } from './memory/execution-cache.ts';
import type { WorkerOutside } from './services/outside.ts';

/** A claim with its place in its execution's plan. */
export interface LaneWork {
  readonly executionId: string;
  readonly claim: Claim;
}

export interface WorkerContext {
  /** The worker row's id; another one after this worker was declared dead. */
  readonly id: string;
  /** At most this many jobs for one set of ready tasks: the tasks that all live workers may run at once. */
  readonly slots: number;
  readonly pool: pg.Pool;
  readonly types: ReadonlyMap<string, TaskType>;
  readonly executions: ExecutionCache;
  readonly attempts: AttemptRegister;
  readonly log: TaskLog;
  /** What tasks log and what happens to executions, for their users. */
  readonly executionLog: ExecutionLog;
  readonly outside: WorkerOutside;
  /** No new work is taken; what runs may end. */
  readonly draining: boolean;
  readonly settles: Batcher<Settle, SettleResult>;
  readonly claims: Batcher<{ readonly executionId: string; readonly list: readonly TaskRef[] }, ListClaim>;
  /** When it started, in milliseconds since the epoch; null: another had opened it. */
  readonly openings: Batcher<Opening, Opened | null>;
  readonly finishes: Batcher<Finish, boolean>;
  /** Whose lock somebody else has: what needs one of them waits here. */
  readonly locked: LockedExecutions;
  readonly events: WorkerEvents;
  /** Runs pure tasks that a settle claimed beyond its lane's own. */
  spawn(work: LaneWork): void;
  /** The database's clock, milliseconds since the epoch, as far as this worker knows it. */
  nowMs(): number;
  /** Wakes the timer loop when something becomes due sooner than its next pass. */
  wakeIn(ms: number): void;
  /** A settle may have committed although its answer was lost: look for what this worker does not know it owns. */
  suspect(executionId: string): void;
  /** Holds a task that has crashed workers back until it can run alone. */
  readonly suspectGate: SuspectGate;
  /** Resolves while this worker's lease is good; after a pause, once it has beaten again or has a new id. */
  whileAlive(): Promise<void>;
}

/** One attempt that has ended and is recorded. */
export interface EndedAttempt {
  readonly taskType: string;
  readonly status: CountedStatus;
  readonly durationMs: number;
  /** A decimal; null: not known. */
  readonly costUsd: string | null;
}

/** What a worker tells those in the same process, as it happens. */
export interface WorkerEvents {
  attemptEnded(ended: EndedAttempt): void;
  /** So many tasks of dead workers were taken over. */
  tasksRecovered(tasks: number): void;
  executionEnded(executionId: string): void;
  /** A write was refused because the attempt had another owner by then. */
  settleLost(executionId: string, claim: Claim): void;
}
