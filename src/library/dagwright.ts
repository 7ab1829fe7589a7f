// `Dagwright`: the engine as a library, on the same database as every other worker and service of the installation.
import { problemOfActor } from '../core/caller/actor.ts';
import { dagwrightError } from '../core/dagwright-error.ts';
import { isUuid } from '../core/id.ts';
import type { Json } from '../core/json.ts';
import { type ExecutionStatus, isTerminalExecution } from '../core/status.ts';
import { type Acting, untilAnswered } from '../db/connection/connection.ts';
import { findTaskEnds } from '../db/executions/execution-events.ts';
import { findExecution } from '../db/executions/execution-views.ts';
import { ExecutionWatch } from '../http/waiting/execution-watch.ts';
import { cancelExecution, showRun } from '../resources/executions.ts';
import { createStarts, type Starts } from '../triggers/starts/starts.ts';
import { applyDefinitions } from './apply.ts';
import { executionEvents } from './execution-events.ts';
import { closedError, errorOfRefusal, translated } from './failure.ts';
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
type TenantClient = Parameters<Parameters<Opened['database']['withTenant']>[1]>[0];

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
    if (problem !== null)
      throw dagwrightError('validation', `actor ${problem}`, { hint: 'actor: "billing", or leave it out' });
    return new Dagwright(await open(options), actor);
  }

  /** Saves definitions with their triggers, all or none: what `workflow()` makes, other objects, or texts in YAML or JSON. */
  async apply(...definitions: readonly (Workflow | object | string)[]): Promise<readonly AppliedWorkflow[]> {
    this.#requireOpen();
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
    this.#requireOpen();
    const workflowId = typeof workflow === 'string' ? workflow : workflow.workflowId;
    const asked = { ...options, workflowId, input };
    const started = await startRun(this.#starts, this.#acting, asked, this.#opened.config);
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
        throw dagwrightError('timeout', `execution ${id} is ${execution.status} after ${timeoutMs} ms`, {
          hint: 'it goes on: wait again, or cancel it',
        });
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
    const shown = await this.#inTenant((client) => showRun(client, this.#acting, id));
    return shown.ok ? shown.value.run : null;
  }

  /** Nothing of it starts any more. Its status afterwards: that of one that had ended stays. */
  async cancel(id: string, reason?: string): Promise<ExecutionStatus> {
    const before = await this.#find(id);
    const outcome = await this.#inTenant((client) => cancelExecution(client, this.#acting, { id, reason }));
    if (outcome.ok) return outcome.value.status;
    if (outcome.code !== 'already_ended') throw errorOfRefusal(outcome);
    return isTerminalExecution(before.status) ? before.status : (await this.#find(id)).status;
  }

  /** Follows an execution to its end. */
  async *events(
    id: string,
    { after = 0, signal }: EventsOptions = {},
  ): AsyncGenerator<ExecutionEvent, void, void> {
    await this.#find(id);
    const { database, config } = this.#opened;
    yield* executionEvents({
      id,
      after,
      watch: this.#watch,
      findEnds: (afterSeq) =>
        translated(
          () => untilAnswered(() => findTaskEnds(database, this.#acting, id, { afterSeq, limit: PAGE })),
          config,
        ),
      signal: this.#untilClosed(signal),
    });
  }

  /** Runs tasks in this process, those of other services' executions too. It goes on until `stopWorker` or `close`. */
  async startWorker(options: WorkerOptions = {}): Promise<void> {
    this.#requireOpen();
    if (this.#starting !== null)
      throw dagwrightError('already_started', 'the worker of this connection runs', {
        hint: 'stopWorker() first, or another Dagwright.connect()',
      });
    const starting = translated(() => startWorker(this.#opened, options), this.#opened.config);
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
    this.#closing.abort(closedError());
    this.#watch.close();
    await this.#opened.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #find(id: string): Promise<Execution> {
    const { tenantId } = this.#acting;
    const found = isUuid(id) ? await this.#inTenant((client) => findExecution(client, tenantId, id)) : null;
    if (found !== null) return found;
    throw dagwrightError('not_found', `there is no execution ${id}`, {
      hint: 'one that was started in a transaction is there once that is committed',
    });
  }

  async #inTenant<T>(work: (client: TenantClient) => Promise<T>): Promise<T> {
    this.#requireOpen();
    const { database, config } = this.#opened;
    return await translated(() => database.withTenant(this.#acting, work), config);
  }

  #requireOpen(): void {
    if (this.#closed !== null) throw closedError();
  }

  #untilClosed(signal: AbortSignal | undefined): AbortSignal {
    const closing = this.#closing.signal;
    return signal === undefined ? closing : AbortSignal.any([closing, signal]);
  }
}
