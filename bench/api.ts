// The HTTP service by itself: starts a second with no worker, and what reads take while nothing else happens and while an
// engine works beside them. The service is the product's own process (`dagwright start --role api`), the client and the engine
// have one each.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DEFAULT_TENANT_ID } from '../src/db/resources/default-tenant.ts';
import { applyDefinition } from '../src/db/resources/definitions.ts';
import type { LoadAnswer, LoadRequest } from './api-client.ts';
import type { ContenderProcess } from './contender-process.ts';
import type { BenchServer } from './server.ts';
import { endProcess, insertAdminKey, startService, withDatabase } from './service.ts';

export interface ApiOptions {
  readonly server: BenchServer;
  readonly engine: ContenderProcess;
  readonly isQuick: boolean;
  readonly note: (text: string) => void;
  readonly signal: AbortSignal;
}

export interface ApiResult {
  /** Starts a second over 64 connections, each with an Idempotency-Key. */
  readonly startsPerSecond: number;
  readonly startP50Ms: number;
  readonly startP99Ms: number;
  /** Executions in the database after it: as many as answers. */
  readonly started: number;
  readonly readIdleP50Ms: number;
  readonly readIdleP99Ms: number;
  readonly readBusyP50Ms: number;
  readonly readBusyP99Ms: number;
  /** Of the p99s, busy by idle. */
  readonly readRatio: number;
  /** Steps a second that the engine did meanwhile. */
  readonly engineStepsPerSecond: number;
}

const WORKFLOW_ID = 'bench-api';
const ENGINE_WORKLOAD = 'chain10_c64';
const START_CONNECTIONS = 64;
const READ_CONNECTIONS = 4;
const WARM_UP_MS = 2_000;

export async function measureApi(options: ApiOptions): Promise<ApiResult> {
  const { server, engine, isQuick, note, signal } = options;
  const url = server.urls.dagwright;
  const key = await prepare(url);
  const service = await startService({ url, role: 'api', signal });
  const client = startClient();
  const forMs = isQuick ? 5_000 : 20_000;
  const load = (request: Pick<LoadRequest, 'load' | 'connections' | 'forMs'>) =>
    ask(client, { port: service.port, key, ...request });
  try {
    const path = `/v1/workflows/${WORKFLOW_ID}/executions`;
    const body = JSON.stringify({ input: { order: 'A-17', items: [1, 2, 3], customer: { name: 'Ada' } } });
    note('starts');
    const starts = { kind: 'starts', path, body } as const;
    await load({ load: starts, connections: START_CONNECTIONS, forMs: WARM_UP_MS });
    const before = await count(url);
    const started = await load({ load: starts, connections: START_CONNECTIONS, forMs });
    const rows = (await count(url)) - before;
    if (started.failures > 0 || rows !== started.requests)
      throw new Error(
        `${started.requests} starts, ${started.failures} refused, ${rows} executions: ${started.lastBody}`,
      );
    const { id } = JSON.parse(started.lastBody) as { id: string };
    await clear(url);
    const reads = { kind: 'reads', paths: [`/v1/executions/${id}`, '/v1/executions?limit=50'] } as const;
    note(`reads, idle (${Math.round((started.requests / started.ms) * 1000)} starts a second)`);
    await load({ load: reads, connections: READ_CONNECTIONS, forMs: WARM_UP_MS });
    const idle = await load({ load: reads, connections: READ_CONNECTIONS, forMs });
    note('reads, while the engine works');
    const work = engine.measure({
      ...{ workload: ENGINE_WORKLOAD, isQuick, isProfiling: false },
      ...{ warmUpMs: WARM_UP_MS, measureMs: forMs + 2_000 },
    });
    const [{ measured }, busy] = await Promise.all([
      work,
      delay(WARM_UP_MS + 1_000).then(() => load({ load: reads, connections: READ_CONNECTIONS, forMs })),
    ]);
    if (idle.failures + busy.failures > 0) throw new Error(`a read failed: ${busy.lastBody}`);
    return {
      startsPerSecond: (started.requests / started.ms) * 1000,
      startP50Ms: started.p50Ms,
      startP99Ms: started.p99Ms,
      started: rows,
      readIdleP50Ms: idle.p50Ms,
      readIdleP99Ms: idle.p99Ms,
      readBusyP50Ms: busy.p50Ms,
      readBusyP99Ms: busy.p99Ms,
      readRatio: busy.p99Ms / idle.p99Ms,
      engineStepsPerSecond: (measured.steps / measured.ms) * 1000,
    };
  } finally {
    await Promise.all([endProcess(client), endProcess(service.process)]);
  }
}

export function apiText(result: ApiResult): string {
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  return [
    `starts over HTTP, no worker: ${Math.round(result.startsPerSecond)} a second (p50 ${ms(result.startP50Ms)}, p99 ${ms(result.startP99Ms)}; ${START_CONNECTIONS} connections; all ${result.started} are in the database)`,
    `reads (an execution, a list of 50; ${READ_CONNECTIONS} connections): idle p50 ${ms(result.readIdleP50Ms)}, p99 ${ms(result.readIdleP99Ms)}; beside an engine with ${Math.round(result.engineStepsPerSecond)} steps a second p50 ${ms(result.readBusyP50Ms)}, p99 ${ms(result.readBusyP99Ms)}: ${result.readRatio.toFixed(1)} times the idle p99`,
  ].join('\n');
}

async function prepare(url: string): Promise<string> {
  return await withDatabase(url, async (database) => {
    const node = { taskId: 'a', taskType: 'transformation', dependsOn: [], config: { output: '$.input' } };
    const inputSchema = { type: 'object', properties: { order: { type: 'string' } }, required: ['order'] };
    const definition = { workflowId: WORKFLOW_ID, nodes: [node], inputSchema };
    await applyDefinition(database, DEFAULT_TENANT_ID, definition, 'bench');
    return await insertAdminKey(database);
  });
}

const count = (url: string) =>
  withDatabase(url, async ({ engine }) => {
    const { rows } = await engine.query<{ n: number }>(
      'select count(*)::int as n from dagwright.workflow_executions where workflow_id = $1',
      [WORKFLOW_ID],
    );
    return rows[0]!.n;
  });

// What nobody works on would be the engine's first work: it is ended, so that the engine does what is measured.
async function clear(url: string): Promise<void> {
  await withDatabase(url, async ({ engine }) => {
    await engine.query(
      `update dagwright.workflow_executions set status = 'cancelled', completed_at = now() where workflow_id = $1`,
      [WORKFLOW_ID],
    );
    await engine
      .query(`select graphile_worker.complete_jobs(array(select id from graphile_worker._private_jobs))`)
      .catch(() => {});
  });
}

function startClient(): ChildProcess {
  const script = fileURLToPath(new URL('./api-client.ts', import.meta.url));
  return fork(script, [], { execArgv: ['--no-warnings'], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

async function ask(client: ChildProcess, request: LoadRequest): Promise<LoadAnswer> {
  client.send(request);
  const done = new AbortController();
  try {
    return await Promise.race([
      once(client, 'message', { signal: done.signal }).then(([answer]) => answer as LoadAnswer),
      once(client, 'exit', { signal: done.signal }).then(([code]) => {
        throw new Error(`the client ended with ${code}`);
      }),
    ]);
  } finally {
    done.abort();
  }
}
