// This engine, in process: a worker with 64 slots, definitions of a custom task type whose body does nothing, starts as the
// service makes them. A run has ended when its last settle has committed.

import { validateDefinition } from '../../src/core/definition/validate.ts';
import type { TaskLog } from '../../src/core/log-lines.ts';
import { type Database, openDatabase } from '../../src/db/connection/connection.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { applyDefinition } from '../../src/db/resources/definitions.ts';
import { Worker } from '../../src/engine/worker/worker.ts';
import { type CustomTaskType, defineTask } from '../../src/tasks/custom-task.ts';
import { createRegistry } from '../../src/tasks/registry.ts';
import { createStarts } from '../../src/triggers/starts/starts.ts';
import type { Session, SessionOptions } from '../contender.ts';
import { countSteps, nodesOf, type Workload, workloadNamed } from '../workloads.ts';

const SLOTS = 64;
const CONNECTIONS = 8;
/** A workload with runs of so many steps is warmed up with fan1000. */
const LONG_STEPS = 2_000;

const complain = (message: string, fields?: object) =>
  void process.stderr.write(`dagwright: ${message} ${JSON.stringify(fields ?? {})}\n`);
const log: TaskLog = { debug() {}, info() {}, warn: complain, error: complain };

export async function openDagwright(url: string, { workload }: SessionOptions): Promise<Session> {
  let executed = 0;
  const noop = defineTask({
    type: 'noop',
    run: async () => {
      executed++;
      return null;
    },
  });
  const database = openDatabase(url, { max: CONNECTIONS });
  const workflowId = await apply(database, workload, noop);
  const warmUpId =
    countSteps(workload) < LONG_STEPS ? null : await apply(database, workloadNamed('fan1000'), noop);
  const worker = new Worker({ database, types: createRegistry([noop]), log, concurrency: SLOTS });
  await worker.start();

  const { ended, release } = trackEnds(worker);
  const ids: string[] = [];
  const start = createStarter(database, worker);
  const run = async (id: string) => {
    const executionId = await start(id);
    ids.push(executionId);
    await ended(executionId);
  };
  return {
    concurrency: workload.concurrency,
    stepsPerRun: countSteps(workload),
    run: () => run(workflowId),
    ...(warmUpId === null ? {} : { warmUp: () => run(warmUpId) }),
    executed: () => executed,
    async close() {
      release();
      await worker.stop();
      const incomplete = await countIncomplete(database, ids);
      await database.close();
      if (incomplete > 0) throw new Error(`${incomplete} of ${ids.length} executions did not complete`);
    },
  };
}

// As a user's document: validated, stored. Returns the workflow's id.
async function apply(database: Database, workload: Workload, noop: CustomTaskType): Promise<string> {
  const nodes = nodesOf(workload).map((node) => ({ ...node, taskType: noop.type, config: {} }));
  const document = { workflowId: `bench-${workload.name}`, nodes };
  const result = validateDefinition(document, { taskTypes: new Map([[noop.type, noop.rule]]) });
  if (!result.ok) throw new Error(`the definition is refused: ${JSON.stringify(result.problems[0])}`);
  const { workflowId } = await applyDefinition(database, DEFAULT_TENANT_ID, result.value.definition, 'bench');
  return workflowId;
}

// As the service does whose process is a worker too (`dagwright start`, `dagwright dev`): starts that are due at the same moment
// share a commit, and are opened in it while the worker has slots.
function createStarter(database: Database, worker: Worker): (workflowId: string) => Promise<string> {
  const starts = createStarts({ database, log, opener: () => worker.opener });
  const acting = { tenantId: DEFAULT_TENANT_ID, actor: 'bench' };
  return async (workflowId) => {
    const result = await starts.start(acting, { workflowId, input: {}, triggerType: 'api' });
    if (!result.ok) throw new Error(`start refused: ${result.problems[0]?.message}`);
    return result.id;
  };
}

// An execution may end before its starter has learned the id.
function trackEnds(worker: Worker): { ended: (id: string) => Promise<void>; release: () => void } {
  const early = new Set<string>();
  const waiting = new Map<string, () => void>();
  const onEnd = (id: string) => {
    const resolve = waiting.get(id);
    if (resolve === undefined) early.add(id);
    else {
      waiting.delete(id);
      resolve();
    }
  };
  worker.events.on('executionEnded', onEnd);
  return {
    ended: (id) =>
      early.delete(id) ? Promise.resolve() : new Promise((resolve) => waiting.set(id, resolve)),
    release: () => void worker.events.off('executionEnded', onEnd),
  };
}

async function countIncomplete(database: Database, ids: readonly string[]): Promise<number> {
  const { rows } = await database.engine.query<{ n: number }>(
    `select count(*)::int as n from unnest($1::uuid[]) as r(id)
     left join dagwright.workflow_executions o using (id) where o.status is distinct from 'completed'`,
    [ids],
  );
  return rows[0]!.n;
}
