// The calls of a worker that go out in batches: settles, claims, openings, finishes. Those that make or keep claims are sent
// only while the worker's lease is good. What finds its execution locked is put off until it is free; no batch waits.
import type pg from 'pg';
import { bytesOfEnd } from '../../core/attempt-end.ts';
import { Batcher } from '../../db/connection/batcher.ts';
import type { Locked } from '../../db/connection/locked.ts';
import { type Opened, openBatch } from '../../db/protocol/openings.ts';
import { settleBatch } from '../../db/protocol/settle.ts';
import { lastOf } from '../../db/protocol/settle-kinds.ts';
import type { Settle } from '../../db/protocol/settlement.ts';
import { claimBatch, finishBatch } from '../../db/protocol/transitions.ts';
import type { WorkerContext } from '../context.ts';

export type Calls = Pick<WorkerContext, 'settles' | 'claims' | 'openings' | 'finishes'>;

export function createCalls(options: {
  readonly pool: pg.Pool;
  /** Who sends: its id may change, and so may the slots of all. */
  readonly worker: () => { readonly id: string; readonly slots: number };
  readonly whileAlive: () => Promise<void>;
  readonly onRetry: (error: unknown) => void;
  readonly suspect: (executionId: string) => void;
  readonly untilFree: (executionId: string) => Promise<void>;
}): Calls {
  const { pool, worker, whileAlive, onRetry, suspect, untilFree } = options;
  // An answer that was lost leaves claims that nobody here knows of: they are looked for afterwards.
  const batcher = <In extends { readonly executionId: string }, Out>(
    send: (items: readonly In[]) => Promise<readonly (Out | Locked)[]>,
    sizeOf?: (item: In) => number,
  ) =>
    new Batcher<In, Out>({
      keyOf: ({ executionId }) => executionId,
      onRetry,
      untilFree,
      ...(sizeOf === undefined ? {} : { sizeOf }),
      send: async (items) => {
        try {
          return await send(items);
        } catch (error) {
          for (const { executionId } of items) suspect(executionId);
          throw error;
        }
      },
    });
  return {
    settles: batcher(async (settles) => {
      await whileAlive();
      return await settleBatch(pool, worker(), settles);
    }, bytesOf),
    claims: batcher(async (wants) => {
      await whileAlive();
      return await claimBatch(pool, worker().id, wants);
    }),
    openings: batcher(
      async (openings) => {
        await whileAlive();
        const opened = await openBatch(pool, worker(), openings);
        return openings.map(({ executionId }): Opened | Locked | null => opened.get(executionId) ?? null);
      },
      ({ plan }) => plan.rowsJson.length,
    ),
    finishes: batcher((finishes) => finishBatch(pool, finishes)),
  };
}

// What dominates the size of a settle; its own fields are small.
function bytesOf(settle: Settle): number {
  const { end, successors } = settle;
  const { finishOutputJson = '' } = lastOf(settle);
  const ends = [end, ...(successors?.ends ?? []).map((successor) => successor.end)];
  return ends.reduce((sum, one) => sum + bytesOfEnd(one), finishOutputJson.length);
}
