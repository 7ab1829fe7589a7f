// How long a signal takes from its sending until its task runs, while so many tasks wait; what an idle pass reads meanwhile, and
// whether anything scans a table. `node bench/signals.ts [WAITING] [SIGNALS]` (1,000,000 and 1,000); one JSON object on stdout.
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { openDatabase } from '../src/db/connection/connection.ts';
import { DEFAULT_TENANT_ID } from '../src/db/resources/default-tenant.ts';
import { openServer, withClient } from './server.ts';
import { addWaiting, pagesOf, SIGNAL, sequentialReads, startWorker } from './waiting-signals.ts';

const PAUSE_MS = 10;
/** Before it is measured: connections, plans and caches. */
const WARM_UP = 50;

const note = (text: string) => void process.stderr.write(`${text}\n`);
const [waiting = 1_000_000, signals = 1_000] = process.argv.slice(2).map(Number);
const server = await openServer(undefined, note);
try {
  const url = server.urls.dagwright;
  const result = await withClient(url, (admin) => measure(url, admin));
  process.stdout.write(`${JSON.stringify(result)}\n`);
} finally {
  await server.close();
}

async function measure(url: string, admin: pg.Client) {
  await addWaiting(url, admin, 1);
  const idlePagesOfOne = await idlePages(admin);
  note(`${waiting} tasks begin to wait`);
  await addWaiting(url, admin, waiting);
  const { rows } = await admin.query<{ id: string }>(
    `select id from dagwright.workflow_executions where status = 'running' order by random() limit $1`,
    [signals + WARM_UP],
  );
  const before = await sequentialReads(admin);
  const pages = await idlePages(admin);
  const database = openDatabase(url, { max: 8, name: 'dagwright bench' });
  const worker = await startWorker(database);
  const ids = rows.map(({ id }) => id);
  if (ids.length < signals + WARM_UP) throw new Error(`only ${ids.length} wait`);
  note(`${signals} signals`);
  const sent = await sendAll(url, ids);
  await untilEnded(admin, ids);
  const { rows: runs } = await admin.query<{ id: string; at: number }>(
    `select workflow_execution_id as id, (extract(epoch from started_at) * 1000)::float8 as at from dagwright.task_executions
     where task_id = 'w' and workflow_execution_id = any($1)`,
    [ids.slice(WARM_UP)],
  );
  const tookMs = runs.map(({ id, at }) => at - sent.get(id)!).toSorted((a, b) => a - b);
  await worker.stop();
  await database.close();
  const after = await sequentialReads(admin);
  return {
    waiting,
    signals,
    sentToRunningMs: { p50: quantile(tookMs, 0.5), p99: quantile(tookMs, 0.99), max: tookMs.at(-1) },
    pagesOfAnIdlePass: { ofOne: idlePagesOfOne, ofAll: pages },
    rowsReadBySequentialScans: Object.fromEntries(
      [...after].map(([name, count]) => [name, count - (before.get(name) ?? 0)]),
    ),
    postgres: server.version,
  };
}

function quantile(sorted: readonly number[], share: number): number {
  return Math.round(10 * (sorted[Math.floor(sorted.length * share)] ?? Number.NaN)) / 10;
}

function idlePages(admin: pg.Client): Promise<number> {
  return pagesOf(admin, 'select dagwright.wake_due_v1(4, 256)');
}

/** One after the other, each in a transaction of its own; when each was sent, by the server's clock. */
async function sendAll(url: string, ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`select set_config('app.current_tenant_id', $1, false)`, [DEFAULT_TENANT_ID]);
    const sent = new Map<string, number>();
    for (const id of ids) {
      const { rows } = await client.query<{ at: number; status: string }>({
        name: 'send',
        text: `select (extract(epoch from clock_timestamp()) * 1000)::float8 as at, dagwright.signal_execution($1, '${SIGNAL}', '{"n":1}') as status`,
        values: [id],
      });
      if (rows[0]!.status !== 'delivered') throw new Error(`${id}: ${rows[0]!.status}`);
      sent.set(id, rows[0]!.at);
      await delay(PAUSE_MS);
    }
    return sent;
  } finally {
    await client.end();
  }
}

async function untilEnded(admin: pg.Client, ids: readonly string[]): Promise<void> {
  for (;;) {
    const { rows } = await admin.query<{ n: number }>(
      `select count(*)::int as n from dagwright.workflow_executions where id = any($1) and status = 'completed'`,
      [ids],
    );
    if (rows[0]!.n === ids.length) return;
    await delay(100);
  }
}
