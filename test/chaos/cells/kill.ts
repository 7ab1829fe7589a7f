// Processes that die: one, all at once, and those that are stopped for longer or shorter than their lease.
import { setTimeout as delay } from 'node:timers/promises';
import { type Arena, type Death, within } from '../arena.ts';
import { type Bar, type Cell, count, ms } from '../cell.ts';
import { duration, median, most, proportion } from '../statistics.ts';

/** CONTRACT P5. */
export const RESUME_MEDIAN_MS = 10_000;
export const RESUME_MAX_MS = 30_000;
/** Of a worker that is stopped, not dead: its lock is held until its lease is over. */
const LEASE_MS = 15_000;
const REFUSED = 'a stale write was refused';
const DECLARED_DEAD = 'this worker was declared dead; it registers anew';

/** Kills a worker with -9, and starts another after a while. */
async function killOne(arena: Arena, replacedAfterMs: number): Promise<Death> {
  const { workers, chance } = arena;
  const victim = chance.pick(workers.alive);
  // A worker that has nothing shows nothing.
  await within(3_000, () => arena.openIn(victim.pid).length > 1);
  await workers.kill(victim);
  const death = { pid: victim.pid, at: Date.now() };
  await delay(replacedAfterMs);
  await workers.start(victim.settings).ready;
  return death;
}

/** How soon what these processes ran was claimed again, against the bars of P5. */
export async function resumption(
  arena: Arena,
  deaths: readonly Death[],
): Promise<{ figures: Record<string, string>; bars: Bar[]; times: readonly number[] }> {
  const all = await arena.resumedAfter(deaths);
  const times = all.filter((time) => time !== null);
  return {
    figures: {
      'attempts lost': `${all.length}, ${all.length - times.length} of them cancelled meanwhile`,
      'resume p50 / max': `${duration(median(times))} / ${duration(most(times))}`,
    },
    bars:
      times.length === 0
        ? []
        : [ms('resume p50', median(times), RESUME_MEDIAN_MS), ms('resume max', most(times), RESUME_MAX_MS)],
    times,
  };
}

const killOneWorker: Cell = {
  id: 'M1',
  title: 'kill -9 of one worker every 5 to 15 s, replaced after 0 to 10 s',
  async run(arena) {
    const { chance, options } = arena;
    await arena.beginLoad();
    const deaths: Death[] = [];
    await arena.repeat(async () => {
      deaths.push(await killOne(arena, chance.between(0, options.isQuick ? 2_000 : 10_000)));
      await delay(options.isQuick ? 1_000 : chance.between(5_000, 15_000));
    });
    return async () => {
      const { figures, bars } = await resumption(arena, deaths);
      return { figures: { kills: String(deaths.length), ...figures }, bars };
    };
  },
};

const killAllWorkers: Cell = {
  id: 'M2',
  title: 'kill -9 of all workers in one tick, replaced at once',
  async run(arena) {
    const { workers, options } = arena;
    await arena.beginLoad();
    const deaths: Death[] = [];
    const firstStarts: number[] = [];
    await arena.repeat(async () => {
      const settings = workers.alive.map(({ settings }) => settings);
      const victims = workers.alive;
      await Promise.all(victims.map((victim) => workers.kill(victim)));
      const at = Date.now();
      for (const { pid } of victims) deaths.push({ pid, at });
      await Promise.all(settings.map((one) => workers.start(one).ready));
      await within(60_000, () => arena.firstStart(at) !== null);
      firstStarts.push(arena.firstStart(at) ?? Number.NaN);
      await delay(options.isQuick ? 5_000 : 20_000);
    });
    return async () => {
      const { figures, times } = await resumption(arena, deaths);
      return {
        figures: {
          'times all were killed': String(firstStarts.length),
          'first new body after': duration(most(firstStarts)),
          ...figures,
        },
        // Nobody is left to take over: the new ones must have been beating for two beats themselves.
        bars: [
          ms('first new body', most(firstStarts), RESUME_MAX_MS),
          ms('resume max', most(times), RESUME_MAX_MS),
        ],
      };
    };
  },
};

const stoppedPastLease: Cell = {
  id: 'M4',
  title: 'SIGSTOP past the lease (45 s; quick 20 s), then SIGCONT',
  quickSeconds: 1,
  async run(arena) {
    const { workers, chance, options } = arena;
    await arena.beginLoad();
    const stops: Death[] = [];
    await arena.repeat(async () => {
      const victim = chance.pick(workers.alive);
      await within(3_000, () => arena.openIn(victim.pid).length > 1);
      victim.signal('SIGSTOP');
      stops.push({ pid: victim.pid, at: Date.now() });
      await delay(options.isQuick ? LEASE_MS + 5_000 : 45_000);
      victim.signal('SIGCONT');
      await delay(3_000);
    });
    return async () => {
      const { figures, times } = await resumption(arena, stops);
      return {
        figures: {
          stops: String(stops.length),
          'stale writes refused': String(workers.said(REFUSED)),
          'stale writes accepted': '0 (I2, I6)',
          ...figures,
        },
        bars: [
          ms('resume max', most(times), LEASE_MS + RESUME_MEDIAN_MS),
          count('stopped workers that never learnt it', stops.length - workers.said(DECLARED_DEAD)),
        ],
      };
    };
  },
};

const stoppedWithinLease: Cell = {
  id: 'M5',
  title: 'SIGSTOP for 5 s, less than the lease, again and again',
  async run(arena) {
    const { workers, chance } = arena;
    await arena.beginLoad();
    const stops = await arena.repeat(async () => {
      const victim = chance.pick(workers.alive);
      victim.signal('SIGSTOP');
      await delay(5_000);
      victim.signal('SIGCONT');
      await delay(1_000);
    });
    const taken = await removedWorkers(arena);
    return () => ({
      figures: { 'false take-overs': proportion(taken, stops) },
      bars: [count('false take-overs', taken)],
    });
  },
};

/** Rows of workers that were removed so far: while all live and none drains, each is a false take-over. */
export async function removedWorkers(arena: Arena): Promise<number> {
  const [row] = await arena.query<{ n: number }>(
    `select count(*)::int as n from public.worker_events where kind = 'removed'`,
  );
  return row!.n;
}

export const KILL_CELLS = [killOneWorker, killAllWorkers, stoppedPastLease, stoppedWithinLease];
