// What every crash test works with: a database of its own with the trace installed, a supervisor, and definitions whose
// tasks write into the ledger.
import pg from 'pg';
import { expect } from 'vitest';
import type { NodeDefinition, WorkflowDefinition } from '../../../src/core/definition/model.ts';
import { type Database, isConnectionLoss, openDatabase } from '../../../src/db/connection/connection.ts';
import { startExecutions } from '../../../src/db/executions/execution-starts.ts';
import { DEFAULT_TENANT_ID } from '../../../src/db/resources/default-tenant.ts';
import { applyDefinition } from '../../../src/db/resources/definitions.ts';
import { createDatabase } from '../../support/database.ts';
import { nodesOf } from '../../support/graph.ts';
import { Supervisor, until } from './supervisor.ts';
import { brokenRules, installTrace } from './trace.ts';

export interface Scenario {
  readonly url: string;
  readonly database: Database;
  readonly supervisor: Supervisor;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** On a database of the shared server, or on the one of `url` (migrated, and left where it is). */
export async function openScenario(url?: string): Promise<Scenario> {
  const own = url === undefined ? await createDatabase() : null;
  const at = url ?? own!.url;
  const admin = new pg.Client({ connectionString: at });
  await admin.connect();
  await installTrace(admin);
  await admin.query('grant select on task_events to dagwright_engine');
  await admin.end();
  const database = openDatabase(at, { max: 4, name: 'crash test' });
  const supervisor = new Supervisor(at);
  const close = async () => {
    await supervisor.end();
    await database.close();
    await own?.drop();
  };
  return { url: at, database, supervisor, close, [Symbol.asyncDispose]: close };
}

/** A definition from a text graph; every node a `ledger` task with this config, tried once. */
export function ledgerGraph(
  workflowId: string,
  graph: string,
  config: NodeDefinition['config'] | ((taskId: string) => NodeDefinition['config']),
): WorkflowDefinition {
  const nodes = nodesOf(graph, 'ledger').map((node) => ({
    ...node,
    config: typeof config === 'function' ? config(node.taskId) : config,
    retry: { maxAttempts: 1 },
  }));
  return { workflowId, nodes } as WorkflowDefinition;
}

/** Chains, forks, joins and a fan-out with items, 21 bodies in all. */
export function mixedGraph(workflowId: string, ms: number): WorkflowDefinition {
  const definition = ledgerGraph(
    workflowId,
    'a -> b -> c; a -> d -> e; a -> f; c -> j; e -> j; f -> j; j -> k; j -> l; k -> m; l -> m',
    { ms },
  );
  const items = {
    taskId: 'p',
    taskType: 'parallel',
    dependsOn: [{ taskId: 'a' }],
    config: {
      items: [1, 2, 3, 4, 5, 6],
      maxConcurrency: 3,
      task: { taskType: 'ledger', config: { ms }, retry: { maxAttempts: 1 } },
    },
  };
  const sum = {
    taskId: 'sum',
    taskType: 'transformation',
    dependsOn: [{ taskId: 'p' }],
    config: { output: '$.tasks.p.output' },
  };
  return { ...definition, nodes: [...definition.nodes, items, sum] } as unknown as WorkflowDefinition;
}

/** Applies a definition. */
export async function apply({ database }: Scenario, definition: WorkflowDefinition): Promise<void> {
  await applyDefinition(database, DEFAULT_TENANT_ID, definition, 'test');
}

/** Starts `count` executions; their ids. */
export async function start({ database }: Scenario, workflowId: string, count: number): Promise<string[]> {
  const started = await startExecutions(
    database.engine,
    DEFAULT_TENANT_ID,
    Array.from({ length: count }, () => ({ workflowId, input: {}, triggerType: 'manual' as const })),
  );
  return started.map((one) => {
    if (!one.ok) throw new Error(one.problem);
    return one.id;
  });
}

/** Executions that have not ended. */
export async function openCount({ database }: Scenario): Promise<number> {
  const { rows } = await database.engine.query(
    `select count(*)::int as n from dagwright.workflow_executions where status not in ('completed', 'failed', 'cancelled')`,
  );
  return rows[0].n;
}

/** Keeps so many executions open until `stop` is called; `stop` resolves when the feeder has ended. */
export function feed(scenario: Scenario, workflowId: string, inFlight: number): { stop(): Promise<void> } {
  let isStopped = false;
  const feeding = (async () => {
    while (!isStopped) {
      try {
        const missing = inFlight - (await openCount(scenario));
        if (missing > 0) await start(scenario, workflowId, missing);
      } catch (error) {
        // The database may be away: that is what some tests are about.
        if (!isConnectionLoss(error)) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  feeding.catch((error) => console.log('the feeder failed:', error));
  return {
    async stop() {
      isStopped = true;
      await feeding;
    },
  };
}

/** Waits until everything has ended. */
export async function drained(scenario: Scenario, limitMs = 90_000): Promise<void> {
  try {
    await until('all executions have ended', async () => (await openCount(scenario)) === 0, limitMs);
  } catch (error) {
    const { rows } = await scenario.database.engine.query(
      `select o.id, o.status as execution, o.open_tasks, o.concluded_by, t.task_id, t.map_index, t.status, t.fence, t.attempt_number,
         t.recoveries, t.ready_at, t.worker_id, w.id is not null as has_worker, t.pending_edges
       from dagwright.workflow_executions o left join dagwright.task_executions t on t.workflow_execution_id = o.id
         and t.status not in ('completed', 'failed', 'skipped', 'cancelled')
       left join dagwright.workers w on w.id = t.worker_id
       where o.status not in ('completed', 'failed', 'cancelled') limit 20`,
    );
    const jobs = await scenario.database.engine.query('select * from dagwright.v_orphans');
    console.log(
      'what is left:',
      rows,
      'orphans:',
      jobs.rows,
      'workers said:',
      scenario.supervisor.complaints(),
    );
    throw error;
  }
}

/** All invariants of a scenario in which everything has ended. */
export async function expectSound(scenario: Scenario): Promise<void> {
  const broken = await brokenRules(scenario.url, scenario.supervisor.readLedger());
  if (Object.keys(broken).length > 0)
    console.log(JSON.stringify(broken, null, 1), scenario.supervisor.complaints());
  expect(broken).toEqual({});
}

/** Executions by status. */
export async function statuses({ database }: Scenario): Promise<Record<string, number>> {
  const { rows } = await database.engine.query(
    'select status, count(*)::int as n from dagwright.workflow_executions group by status',
  );
  return Object.fromEntries(rows.map(({ status, n }) => [status, n]));
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
