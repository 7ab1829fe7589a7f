// The engine in a test: a database of its own, a worker in this process, task types that do what the test says.
//
//   const engine = await openEngine();
//   engine.bodies.b = () => { throw new TerminalError('boom', 'no'); };
//   const run = await engine.run(graph('a -> b; a -> c', { failurePolicy: 'continue' }));
//   expect(run.states).toBe('a completed, b failed, c completed');

import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import type { FailurePolicy, NodeDefinition, WorkflowDefinition } from '../../src/core/definition/model.ts';
import type { TaskLog } from '../../src/core/log-lines.ts';
import { isTerminalExecution } from '../../src/core/status.ts';
import { type Database, openDatabase } from '../../src/db/connection/connection.ts';
import { type StartRequest, startExecutions } from '../../src/db/executions/execution-starts.ts';
import type { ExecutionView, TaskView } from '../../src/db/executions/execution-views.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { applyDefinition } from '../../src/db/resources/definitions.ts';
import { Worker, type WorkerOptions } from '../../src/engine/worker/worker.ts';
import { type CustomTaskContext, defineTask } from '../../src/tasks/custom-task.ts';
import { createRegistry } from '../../src/tasks/registry.ts';
import type { TaskType } from '../../src/tasks/task-type.ts';
import { planOf } from '../core/support/text-plan.ts';
import { createDatabase } from './database.ts';
import { findExecution, findTasks } from './executions.ts';
import { type FaultyDatabase, faultyDatabase } from './faulty-pg.ts';

/** Seed of the faults that all engine tests meet in their workers' database; unset: none. */
const FAULTS_SEED = process.env.DAGWRIGHT_TEST_FAULTS;

/** Above what anything takes on a loaded machine; nothing waits this long when all is well. */
const EVENT_MS = 55_000;

export type Body = (context: CustomTaskContext) => unknown;

/** One finished execution. */
export interface Run {
  readonly execution: ExecutionView;
  readonly tasks: readonly TaskView[];
  /** `a completed, b skipped upstream_failed`: the tasks without their items, in the order of the definition. */
  readonly states: string;
  /** The task, or an item of it. */
  task(taskId: string, index?: number): TaskView;
  /** Items of a fan-out, by index: `completed, cancelled`. */
  items(taskId: string): string;
}

export interface Engine {
  readonly database: Database;
  /** The one of the workers: another where `reach` or faults are asked for. */
  readonly workersDatabase: Database;
  readonly worker: Worker;
  /** What a `probe` task does, by taskId; returns its taskId where there is none. */
  readonly bodies: { [taskId: string]: Body };
  /** The bodies entered, in order: `<taskId>`, or `<taskId>:<index>` of an item. */
  readonly entered: string[];
  /** What the workers logged as warnings and errors. */
  readonly logged: string[];
  apply(definition: WorkflowDefinition): Promise<void>;
  start(workflowId: string, request?: Partial<StartRequest>): Promise<string>;
  /** Waits until the execution is terminal. */
  ended(id: string): Promise<Run>;
  /** Applies, starts, waits. */
  run(definition: WorkflowDefinition, request?: Partial<StartRequest>): Promise<Run>;
  addWorker(options?: Partial<WorkerOptions>): Promise<Worker>;
  query<T = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<T[]>;
  /** Nothing waits for nothing, nothing is open in what has ended, no deadlock, and the reconciler repaired nothing. */
  expectSound(): Promise<void>;
  close(): Promise<void>;
}

export interface EngineOptions extends Partial<WorkerOptions> {
  /** Task types besides the built-in ones and `probe`. */
  readonly moreTypes?: readonly TaskType[];
  /** The worker is not started. */
  readonly idle?: boolean;
  /** How the workers reach the database at this URL. */
  readonly reach?: (url: string) => Database;
  /** Seed of faults in the workers' database; false: none, whatever the environment says. */
  readonly faults?: number | false;
}

