// Workers that live and get too little: no turn of the event loop, no connection, no memory, no processor. They must not be
// taken for dead.
import { setTimeout as delay } from 'node:timers/promises';
import type { Arena } from '../arena.ts';
import { within } from '../arena.ts';
import { type Cell, count, ms } from '../cell.ts';
import { type Limit, memoryLimit, processorLimit } from '../limits.ts';
import { duration, percentile, proportion } from '../statistics.ts';
import { applyDocument, type Workflow } from '../workload.ts';
import { removedWorkers } from './kill.ts';

/** Two beats of 3 s and one second: before that nobody may be declared dead. */
const TWO_BEATS_MS = 7_000;

/** Beats so far, and the longest time between two, in ms. */
export async function beats(arena: Arena, pid?: number): Promise<{ n: number; gapMs: number; late: number }> {
  const [row] = await arena.query<{ n: number; gap: number | null; late: number }>(
    `select count(*)::int as n, max(gap_ms) as gap, count(*) filter (where gap_ms > ${TWO_BEATS_MS})::int as late
     from public.worker_events where kind = 'beat' and ($1::int is null or pid = $1)`,
    [pid ?? null],
  );
  return { n: row!.n, gapMs: row!.gap ?? 0, late: row!.late };
}

const blockedLoop: Cell = {
  id: 'M6',
  title: 'the event loop blocked for 20 s by a task',
  quickSeconds: 1,
  async run(arena) {
    const spin: Workflow = {
      id: 'spin',
      document: `
nodes:
  - { taskId: busy, taskType: spin, config: { ms: ${20_000} } }
  - { taskId: after, taskType: call, dependsOn: [busy] }
output: { total: $.tasks.after.output.value }`,
      counted: () => ['after'],
    };
    await applyDocument(arena.database, spin.id, spin.document);
    await arena.beginLoad();
    const rounds = await arena.repeat(async () => {
      const { id } = await arena.feed.start(spin);
      await within(90_000, async () => {
        const [row] = await arena.query<{ status: string }>(
          `select status from dagwright.task_executions where workflow_execution_id = $1 and task_id = 'busy'`,
          [id],
        );
        return row?.status === 'completed';
      });
    });
    const [seen, taken] = [await beats(arena), await removedWorkers(arena)];
    return () => ({
      figures: {
        'times blocked': String(rounds),
        'beats missed': proportion(seen.late, seen.n),
        'longest time between beats': duration(seen.gapMs),
        'false take-overs': String(taken),
      },
      bars: [count('beats missed', seen.late), count('false take-overs', taken)],
    });
  },
};

const starvedPool: Cell = {
  id: 'M17',
  title: 'a pool of 2 connections for 20 attempts at once',
  async run(arena) {
    await arena.beginLoad({
      settings: arena.settings({ concurrency: 20, preload: { poolMax: 2 } }),
      perSecond: arena.rate * 2,
    });
    await delay(arena.options.seconds * 1000);
    const [seen, taken] = [await beats(arena), await removedWorkers(arena)];
    const queued = await arena.query<{ ms: number }>(
      'select queued_ms as ms from dagwright.task_executions where queued_ms is not null and ready_at is null',
    );
    return () => ({
      figures: {
        'beats late': proportion(seen.late, seen.n),
        'longest time between beats': duration(seen.gapMs),
        'tasks waited p99': duration(
          percentile(
            queued.map(({ ms }) => ms),
            0.99,
          ),
        ),
        'false take-overs': String(taken),
      },
      bars: [count('beats late', seen.late), count('false take-overs', taken)],
    });
  },
};

function heldWorker(id: string, title: string, limitOf: () => Limit, what: string): Cell {
  return {
    id,
    title,
    async run(arena) {
      const limit = limitOf();
      const { shell, nodeOptions } = limit;
      await arena.workers.startReady(1, arena.settings());
      const [held] = await arena.workers.startReady(1, arena.settings({ shell, nodeOptions }));
      limit.hold(held!.pid);
      void held!.exited.then(() => limit.release());
      arena.feed.begin(arena.rate);
      await delay(arena.options.seconds * 1000);
      const [seen, taken] = [await beats(arena, held!.pid), await removedWorkers(arena)];
      const counted = limit.count();
      const bodies = arena.provider.lines.filter(
        ({ event, pid }) => event === 'end' && pid === held!.pid,
      ).length;
      return () => ({
        figures: {
          'held by': limit.means,
          'bodies it finished': String(bodies),
          [what]: String(counted),
          'longest time between its beats': duration(seen.gapMs),
          'false take-overs': String(taken),
          'unasked exits': String(arena.workers.unasked.length),
        },
        bars: [
          count('false take-overs', taken),
          count('unasked exits', arena.workers.unasked.length),
          count('held worker without progress', bodies > 0 ? 0 : 1),
          ms('longest time between its beats', seen.gapMs, 15_000),
        ],
      });
    },
  };
}

const littleMemory = heldWorker(
  'M30',
  'a worker held to 256 MB',
  () => memoryLimit(256),
  'killed for memory',
);
const littleProcessor = heldWorker(
  'M31',
  'a worker held to 10 % of a core',
  () => processorLimit(0.1),
  'periods throttled',
);

export const STARVED_CELLS = [blockedLoop, starvedPool, littleMemory, littleProcessor];
