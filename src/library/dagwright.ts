// `Dagwright`: the engine as a library, on the same database as every other worker and service of the installation.
import { problemOfActor } from '../core/caller/actor.ts';
import { isUuid } from '../core/id.ts';
import type { Json } from '../core/json.ts';
import { type ExecutionStatus, isTerminalExecution } from '../core/status.ts';
import type { Acting } from '../db/connection/connection.ts';
import { findTaskEnds } from '../db/executions/execution-events.ts';
import { findExecution } from '../db/executions/execution-views.ts';
import { ExecutionWatch } from '../http/waiting/execution-watch.ts';
import { cancelExecution, showRun } from '../resources/executions.ts';
import { createStarts, type Starts } from '../triggers/starts/starts.ts';
import { applyDefinitions } from './apply.ts';
import { DagwrightError, libraryError } from './dagwright-error.ts';
import { executionEvents } from './execution-events.ts';
import { type Opened, open } from './open.ts';
import type {
  ConnectOptions,
  EventsOptions,
  JsonInput,
  StartOptions,
  WaitOptions,
  WorkerOptions,
} from './options.ts';
import { Run } from './run.ts';
import { startRun } from './start.ts';
import type { AppliedWorkflow, Execution, ExecutionEvent, ExecutionWithTasks } from './views.ts';
import { type RunningWorker, startWorker } from './work.ts';
import type { Workflow } from './workflow.ts';

