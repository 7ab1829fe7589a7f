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
import { countBodies, countSteps, type Workload, workloadNamed } from '../workloads.ts';
import { documentOf } from './definition.ts';

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
  const warmUp = countSteps(workload) < LONG_STEPS ? null : await applyWarmUp(database, noop);
  const worker = new Worker({ database, types: createRegistry([noop]), log, concurrency: SLOTS });
  await worker.start();

  const { ended, release } = trackEnds(worker);
  const ids: string[] = [];
  let tasks = 0;
  const start = createStarter(database, worker);
  const run = async (id: string, steps: number) => {
    const executionId = await start(id);
    ids.push(executionId);
    tasks += steps;
    await ended(executionId);
  };
  return {
    concurrency: workload.concurrency,
    stepsPerRun: countSteps(workload),
    bodiesPerRun: countBodies(workload),
    run: () => run(workflowId, countSteps(workload)),
    ...(warmUp === null ? {} : { warmUp: () => run(warmUp.id, warmUp.steps) }),
    executed: () => executed,
    async close() {
      release();
      await worker.stop();
      const found = await countEnds(database, ids);
      await database.close();
      const wanted = { executions: ids.length, tasks };
      if (found.executions !== wanted.executions || found.tasks !== wanted.tasks)
        throw new Error(
          `completed, each task at its first attempt: ${JSON.stringify(found)}, expected ${JSON.stringify(wanted)}`,
        );
    },
  };
}

async function applyWarmUp(database: Database, noop: CustomTaskType): Promise<{ id: string; steps: number }> {
  const workload = workloadNamed('fan1000');
  return { id: await apply(database, workload, noop), steps: countSteps(workload) };
}

// As a user's document: validated, stored. Returns the workflow's id.
async function apply(database: Database, workload: Workload, noop: CustomTaskType): Promise<string> {
  const document = documentOf(workload, noop.type);
  const result = validateDefinition(document, { taskTypes: new Map([[noop.type, noop.rule]]) });
  if (!result.ok) throw new Error(`the definition is refused: ${JSON.stringify(result.problems[0])}`);
  const { workflowId } = await applyDefinition(database, DEFAULT_TENANT_ID, result.value.definition, 'bench');
  return workflowId;
}

// As the service does whose process is a worker too (`dagwright start`, `dagwright dev`): starts that are due at the same moment
// share a commit, and are opened in it while the worker has slots.
function createStarter(database: Database, worker: Worker): (workflowId: string) => Promise<string> {
  const starts = createStarts({ database, log, opener: () => worker.opener });
  const acting = { tenantId: DEFAULT_TENANT_ID, actor: 'key:bench' };
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

/** Of these executions: how many are completed, and how many of their tasks are, each claimed once and run once. */
async function countEnds(
  database: Database,
  ids: readonly string[],
): Promise<{ executions: number; tasks: number }> {
  const { rows } = await database.engine.query<{ executions: number; tasks: number }>(
    `select
       (select count(*)::int from dagwright.workflow_executions where id = any($1::uuid[]) and status = 'completed') as executions,
       (select count(*)::int from dagwright.task_executions where workflow_execution_id = any($1::uuid[])
          and status = 'completed' and attempt_number = 1 and fence = 1) as tasks`,
    [ids],
  );
  return rows[0]!;
}
