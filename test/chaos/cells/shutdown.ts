// Workers that are asked to end: one after the other under load, and those that are not given the time.
import { setTimeout as delay } from 'node:timers/promises';
import { type Death, within } from '../arena.ts';
import { type Cell, count, ms } from '../cell.ts';
import { duration, most, percentile } from '../statistics.ts';
import { resumption } from './kill.ts';

/** CONTRACT P6, and the time to end. */
const GRACE_MS = 25_000;
const CYCLES = 20;

const rolling: Cell = {
  id: 'M7',
  title: 'SIGTERM to each worker in turn under load, replaced first',
  async run(arena) {
    const { workers, options } = arena;
    const settings = arena.settings();
    await arena.beginLoad();
    const drains: number[] = [];
    const codes: (number | string)[] = [];
    const beganAt = Date.now();
    const cycles = await arena.repeat(async () => {
      const oldest = workers.alive[0]!;
      await workers.start(settings).ready;
      const signalledAt = performance.now();
      codes.push(await workers.drain(oldest));
      drains.push(performance.now() - signalledAt);
      if (!options.isQuick) await delay((options.seconds * 1000) / CYCLES / 2);
    });
    const perSecond = ratePerSecond(arena.provider.lines, beganAt, Date.now());
    return async () => {
      const [row] = await arena.query<{ lost: number; recoveries: number; released: number }>(
        `select (select count(*)::int from dagwright.task_attempts where error->>'code' = 'worker_lost') as lost,
           (select coalesce(sum(recoveries), 0)::int from dagwright.task_executions) as recoveries,
           (select count(*)::int from public.task_events where from_status = 'running' and to_status = 'pending') as released`,
      );
      return {
        figures: {
          restarts: String(cycles),
          'attempts spent': String(row!.lost + row!.recoveries),
          released: String(row!.released),
          'drained after, at most': duration(most(drains)),
          'bodies a second p50 / least': `${percentile(perSecond, 0.5)} / ${percentile(perSecond, 0)}`,
        },
        bars: [
          count('attempts spent', row!.lost + row!.recoveries),
          count('exits other than 0', codes.filter((code) => code !== 0).length),
          ms('drain', most(drains), GRACE_MS + 5_000),
        ],
      };
    };
  },
};

// Bodies that ended in each whole second.
function ratePerSecond(lines: readonly { event: string; at: number }[], from: number, to: number): number[] {
  const counts = new Array<number>(Math.floor((to - from) / 1000)).fill(0);
  for (const { event, at } of lines) {
    const second = Math.floor((at - from) / 1000);
    if (event === 'end' && second >= 0 && second < counts.length) counts[second]!++;
  }
  return counts;
}

const impatient: Cell = {
  id: 'M8',
  title: 'SIGTERM and again SIGTERM, or SIGKILL when the grace is over',
  async run(arena) {
    const { workers, chance, options } = arena;
    await arena.beginLoad();
    const deaths: Death[] = [];
    await arena.repeat(async (round) => {
      const victim = chance.pick(workers.alive);
      await within(3_000, () => arena.openIn(victim.pid).length > 1);
      victim.isDoomed = true;
      victim.signal('SIGTERM');
      await delay(10);
      victim.signal(round % 2 === 0 ? 'SIGTERM' : 'SIGKILL');
      await victim.exited;
      deaths.push({ pid: victim.pid, at: Date.now() });
      await workers.start(victim.settings).ready;
      await delay(options.isQuick ? 1_000 : 8_000);
    });
    return async () => {
      const { figures, bars } = await resumption(arena, deaths);
      return { figures: { ends: String(deaths.length), ...figures }, bars };
    };
  },
};

export const SHUTDOWN_CELLS = [rolling, impatient];
