// The database goes away and comes back, or ends connections.
import { setTimeout as delay } from 'node:timers/promises';
import type { StopMode } from '../../crash/support/own-postgres.ts';
import type { Arena } from '../arena.ts';
import { within } from '../arena.ts';
import { type Cell, count, ms } from '../cell.ts';
import { duration, most, proportion } from '../statistics.ts';
import { asAdmin } from '../verdict.ts';

const WORKS_AGAIN_MS = 10_000;

/** Milliseconds until every worker that lives has begun a body after `since`. */
export async function everyWorkerStarts(arena: Arena, since: number): Promise<number> {
  const pids = arena.workers.alive.map(({ pid }) => pid);
  await within(WORKS_AGAIN_MS * 3, () => pids.every((pid) => arena.firstStart(since, [pid]) !== null));
  return most(pids.map((pid) => arena.firstStart(since, [pid]) ?? Number.POSITIVE_INFINITY));
}

function restarts(
  id: string,
  title: string,
  modes: readonly StopMode[],
  downMs: (arena: Arena) => number,
): Cell {
  return {
    id,
    title,
    hasOwnServer: true,
    async run(arena) {
      const { options, chance, feed } = arena;
      const { server } = options;
      if (server === undefined) throw new Error(`${id} needs a server of its own`);
      await arena.beginLoad({ perSecond: arena.rate * 1.5 });
      const again: number[] = [];
      const restarted = await arena.repeat(async (round) => {
        await server.stop(modes[round % modes.length]!);
        await delay(downMs(arena));
        await server.start();
        again.push(await everyWorkerStarts(arena, Date.now()));
        if (!options.isQuick) await delay(chance.between(10_000, 20_000));
      });
      return async () => {
        const [row] = await arena.query<{ spent: number }>(
          `select count(*)::int as spent from dagwright.task_attempts where error->>'code' = 'worker_lost'`,
        );
        const repeated = feed.journal.filter(({ unanswered }) => unanswered > 0).length;
        return {
          figures: {
            restarts: String(restarted),
            'every worker works again after, at most': duration(most(again)),
            'starts that had to be sent again': String(repeated),
            'acknowledged starts lost': proportion(0, feed.journal.length),
            'attempts spent': String(row!.spent),
            'worker exits': String(arena.workers.unasked.length),
          },
          bars: [
            ms('works again', most(again), WORKS_AGAIN_MS),
            count('attempts spent', row!.spent),
            count('worker exits', arena.workers.unasked.length),
          ],
        };
      };
    },
  };
}

const fast = restarts('M9', 'PostgreSQL restarted fast every 10 to 20 s', ['fast'], () => 500);
const crashed = restarts(
  'M10',
  'PostgreSQL stopped as in a crash, or its postmaster killed, down 0 to 30 s (quick 0 to 4)',
  ['immediate', 'kill'],
  ({ chance, options }) => chance.between(0, options.isQuick ? 4_000 : 30_000),
);

const terminated: Cell = {
  id: 'M11',
  title: 'pg_terminate_backend of a random connection of the workers, 5 a second',
  async run(arena) {
    await arena.beginLoad();
    let ended = 0;
    await arena.repeat(async () => {
      const rows = await asAdmin(
        arena,
        `select pg_terminate_backend(pid) from (select pid from pg_stat_activity
           where datname = current_database() and pid <> pg_backend_pid() and application_name like 'dagwright%' order by random() limit 1) s`,
      );
      ended += rows.length;
      await delay(200);
    });
    return () => ({
      figures: { 'connections ended': String(ended), 'worker exits': String(arena.workers.unasked.length) },
      bars: [count('worker exits', arena.workers.unasked.length)],
    });
  },
};

export const DATABASE_CELLS = [fast, crashed, terminated];
