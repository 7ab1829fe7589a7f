// A tenant that starts far more than there are slots for, beside one that starts a run now and then (P9).
import { setTimeout as delay } from 'node:timers/promises';
import { newId } from '../../../src/core/id.ts';
import { startExecutions } from '../../../src/db/executions/execution-starts.ts';
import { applyDefinition } from '../../../src/db/resources/definitions.ts';
import { type Arena, within } from '../arena.ts';
import { type Cell, count, ms } from '../cell.ts';
import { duration, median, most, percentile } from '../statistics.ts';

const SLOTS_EACH = 32;
const WORKERS = 2;
const TASK_MS = 1_000;
const FLOOD = 10_000;
const STARTS_AT_ONCE = 500;
const BETWEEN_MS = 250;
const QUIET_RUNS = 10;
const P99_MS = 2_000;
/** Of the quiet one's. */
const TIMES = 3;

async function addTenant(arena: Arena, name: string): Promise<string> {
  const id = newId();
  await arena.query('insert into dagwright.tenants (id, name) values ($1, $2)', [id, name]);
  const nodes = [{ taskId: 'a', taskType: 'doze', dependsOn: [], config: { ms: TASK_MS } }];
  await applyDefinition(arena.database, id, { workflowId: 'doze', nodes }, 'chaos');
  return id;
}

async function start(arena: Arena, tenantId: string, n: number, priority: number): Promise<void> {
  const request = { workflowId: 'doze', triggerType: 'manual', priority } as const;
  for (let left = n; left > 0; left -= STARTS_AT_ONCE)
    await startExecutions(
      arena.database.engine,
      tenantId,
      Array.from({ length: Math.min(left, STARTS_AT_ONCE) }, () => request),
    );
}

/** One run now and then. */
async function startSome(arena: Arena, tenantId: string, goesOn: (runs: number) => boolean): Promise<number> {
  let runs = 0;
  for (; goesOn(runs); runs++) {
    await start(arena, tenantId, 1, 1);
    await delay(BETWEEN_MS);
  }
  await within(60_000, async () => (await openOf(arena, tenantId)) === 0);
  return runs;
}

const openOf = async (arena: Arena, tenantId: string) =>
  (
    await arena.query<{ n: number }>(
      `select count(*)::int as n from dagwright.workflow_executions where tenant_id = $1 and status in ('pending', 'running')`,
      [tenantId],
    )
  )[0]!.n;

const timesOf = async (arena: Arena, tenantId: string) =>
  (
    await arena.query<{ ms: number }>(
      `select (extract(epoch from completed_at - created_at) * 1000)::float8 as ms from dagwright.workflow_executions
       where tenant_id = $1 and status = 'completed' order by id`,
      [tenantId],
    )
  ).map((row) => row.ms);

const flood: Cell = {
  id: 'FLOOD',
  title:
    'a tenant floods two workers with tasks of a second, at the highest priority, beside one of the lowest',
  async run(arena) {
    const { options } = arena;
    await arena.workers.startReady(WORKERS, arena.settings({ concurrency: SLOTS_EACH }));
    const [flooding, neighbour] = [await addTenant(arena, 'flooding'), await addTenant(arena, 'neighbour')];
    const quietRuns = await startSome(arena, neighbour, (runs) => runs < QUIET_RUNS);
    const perSecond = (WORKERS * SLOTS_EACH * 1_000) / TASK_MS;
    const size = Math.min(FLOOD, Math.round(perSecond * (options.seconds + 5)));
    await start(arena, flooding, size, 10);
    const endsAt = performance.now() + options.seconds * 1_000;
    const besideRuns = await startSome(arena, neighbour, () => performance.now() < endsAt);
    const left = await openOf(arena, flooding);
    return async () => {
      const times = await timesOf(arena, neighbour);
      const quiet = median(times.slice(0, quietRuns));
      const beside = times.slice(quietRuns);
      const p99 = percentile(beside, 0.99);
      return {
        figures: {
          flood: `${size} executions, ${left} of them left when the last run beside them had ended`,
          'a run, alone p50': duration(quiet),
          'a run, beside the flood p50 / p99 / max': `${duration(median(beside))} / ${duration(p99)} / ${duration(most(beside))} (n ${beside.length})`,
        },
        bars: [
          ms('a run beside the flood p99', p99, P99_MS),
          count('more than three times as long as alone', p99 > TIMES * quiet ? 1 : 0),
          count('runs that did not complete', quietRuns + besideRuns - times.length),
          count('worker exits', arena.workers.unasked.length),
        ],
      };
    };
  },
};

export const FLOOD_CELLS = [flood];
