// How long a start takes until the body of its first task begins, on a quiet service (`dagwright start`, role all) and under a
// trace of arrivals. The body notes the machine's monotonic clock, which the client reads before it sends.
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { DEFAULT_TENANT_ID } from '../src/db/resources/default-tenant.ts';
import { applyDefinition } from '../src/db/resources/definitions.ts';
import type { BenchServer } from './server.ts';
import { endProcess, insertAdminKey, startService, withDatabase } from './service.ts';

export interface LatencyOptions {
  readonly server: BenchServer;
  readonly isQuick: boolean;
  /** A CSV whose first column is a time; the minute around its busiest second is replayed. */
  readonly tracePath: string | undefined;
  readonly note: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Milliseconds. */
interface Quantiles {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface LatencyResult {
  readonly postToBody: Quantiles;
  readonly sqlToBody: Quantiles;
  /** POST with `?wait`, until the answer with the output is read. */
  readonly waited: Quantiles;
  /** POST to body while the busiest minute of the trace is replayed, and most starts in one second of it. */
  readonly trace: (Quantiles & { readonly mostInOneSecond: number }) | null;
}

const WORKFLOW_ID = 'bench-latency';
/** Between two starts of a quiet service. */
const PAUSE_MS = 15;
const WARM_UP = 200;

const nowNs = () => process.hrtime.bigint();
const msSince = (from: bigint, to: bigint) => Number(to - from) / 1e6;

export async function measureLatency(options: LatencyOptions): Promise<LatencyResult> {
  const { server, isQuick, tracePath, note, signal } = options;
  const url = server.urls.dagwright;
  const key = await withDatabase(url, async (database) => {
    const node = { taskId: 'a', taskType: 'stamp', dependsOn: [], config: {} };
    await applyDefinition(database, DEFAULT_TENANT_ID, { workflowId: WORKFLOW_ID, nodes: [node] }, 'bench');
    return await insertAdminKey(database);
  });
  const arrivals = tracePath === undefined ? null : await readBusiestMinute(tracePath);
  const tasks = fileURLToPath(new URL('./tasks.ts', import.meta.url));
  const service = await startService({ url, role: 'all', signal, env: { DAGWRIGHT_TASKS: tasks } });
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const path = `http://127.0.0.1:${service.port}/v1/workflows/${WORKFLOW_ID}/executions`;
    const post = async (query = '') => {
      const response = await fetch(path + query, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: '{"input":{"order":"A-17"}}',
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${response.status}: ${text}`);
      return (JSON.parse(text) as { id: string }).id;
    };
    const inSql = async () => {
      const { rows } = await client.query<{ id: string }>({
        name: 'start',
        text: 'select dagwright.start_workflow($1, $2) as id',
        values: [WORKFLOW_ID, '{"order":"A-17"}'],
      });
      return rows[0]!.id;
    };
    await client.query(`select set_config('app.current_tenant_id', $1, false)`, [DEFAULT_TENANT_ID]);
    const quiet = async (start: () => Promise<string>, count: number) => {
      const sent = new Map<string, bigint>();
      const answered: number[] = [];
      for (let i = 0; i < count; i++) {
        signal.throwIfAborted();
        const at = nowNs();
        sent.set(await start(), at);
        answered.push(msSince(at, nowNs()));
        await delay(PAUSE_MS);
      }
      return { toBody: await toBody(client, sent), answered: quantilesOf(answered) };
    };
    const count = isQuick ? 300 : 2_000;
    await quiet(post, WARM_UP);
    note(`POST, ${count} times`);
    const postToBody = (await quiet(post, count)).toBody;
    note('start_workflow in SQL');
    await quiet(inSql, WARM_UP);
    const sqlToBody = (await quiet(inSql, count)).toBody;
    note('POST with ?wait');
    const waited = (await quiet(() => post('?wait=10'), count)).answered;
    if (arrivals === null) return { postToBody, sqlToBody, waited, trace: null };
    note(`the trace: ${arrivals.length} starts in a minute`);
    const sent = new Map<string, bigint>();
    const startedAt = performance.now();
    await Promise.all(
      arrivals.map(async (atMs) => {
        await delay(Math.max(0, atMs - (performance.now() - startedAt)));
        const at = nowNs();
        sent.set(await post(), at);
      }),
    );
    const trace = { ...(await toBody(client, sent)), mostInOneSecond: mostInOneSecond(arrivals) };
    return { postToBody, sqlToBody, waited, trace };
  } finally {
    await client.end().catch(() => {});
    await endProcess(service.process);
  }
}

export function latencyText({ postToBody, sqlToBody, waited, trace }: LatencyResult): string {
  const line = (name: string, { count, p50Ms, p99Ms, maxMs }: Quantiles) =>
    `${name}: p50 ${p50Ms.toFixed(1)}, p99 ${p99Ms.toFixed(1)}, most ${maxMs.toFixed(1)} ms (${count} starts)`;
  return [
    line('POST until the body begins', postToBody),
    line('start_workflow in SQL until the body begins', sqlToBody),
    line('POST with ?wait until its answer', waited),
    ...(trace === null
      ? []
      : [line(`POST until the body begins, up to ${trace.mostInOneSecond} starts a second`, trace)]),
  ].join('\n');
}

// When every start of `sent` has ended: how long after it was sent its body began.
async function toBody(client: pg.Client, sent: ReadonlyMap<string, bigint>): Promise<Quantiles> {
  for (;;) {
    const { rows } = await client.query<{ id: string; at: string }>(
      `select workflow_execution_id as id, output->>'at' as at from dagwright.task_executions
       where workflow_execution_id = any($1::uuid[]) and status = 'completed'`,
      [[...sent.keys()]],
    );
    if (rows.length === sent.size)
      return quantilesOf(rows.map(({ id, at }) => msSince(sent.get(id)!, BigInt(at))));
    await delay(100);
  }
}

function quantilesOf(values: readonly number[]): Quantiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

// Milliseconds from the beginning of the minute around the second with the most arrivals.
async function readBusiestMinute(path: string): Promise<number[]> {
  const [, ...lines] = (await readFile(path, 'utf8')).trim().split('\n');
  const times = lines.map((line) => Date.parse(`${line.split(',')[0]!.replace(' ', 'T').slice(0, 23)}Z`));
  let [busiest, most] = [0, 0];
  for (let first = 0, last = 0; first < times.length; first++) {
    while (last < times.length && times[last]! - times[first]! < 1_000) last++;
    if (last - first > most) [busiest, most] = [times[first]!, last - first];
  }
  const from = busiest - 30_000;
  return times.filter((time) => time >= from && time < from + 60_000).map((time) => time - from);
}

function mostInOneSecond(arrivals: readonly number[]): number {
  let most = 0;
  for (let first = 0, last = 0; first < arrivals.length; first++) {
    while (last < arrivals.length && arrivals[last]! - arrivals[first]! < 1_000) last++;
    most = Math.max(most, last - first);
  }
  return most;
}
