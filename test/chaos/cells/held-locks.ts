// Clients whose open transactions hold executions: they have paused or cancelled them and do not commit, or hold their rows for update.
// What nobody holds must go on at full speed meanwhile, and what was held must end right afterwards, whatever becomes of its worker.
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { DEFAULT_TENANT_ID } from '../../../src/db/resources/default-tenant.ts';
import type { Arena } from '../arena.ts';
import { type Cell, count, ms } from '../cell.ts';
import type { Started } from '../feed.ts';
import { duration, most, percentile } from '../statistics.ts';
import { asAdmin } from '../verdict.ts';
import { WORKFLOWS } from '../workload.ts';

const CLIENTS = 3;
/** More than the slots and connections of all workers. */
const HELD_EACH = 15;
const HOLD_MS = 90_000;
const QUICK_HOLD_MS = 4_000;
const CANARY_EVERY_MS = 300;
/** A chain of five steps, three of which call a service that answers after 200 ms at most. */
const CANARY = WORKFLOWS[0]!;
/** CONTRACT P6, and the time to end. */
const DRAIN_MS = 32_000;

const WAYS = ['pause and commit', 'pause and roll back', 'cancel and roll back', 'for update'] as const;

/** Holds executions that are open, none of `spared`, until it is let go; how many. */
class Holder {
  readonly #arena: Arena;
  readonly #client: pg.Client;
  readonly #way: (typeof WAYS)[number];
  ids: string[] = [];

  constructor(arena: Arena, way: (typeof WAYS)[number]) {
    this.#arena = arena;
    this.#way = way;
    this.#client = new pg.Client({ connectionString: arena.options.url, application_name: 'chaos holder' });
  }

  async hold(spared: readonly string[]): Promise<void> {
    await this.#client.connect();
    await this.#client.query('begin; set local idle_in_transaction_session_timeout = 0');
    await this.#client.query(`select set_config('app.current_tenant_id', $1, true)`, [DEFAULT_TENANT_ID]);
    const { rows } = await this.#client.query<{ id: string }>(
      `select id from dagwright.workflow_executions where status in ('pending', 'running') and id <> all($1)
       order by random() limit $2 ${this.#way === 'for update' ? 'for update skip locked' : 'for no key update skip locked'}`,
      [spared, HELD_EACH],
    );
    this.ids = rows.map(({ id }) => id);
    if (this.#way === 'for update') return;
    const act = this.#way.startsWith('pause') ? 'pause_execution' : 'cancel_execution';
    for (const id of this.ids) await this.#client.query(`select dagwright.${act}($1)`, [id]);
  }

  async letGo(): Promise<void> {
    await this.#client.query(this.#way === 'pause and commit' ? 'commit' : 'rollback');
    await this.#client.end();
    if (this.#way !== 'pause and commit') return;
    await delay(200);
    await this.#arena.database.withTenant(DEFAULT_TENANT_ID, async (client) => {
      for (const id of this.ids) await client.query('select dagwright.resume_execution($1)', [id]);
    });
  }
}

const heldLocks: Cell = {
  id: 'LOCKS',
  title: 'clients hold executions in open transactions for minutes, while workers drain and are killed',
  quickSeconds: 20,
  async run(arena) {
    const { workers, chance, options } = arena;
    const settings = arena.settings();
    await arena.beginLoad({ workers: 2 });
    const holdMs = options.isQuick || options.seconds < 60 ? QUICK_HOLD_MS : HOLD_MS;
    /** Before anything is held, while it is, and while a worker ends besides. */
    const canaries = { before: [] as Started[], quiet: [] as Started[], harmed: [] as Started[] };
    const spared = () => Object.values(canaries).flatMap((some) => some.flatMap(({ id }) => id ?? []));
    const sing = async (kind: keyof typeof canaries, forMs: number) => {
      const untilMs = performance.now() + forMs;
      while (performance.now() < untilMs) {
        canaries[kind].push(await arena.feed.start(CANARY));
        await delay(CANARY_EVERY_MS);
      }
    };
    const drains: number[] = [];
    const codes: (number | string)[] = [];
    let held = 0;
    let mostWaiting = 0;
    const harm = async (round: number) => {
      const victim = chance.pick(workers.alive);
      const signalledAt = performance.now();
      if (round % 2 === 0) {
        const drained = workers.drain(victim);
        await workers.start(settings).ready;
        codes.push(await drained);
        drains.push(performance.now() - signalledAt);
      } else {
        await workers.kill(victim);
        await workers.start(settings).ready;
      }
    };
    const rounds = await arena.repeat(async (round) => {
      await sing('before', holdMs / 2);
      const holders = Array.from({ length: CLIENTS }, () => new Holder(arena, chance.pick(WAYS)));
      for (const holder of holders) await holder.hold(spared());
      held += holders.reduce((sum, { ids }) => sum + ids.length, 0);
      await sing('quiet', holdMs / 2);
      const [row] = await asAdmin<{ n: number }>(
        arena,
        `select count(distinct l.pid)::int as n from pg_locks l join pg_stat_activity a on a.pid = l.pid
         where a.datname = current_database() and a.application_name like 'dagwright%' and not l.granted`,
      );
      mostWaiting = Math.max(mostWaiting, row!.n);
      const harmed = harm(round);
      await sing('harmed', holdMs / 2);
      for (const holder of holders) await holder.letGo();
      await harmed;
    });

    return async () => {
      const ofCanaries = async (kind: keyof typeof canaries) => {
        const rows = await arena.query<{ took: number | null }>(
          `select (extract(epoch from completed_at - created_at) * 1000)::float8 as took from dagwright.workflow_executions where id = any($1)`,
          [canaries[kind].map(({ id }) => id)],
        );
        return rows.map(({ took }) => took ?? Number.NaN);
      };
      const [before, quiet, harmed] = [
        await ofCanaries('before'),
        await ofCanaries('quiet'),
        await ofCanaries('harmed'),
      ];
      const spread = (took: readonly number[]) =>
        [0.5, 0.99, 1].map((at) => duration(percentile(took, at))).join(' / ');
      const [bad] = await arena.query<{ n: number }>(
        `select count(*)::int as n from dagwright.task_executions where error->>'code' = 'unstorable_output'`,
      );
      return {
        figures: {
          rounds: `${rounds}, each of ${duration(holdMs)}`,
          'executions held': String(held),
          'connections of workers that waited for a lock, at most': String(mostWaiting),
          'others before, p50 / p99 / max': spread(before),
          'others meanwhile, p50 / p99 / max': spread(quiet),
          'others while a worker ended, max': duration(most(harmed)),
          'drained after, at most': duration(most(drains)),
          'results taken for bad ones': String(bad!.n),
        },
        bars: [
          // On a machine that is busy with other things, what was usual before says what is slow.
          ms('others meanwhile', most(quiet), Math.max(5_000, 3 * most(before))),
          ms('others while a worker ended', most(harmed), 30_000),
          ms('drain', most(drains), DRAIN_MS),
          count('exits other than 0', codes.filter((code) => code !== 0).length),
          count('results taken for bad ones', bad!.n),
          count('connections that waited for a lock', mostWaiting, 2 * 3),
          count('nothing was held', Number(held === 0)),
        ],
      };
    };
  },
};

export const HELD_LOCK_CELLS = [heldLocks];
