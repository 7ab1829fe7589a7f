// The disk of the database is full: of its data (statements fail with 53100), of its write-ahead log (PostgreSQL panics), of both.
// Then there is room again: nothing is lost, no task has failed because of it, no attempt was spent, and every worker goes on.
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { type Arena, within } from '../arena.ts';
import { type Cell, count, ms } from '../cell.ts';
import { canMount } from '../small-disk.ts';
import { duration, most } from '../statistics.ts';
import { everyWorkerStarts } from './database.ts';

const WAYS = ['data', 'log', 'both'] as const;
const FULL_MS = 20_000;
const QUICK_FULL_MS = 5_000;
const REST_MS = 4_000;
const ANSWERS_WITHIN_MS = 60_000;
const WORKS_AGAIN_MS = 20_000;
const EVERY_MS = 150;
/** Of a statement that needs room: what it adds. */
const PROBE = `insert into public.disk_probe select repeat('x', 1500) from generate_series(1, 200)`;

/** Uses room and log as fast as a busy database, and notes how it is refused. */
class Probe {
  readonly #url: string;
  readonly codes = new Map<string, number>();

  constructor(url: string) {
    this.#url = url;
  }

  async work(whileTrue: () => boolean): Promise<void> {
    while (whileTrue()) {
      const client = new pg.Client({ connectionString: this.#url, application_name: 'chaos probe' });
      client.on('error', () => {});
      try {
        await client.connect();
        await client.query('create table if not exists public.disk_probe (t text)');
        while (whileTrue()) {
          await client.query(PROBE).catch(async (error: { code?: string }) => {
            if (error.code !== '53100') throw error;
            this.#note('53100');
            // The log goes on while the data cannot: its next file is what the server panics at.
            await client.query('select pg_switch_wal()');
          });
          await client.query('select pg_switch_wal()');
          await delay(EVERY_MS);
        }
      } catch (error) {
        this.#note((error as { code?: string }).code ?? 'connection lost');
        await delay(EVERY_MS);
      } finally {
        await client.end().catch(() => {});
      }
    }
  }

  #note(code: string): void {
    this.codes.set(code, (this.codes.get(code) ?? 0) + 1);
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('drop table if exists public.disk_probe');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

async function fillAndFree(arena: Arena, way: (typeof WAYS)[number], probe: Probe): Promise<number> {
  const { server, disks } = arena.options;
  const { options } = arena;
  const full = [...(way === 'log' ? [] : [disks!.data]), ...(way === 'data' ? [] : [disks!.log])];
  const endsAt = performance.now() + (options.isQuick ? QUICK_FULL_MS : FULL_MS);
  const isFull = () => performance.now() < endsAt;
  const probing = probe.work(isFull);
  while (isFull()) {
    // What the server gives back by a checkpoint is taken as well.
    for (const disk of full) disk.fill();
    await delay(EVERY_MS);
  }
  await probing;
  for (const disk of full) disk.free();
  const freedAt = Date.now();
  // One that could not even recover has ended: an operator starts it again.
  if (!(await within(ANSWERS_WITHIN_MS, async () => server!.hasEnded || (await answers(options.url)))))
    throw new Error('PostgreSQL does not answer, though there is room');
  if (server!.hasEnded) await server!.start();
  await answers(options.url);
  const again = await everyWorkerStarts(arena, freedAt);
  await delay(REST_MS);
  return again;
}

const fullDisk: Cell = {
  id: 'DISK',
  title: 'the disk of the data, of the log, and of both is full, and then is not',
  quickSeconds: 25,
  hasOwnServer: true,
  hasSmallDisks: true,
  skipped: () => (canMount() ? null : 'small file systems can be mounted by root on Linux only'),
  async run(arena) {
    await arena.beginLoad({ workers: 2 });
    const probes = new Map(WAYS.map((way) => [way, new Probe(arena.options.url)]));
    const again: number[] = [];
    const rounds = await arena.repeat(async (round) => {
      const way = WAYS[round % WAYS.length]!;
      again.push(await fillAndFree(arena, way, probes.get(way)!));
    });
    return async () => {
      const [row] = await arena.query<{ spent: number; bad: number; failed: number }>(
        `select (select count(*)::int from dagwright.task_attempts where error->>'code' = 'worker_lost') as spent,
           count(*) filter (where error->>'code' = 'unstorable_output')::int as bad,
           count(*) filter (where status = 'failed')::int as failed from dagwright.task_executions`,
      );
      const codes = (way: (typeof WAYS)[number]) =>
        [...probes.get(way)!.codes].map(([code, n]) => `${code} ${n}`).join(', ') || 'none';
      const noRoom = probes.get('data')!.codes.get('53100') ?? 0;
      const stopped = [...probes.get('log')!.codes].filter(([code]) => code !== '53100').length;
      return {
        figures: {
          'times full': `${rounds}, each for ${duration(arena.options.isQuick ? QUICK_FULL_MS : FULL_MS)}`,
          'refused while the data had no room': codes('data'),
          'while the log had none': codes('log'),
          'while both had none': codes('both'),
          'every worker works again after, at most': duration(most(again)),
          'starts that had to be sent again': String(
            arena.feed.journal.filter(({ unanswered }) => unanswered > 0).length,
          ),
          'attempts spent': String(row!.spent),
          'tasks failed': String(row!.failed),
          'worker exits': String(arena.workers.unasked.length),
        },
        bars: [
          ms('works again', most(again), WORKS_AGAIN_MS),
          count('attempts spent', row!.spent),
          count('tasks failed', row!.failed),
          count('results taken for bad ones', row!.bad),
          count('worker exits', arena.workers.unasked.length),
          count('nothing was refused for want of room', Number(noRoom === 0)),
          count('the server was never stopped by a full log', Number(rounds > 1 && stopped === 0)),
        ],
      };
    };
  },
};

export const FULL_DISK_CELLS = [fullDisk];
