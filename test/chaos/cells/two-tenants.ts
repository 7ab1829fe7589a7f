// Two tenants with the same names at one API process whose transactions break off all the time: no answer, and no row that SQL
// gives in a tenant's name, is the other's (P9, I11).
import { rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Arena } from '../arena.ts';
import { type Cell, count } from '../cell.ts';
import { proportion } from '../statistics.ts';
import { READS, Soak } from '../tenant-soak.ts';
import { asAdmin } from '../verdict.ts';

const CLIENTS_EACH = 4;

// Statements cancelled and connections ended, in the middle of whatever they do.
async function breakOff(arena: Arena, until: () => boolean): Promise<number> {
  let n = 0;
  while (!until()) {
    const how = arena.chance.next() < 0.7 ? 'pg_cancel_backend' : 'pg_terminate_backend';
    const rows = await asAdmin(
      arena,
      `select ${how}(pid) from (select pid from pg_stat_activity where datname = current_database() and application_name = 'dagwright api'
         and (state <> 'idle' or random() < 0.3) order by random() limit 1) s`,
    );
    n += rows.length;
    await delay(40);
  }
  return n;
}

const soak: Cell = {
  id: 'M33',
  title: 'two tenants with the same names at one API process, transactions broken off at random',
  async run(arena) {
    const { services, options } = arena;
    const databaseFaults = {
      seed: options.seed,
      switchFile: arena.switchFile,
      lostAnswers: 0.01,
      lostCalls: 0.01,
    };
    const slot = await services.start({ databaseUrl: options.url, role: 'api', databaseFaults });
    await services.start({ databaseUrl: options.url, role: 'scheduler' });
    await arena.workers.startReady(1, arena.settings());
    const readable = await arena.query<{ name: string }>(
      `select c.relname as name from pg_class c where c.relnamespace = 'dagwright'::regnamespace and c.relkind in ('r', 'v')
         and has_table_privilege('dagwright_tenant', c.oid, 'select') order by 1`,
    );
    const soaking = new Soak(
      arena,
      slot,
      readable.map(({ name }) => name),
    );
    const tenants = [await soaking.seed('northwind'), await soaking.seed('initech')] as const;
    const [a, b] = tenants;
    writeFileSync(arena.switchFile, '');
    const breaking = breakOff(arena, () => soaking.isOver);
    const clients = Array.from({ length: CLIENTS_EACH }, () => [
      soaking.client(a, b),
      soaking.client(b, a),
    ]).flat();
    await delay(options.seconds * 1_000);
    soaking.isOver = true;
    await Promise.all(clients);
    const broken = await breaking;
    rmSync(arena.switchFile);

    return () => {
      const { met, read } = soaking;
      const reads = met.answers + met.sql;
      for (const text of [...soaking.foreign, ...soaking.strange].slice(0, 5)) services.note(text);
      const unread = READS.filter((route) => !read.has(route));
      for (const route of unread) services.note(`never read: ${route}`);
      return {
        figures: {
          'foreign rows': `${proportion(soaking.foreign.length, reads)}`,
          'answers of the API': `${met.answers}, ${met.rows} rows; ${met.refused} refused, ${met.unavailable} of 503`,
          'reads by SQL': `${met.sql}, ${met.sqlRows} rows, of ${readable.length} tables and views`,
          writes: String(met.written),
          'statements cancelled or connections ended': String(broken),
        },
        bars: [
          count('foreign rows', soaking.foreign.length),
          count('answers of 5xx other than 503, or none', soaking.strange.length),
          count('routes that were never read', unread.length),
          // Else the marks of the other could not be found either.
          count('its own mark was in no answer', met.own === 0 ? 1 : 0),
          count('nothing was broken off', broken === 0 || met.unavailable === 0 ? 1 : 0),
          count('process exits', services.unasked.length),
        ],
      };
    };
  },
};

export const TENANT_CELLS = [soak];
