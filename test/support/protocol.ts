// The engine's protocol by hand: executions that no worker runs, opened, claimed and settled by the test itself, so that
// each interleaving of two transitions is the same every time.

import { setTimeout as delay } from 'node:timers/promises';
import type { AttemptEnd } from '../../src/core/attempt-end.ts';
import type { WorkflowDefinition } from '../../src/core/definition/model.ts';
import { newId } from '../../src/core/id.ts';
import type { Queryable } from '../../src/db/connection/connection.ts';
import { LOCKED, type Locked } from '../../src/db/connection/locked.ts';
import { LockedExecutions } from '../../src/db/protocol/locked-executions.ts';
import { openBatch } from '../../src/db/protocol/openings.ts';
import { settleBatch } from '../../src/db/protocol/settle.ts';
import type { PartTraits, Settle, SettleResult } from '../../src/db/protocol/settlement.ts';
import type { Claim } from '../../src/db/protocol/transitions.ts';
import { registerWorker } from '../../src/db/protocol/workers.ts';
import { type Calls, createCalls } from '../../src/engine/settle/calls.ts';
import { BEGIN } from './begin.ts';
import { type Engine, openEngine, until } from './engine.ts';

export interface Protocol {
  readonly engine: Engine;
  /** A worker that has a row and does nothing. */
  readonly worker: { readonly id: string; readonly slots: number };
  /** Its batches, as a worker sends them: what is locked goes again when it is free. */
  readonly calls: Calls;
  readonly locked: LockedExecutions;
  /** Starts, and opens: the first root is claimed, further ones are ready. */
  open(definition: WorkflowDefinition): Promise<{ readonly id: string; readonly claim: Claim }>;
  /** Everything that is stored of an execution, jobs included. */
  rowsOf(id: string): Promise<unknown>;
  /** One task's row. */
  taskOf(id: string, taskId: string): Promise<Record<string, unknown>>;
  /** Jobs that would wake the task; null: that open or conclude the execution. */
  jobsFor(id: string, taskId: string | null): Promise<number>;
  /**
   * Holds the execution, begins `second`, does `first` when that waits, and commits: `second` must judge by what `first`
   * has done. Rejects when `second` does not wait.
   */
  meanwhile<T>(
    id: string,
    first: (client: Queryable) => Promise<unknown>,
    second: () => Promise<T>,
  ): Promise<T>;
}

export async function openProtocol(): Promise<Protocol> {
  const engine = await openEngine({ idle: true, faults: false });
  const pool = engine.database.engine;
  const worker = { id: newId(), slots: 4 };
  await registerWorker(pool, {
    id: worker.id,
    host: 'here',
    pid: 1,
    concurrency: 4,
    leaseSeconds: 15,
    types: [],
  });
  const locked = new LockedExecutions({ db: pool, log: SILENT });
  const calls = createCalls({
    pool,
    worker: () => worker,
    whileAlive: async () => {},
    onRetry: () => {},
    suspect: () => {},
    untilFree: (id) => locked.untilFree(id),
  });
  return {
    engine,
    worker,
    calls,
    locked,
    async open(definition) {
      await engine.apply(definition);
      const id = await engine.start(definition.workflowId);
      let roots = 0;
      const rows = definition.nodes.map(({ taskId, taskType, dependsOn = [] }) => ({
        t: taskId,
        ty: taskType,
        p: dependsOn.length,
        c: dependsOn.length > 0 ? undefined : roots++ === 0 ? 1 : 2,
      }));
      await openBatch(pool, worker, [
        {
          executionId: id,
          plan: {
            deadlineSeconds: 3600,
            rowsJson: JSON.stringify(rows),
            rowCount: rows.length,
            hasReady: roots > 1,
          },
          isUnread: false,
        },
      ]);
      return { id, claim: claimOn(definition.nodes[0]!.taskId) };
    },
    async rowsOf(id) {
      const [row] = await engine.query(
        `select (select to_jsonb(o) from dagwright.workflow_executions o where o.id = $1) as execution,
           (select jsonb_agg(t order by t.task_id, t.map_index) from dagwright.task_executions t where t.workflow_execution_id = $1) as tasks,
           (select jsonb_agg(a) from dagwright.task_attempts a where a.workflow_execution_id = $1) as attempts,
           (select jsonb_agg(c) from dagwright.task_callbacks c where c.workflow_execution_id = $1) as callbacks,
           (select count(*)::int from dagwright.jobs_v1() j where j.execution_id = $1) as jobs`,
        [id],
      );
      return row;
    },
    async taskOf(id, taskId) {
      const [row] = await engine.query(
        `select * from dagwright.task_executions where workflow_execution_id = $1 and task_id = $2 and map_index = -1`,
        [id, taskId],
      );
      return row!;
    },
    async jobsFor(id, taskId) {
      const [row] = await engine.query<{ n: number }>(
        `select count(*)::int as n from dagwright.jobs_v1() where execution_id = $1 and task_id is not distinct from $2`,
        [id, taskId],
      );
      return row!.n;
    },
    async meanwhile(id, first, second) {
      const client = await pool.connect();
      try {
        await client.query(BEGIN);
        await client.query('select from dagwright.workflow_executions where id = $1 for no key update', [id]);
        let hasEnded = false;
        const ending = second().finally(() => {
          hasEnded = true;
        });
        ending.catch(() => {});
        await until(async () => {
          if (hasEnded) throw new Error('it did not wait for the transaction that holds the execution');
          const [row] = await engine.query<{ n: number }>(
            `select count(*)::int as n from pg_locks l join pg_stat_activity a on a.pid = l.pid
             where a.datname = current_database() and not l.granted`,
          );
          return row!.n;
        });
        await first(client);
        await client.query('commit');
        return await ending;
      } finally {
        await client.query('rollback').catch(() => {});
        client.release();
      }
    },
  };
}