/** Node's timers end at once beyond it. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;
const PAGE = 100;

export class Dagwright {
  readonly #opened: Opened;
  readonly #acting: Acting;
  readonly #starts: Starts;
  readonly #watch: ExecutionWatch;
  readonly #closing = new AbortController();
  #running: RunningWorker | null = null;
  /** From its call on, also while it starts. */
  #starting: Promise<RunningWorker> | null = null;
  /** Resolves when all that were told to stop have stopped. */
  #stopped: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | null = null;

  private constructor(opened: Opened, actor: string) {
    const { database, log, tenantId } = opened;
    this.#opened = opened;
    this.#acting = { tenantId, actor };
    this.#starts = createStarts({ database, log, opener: () => this.#running?.worker.opener ?? null });
    this.#watch = new ExecutionWatch({ pool: database.engine, log });
  }

  /** Opens the database: the one that is given, that of DATABASE_URL, or an embedded PostgreSQL. Throws a DagwrightError. */
  static async connect(options: ConnectOptions = {}): Promise<Dagwright> {
    const { actor = 'library' } = options;
    const problem = problemOfActor(actor);
    if (problem !== null) throw libraryError('validation', `actor ${problem}`);
    return new Dagwright(await open(options), actor);
  }

  /** Saves definitions with their triggers, all or none: what `workflow()` makes, other objects, or texts in YAML or JSON. */
  async apply(...definitions: readonly (Workflow | object | string)[]): Promise<readonly AppliedWorkflow[]> {
    return await applyDefinitions(this.#opened, this.#acting, definitions);
  }

  /**
   * Starts a saved workflow; once this resolves, the execution is not lost (in a transaction of your own: once that is
   * committed). Throws a DagwrightError: `not_found`, `validation`, `key_reused`, …
   */
  start<Input, Output>(
    workflow: Workflow<Input, Output>,
    input: NoInfer<Input>,
    options?: StartOptions,
  ): Promise<Run<Output>>;
  start(workflowId: string, input?: JsonInput, options?: StartOptions): Promise<Run<Json>>;
  async start(
    workflow: string | Workflow,
    input?: unknown,
    options: StartOptions = {},
  ): Promise<Run<unknown>> {
    const workflowId = typeof workflow === 'string' ? workflow : workflow.workflowId;
    const started = await startRun(this.#starts, this.#acting, { ...options, workflowId, input });
    return new Run(this, started.id, started.existing);
  }

  /** A run that was started before, by whomever. */
  run<Output = Json>(id: string): Run<Output> {
    return new Run(this, id, null);
  }

  /** The execution when it has ended, however that was. */
  async wait(
    id: string,
    { timeoutMs = Number.POSITIVE_INFINITY, signal }: WaitOptions = {},
  ): Promise<Execution> {
    const giveUp = this.#untilClosed(signal);
    const endsAtMs = performance.now() + timeoutMs;
    let execution = await this.#find(id);
    while (!isTerminalExecution(execution.status)) {
      const leftMs = endsAtMs - performance.now();
      if (leftMs <= 0)
        throw libraryError('timeout', `execution ${id} is ${execution.status} after ${timeoutMs} ms`);
      giveUp.throwIfAborted();
      await this.#watch.untilTerminal(id, { timeoutMs: Math.min(leftMs, LONGEST_WAIT_MS), signal: giveUp });
      giveUp.throwIfAborted();
      execution = await this.#find(id);
    }
    return execution;
  }

  /** The execution with its tasks; null: this tenant has none with that id. */
  async get(id: string): Promise<ExecutionWithTasks | null> {
    if (!isUuid(id)) return null;
    const shown = await this.#opened.database.withTenant(this.#acting, (client) =>
      showRun(client, this.#acting, id),
    );
    return shown.ok ? shown.value.run : null;
  }

  /** Nothing of it starts any more. Its status afterwards: that of one that had ended stays. */
  async cancel(id: string, reason?: string): Promise<ExecutionStatus> {
    const { database } = this.#opened;
    const before = await this.#find(id);
    const outcome = await database.withTenant(this.#acting, (client) =>
      cancelExecution(client, this.#acting, { id, reason }),
    );
    if (outcome.ok) return outcome.value.status;
    if (outcome.code !== 'already_ended') throw new DagwrightError(outcome.code, outcome.problems);
    return isTerminalExecution(before.status) ? before.status : (await this.#find(id)).status;
  }

  /** Follows an execution to its end. */
  async *events(
    id: string,
    { after = 0, signal }: EventsOptions = {},
  ): AsyncGenerator<ExecutionEvent, void, void> {
    await this.#find(id);
    const { database } = this.#opened;
    yield* executionEvents({
      id,
      after,
      watch: this.#watch,
      findEnds: (afterSeq) => findTaskEnds(database, this.#acting, id, { afterSeq, limit: PAGE }),
      signal: this.#untilClosed(signal),
    });
  }

  /** Runs tasks in this process, those of other services' executions too. It goes on until `stopWorker` or `close`. */
  async startWorker(options: WorkerOptions = {}): Promise<void> {
    if (this.#closed !== null) throw libraryError('closed', 'the connection was closed');
    if (this.#starting !== null) throw libraryError('already_started', 'the worker of this connection runs');
    const starting = startWorker(this.#opened, options);
    this.#starting = starting;
    try {
      const running = await starting;
      running.worker.events.on('executionEnded', (id) => this.#watch.notice(id));
      if (this.#starting === starting) this.#running = running;
    } catch (error) {
      if (this.#starting === starting) this.#starting = null;
      throw error;
    }
  }

  /** Takes no more; what runs may end within 25 s, the rest goes on elsewhere. */
  async stopWorker(): Promise<void> {
    const starting = this.#starting;
    this.#starting = null;
    this.#running = null;
    const before = this.#stopped;
    const stop = async () => {
      // One that could not start was told so to whoever started it.
      const running = await starting?.catch(() => null);
      await running?.stop();
    };
    const stopped = Promise.all([before, stop()]);
    this.#stopped = stopped.catch(() => {});
    await stopped;
  }

  /** Stops the worker, ends what waits, and closes the connections. */
  async close(): Promise<void> {
    this.#closed ??= this.#end();
    await this.#closed;
  }

  async #end(): Promise<void> {
    await this.stopWorker();
    this.#closing.abort(libraryError('closed', 'the connection was closed'));
    this.#watch.close();
    await this.#opened.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #find(id: string): Promise<Execution> {
    const { database, tenantId } = this.#opened;
    const found = isUuid(id)
      ? await database.withTenant(this.#acting, (client) => findExecution(client, tenantId, id))
      : null;
    if (found !== null) return found;
    throw libraryError(
      'not_found',
      `there is no execution ${id}`,
      'one that was started in a transaction is there once that is committed',
    );
  }

  #untilClosed(signal: AbortSignal | undefined): AbortSignal {
    const closing = this.#closing.signal;
    return signal === undefined ? closing : AbortSignal.any([closing, signal]);
  }
}