export async function openEngine(engineOptions: EngineOptions = {}): Promise<Engine> {
  const { idle, reach, faults, moreTypes = [], ...options } = engineOptions;
  const own = await createDatabase();
  const database = openDatabase(own.url);
  const reached = reach?.(own.url) ?? database;
  const seed = faults ?? (FAULTS_SEED === undefined ? false : Number(FAULTS_SEED));
  const faulty: FaultyDatabase | null = seed === false ? null : faultyDatabase(reached, seed);
  const workersDatabase = faulty ?? reached;
  const createWorker = (more: Partial<WorkerOptions> = {}) => {
    const worker = new Worker({
      ...{ database: workersDatabase, types, log, concurrency: 8 },
      ...options,
      ...more,
    });
    if (faulty === null) return worker;
    // A worker that cannot register ends, so it starts without faults.
    const start = worker.start.bind(worker);
    worker.start = async () => {
      faulty.isFaulty = false;
      await start();
      faulty.isFaulty = true;
    };
    return worker;
  };
  const bodies: { [taskId: string]: Body } = Object.create(null);
  const entered: string[] = [];
  const logged: string[] = [];
  const types = createRegistry([
    defineTask({
      type: 'probe',
      run: (context) => {
        entered.push(context.idempotencyKey.slice(context.executionId.length + 1));
        return (bodies[context.taskId] ?? (() => context.taskId))(context);
      },
    }),
    ...moreTypes,
  ]);
  const note = (message: string, fields?: unknown) =>
    void logged.push(`${message} ${JSON.stringify(fields ?? '')}`);
  const log: TaskLog = { debug: () => {}, info: () => {}, warn: note, error: note };
  const workers: Worker[] = [];
  const query = async <T>(text: string, values: readonly unknown[] = []): Promise<T[]> =>
    (await database.engine.query(text, [...values])).rows;
  const engine: Engine = {
    database,
    workersDatabase,
    worker: createWorker(),
    bodies,
    entered,
    logged,
    query,
    apply: async (definition) =>
      void (await applyDefinition(database, DEFAULT_TENANT_ID, definition, 'test')),
    async start(workflowId, request = {}) {
      const [started] = await startExecutions(database.engine, DEFAULT_TENANT_ID, [
        { workflowId, triggerType: 'manual', ...request },
      ]);
      if (!started!.ok) throw new Error(`not started: ${started!.problem}`);
      return started!.id;
    },
    async ended(id) {
      // An end that no worker writes (a cancel, a timeout) makes no event here, so the row is looked at besides.
      const listeners = new AbortController();
      for (const worker of workers)
        worker.events.on('executionEnded', (ended) => ended === id && listeners.abort());
      const startedAt = performance.now();
      for (;;) {
        const execution = await findExecution(database, DEFAULT_TENANT_ID, id);
        if (execution !== null && isTerminalExecution(execution.status))
          return runOf(execution, await findTasks(database, DEFAULT_TENANT_ID, id));
        if (performance.now() - startedAt > EVENT_MS) throw new Error(await describeOpen(engine, id));
        await pause(100, undefined, { signal: listeners.signal }).catch(() => {});
      }
    },
    async run(definition, request) {
      await engine.apply(definition);
      return await engine.ended(await engine.start(definition.workflowId, request));
    },
    async addWorker(more = {}) {
      const worker = createWorker(more);
      workers.push(worker);
      await worker.start();
      return worker;
    },
    async expectSound() {
      expect(await query('select * from dagwright.v_orphans limit 3')).toEqual([]);
      expect(
        await query(
          `select o.id, o.status, o.open_tasks, t.task_id, t.map_index, t.status as task_status
           from dagwright.workflow_executions o left join dagwright.task_executions t on t.workflow_execution_id = o.id
             and t.status in ('pending', 'running', 'waiting', 'retrying')
           where o.status in ('completed', 'failed', 'cancelled') and (o.open_tasks <> 0 or t.status is not null) limit 3`,
        ),
      ).toEqual([]);
      expect(
        await query('select deadlocks from pg_stat_database where datname = current_database()'),
      ).toEqual([{ deadlocks: 0 }]);
      expect(
        await query(`select * from dagwright.engine_counters where name = 'reconciler_repairs'`),
      ).toEqual([]);
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.stop()));
      if (reached !== database) await reached.close().catch(() => {});
      await database.close().catch(() => {});
      await own.drop();
    },
  };
  workers.push(engine.worker);
  if (!idle) await engine.worker.start();
  return engine;
}