const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/**
 * Settles a batch, and what was answered LOCKED once more, by `again`: the server tells of a refusal before it lets go of what the
 * refused call had locked.
 */
export async function settleAll(
  db: Queryable,
  worker: Protocol['worker'],
  settles: readonly Settle[],
  again: Queryable,
): Promise<SettleResult[]> {
  const results: (SettleResult | Locked)[] = [...(await settleBatch(db, worker, settles))];
  for (let tries = 0; results.includes(LOCKED); tries++) {
    if (tries === 100) throw new Error('somebody has it locked');
    await delay(20);
    const left = results.flatMap((result, i) => (result === LOCKED ? [i] : []));
    const answers = await settleBatch(
      again,
      worker,
      left.map((i) => settles[i]!),
    );
    for (const [k, i] of left.entries()) results[i] = answers[k]!;
  }
  return results.map(unlocked);
}

/** An answer of a call that nobody was in the way of. */
export function unlocked<T>(answer: T | Locked): T {
  if (answer === LOCKED) throw new Error('somebody had it locked');
  return answer;
}

/** The first claim of a task. */
export function claimOn(taskId: string): Claim {
  return { taskId, mapIndex: -1, fence: 1, attempt: 1, recoveries: 0, phase: null };
}

/** An end as a test gives it: what all ends have is filled in. */
export type GivenEnd = AttemptEnd extends infer End
  ? End extends AttemptEnd
    ? Omit<End, 'durationMs'>
    : never
  : never;

const COMPLETION: GivenEnd = { kind: 'completed', outputJson: '"done"', output: 'done' };

/** The settle of an attempt that wants to go on; of a completion, unless `end` says otherwise. */
export function settleOf(
  executionId: string,
  { claim, end = COMPLETION, parts = null }: { claim: Claim; end?: GivenEnd; parts?: PartTraits | null },
  more: Partial<Settle> = {},
): Settle {
  return {
    executionId,
    claim,
    end: { durationMs: 5, costUsd: '0.1', ...end } as AttemptEnd,
    task: { isPure: false, staysAfterFailure: false, isOptionalPart: false, parts },
    edges: [],
    wantsNext: true,
    next: [],
    extraPure: 0,
    ...more,
  };
}

/** The edge of success to a child. */
export const toChild = (taskId: string) =>
  ({ taskId, outcome: 'success', isPure: false, isOnly: true }) as const;