/** Waits for what only the database knows. */
export async function until<T>(read: () => Promise<T | null | undefined | false | 0>): Promise<T> {
  const startedAt = performance.now();
  for (;;) {
    const value = await read();
    if (value) return value;
    if (performance.now() - startedAt > EVENT_MS) throw new Error(`not within ${EVENT_MS} ms: ${read}`);
    await pause(20);
  }
}

let made = 0;

/** A definition from text (see text-plan.ts), `probe` tasks where `tasks` does not say otherwise. */
export function graph(
  text: string,
  options: {
    readonly failurePolicy?: FailurePolicy;
    readonly tasks?: { readonly [taskId: string]: Partial<NodeDefinition> };
    readonly more?: Partial<WorkflowDefinition>;
  } = {},
): WorkflowDefinition {
  const nodes = planOf(text).definition.nodes.map(({ taskId, dependsOn }): NodeDefinition => {
    const own = options.tasks?.[taskId];
    return { taskId, taskType: 'probe', dependsOn, config: {}, ...own };
  });
  return definition(nodes, { failurePolicy: options.failurePolicy, ...options.more });
}

/** A definition under a name of its own. Retries are off where a test does not ask for them. */
export function definition(
  nodes: readonly NodeDefinition[],
  more: Partial<WorkflowDefinition> = {},
): WorkflowDefinition {
  return { workflowId: `w${made++}-${randomBytes(4).toString('hex')}`, maxRetries: 0, nodes, ...more };
}

export const failing = (code = 'boom'): Partial<NodeDefinition> => ({
  taskType: 'fail',
  config: { code, message: `it was ${code}` },
});

export const waiting = (seconds: number): Partial<NodeDefinition> => ({
  taskType: 'wait',
  config: { seconds },
});

/** A promise and its end, for bodies that wait for the test. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

function runOf(execution: ExecutionView, tasks: readonly TaskView[]): Run {
  const stateOf = ({ status, reason }: TaskView) => `${status}${reason === null ? '' : ` ${reason}`}`;
  return {
    execution,
    tasks,
    states: tasks
      .filter(({ mapIndex }) => mapIndex === null)
      .map((task) => `${task.taskId} ${stateOf(task)}`)
      .join(', '),
    task(taskId, index) {
      const found = tasks.find((task) => task.taskId === taskId && task.mapIndex === (index ?? null));
      if (found === undefined) throw new Error(`no task ${taskId} ${index ?? ''}`);
      return found;
    },
    items: (taskId) =>
      tasks
        .filter((task) => task.taskId === taskId && task.mapIndex !== null)
        .map(stateOf)
        .join(', '),
  };
}

async function describeOpen(engine: Engine, id: string): Promise<string> {
  const rows = await engine.query(
    `select o.status as execution, o.open_tasks, o.failing, t.task_id, t.map_index, t.status, t.pending_edges, t.ready_at, t.wake_at, t.waiting_on, t.items_open
     from dagwright.workflow_executions o left join dagwright.task_executions t on t.workflow_execution_id = o.id
       and t.status not in ('completed', 'failed', 'skipped', 'cancelled') where o.id = $1 limit 10`,
    [id],
  );
  return `not ended after ${EVENT_MS} ms: ${JSON.stringify(rows)}; logged: ${engine.logged.slice(-5).join(' | ')}`;
}
