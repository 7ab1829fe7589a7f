// Numbers for Prometheus, of this process and, read from the database at most every 5 s, of the installation. No label
// names a tenant or anything that a user chose.

import type { EventEmitter } from 'node:events';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { TaskLog } from '../../core/log-lines.ts';
import { EXECUTION_STATUSES } from '../../core/status.ts';
import { WAIT_KINDS } from '../../core/wait.ts';
import type { Database, PoolUse } from '../../db/connection/connection.ts';
import { type EngineNumbers, MAX_COUNTED, readEngineNumbers } from '../../db/operations/engine-numbers.ts';
import type { EndedAttempt } from '../../engine/context.ts';
import { SharedAnswer } from './shared-answer.ts';

/** How old the numbers of the database may be. */
const FRESH_MS = 5_000;
/** How old a text may be. To write it takes a while of this thread: whoever asks meanwhile gets the same. */
const TEXT_FRESH_MS = 1_000;
const SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];
const REQUEST_SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const OPEN_STATUSES = ['pending', 'running', 'paused'];
const TASK_STATUSES = ['pending', 'running', 'waiting', 'retrying'];

/** What a worker tells (engine/worker/worker.ts). */
export type WorkerEvents = EventEmitter<{
  executionEnded: [executionId: string];
  settleLost: [executionId: string, taskId: string];
  attemptEnded: [ended: EndedAttempt];
  tasksRecovered: [tasks: number];
  jobTaken: [queuedMs: number];
}>;

export class Metrics {
  readonly #registry = new Registry();
  readonly #requests = this.#counter('http_requests_total', 'Requests answered.', [
    'method',
    'route',
    'status',
  ]);
  readonly #requestSeconds = this.#histogram(
    'http_request_duration_seconds',
    'From the first byte of a request to the end of its answer.',
    ['method', 'route'],
    REQUEST_SECONDS,
  );
  readonly #evicted = this.#counter(
    'http_connections_evicted_total',
    'Connections that were closed to make room for newer ones.',
  );
  readonly #attempts = this.#counter(
    'task_attempts_total',
    'Attempts that this process has ended, by type of task and how they ended.',
    ['type', 'status'],
  );
  readonly #taskSeconds = this.#histogram(
    'task_duration_seconds',
    'Running time of the attempts of this process.',
    ['type'],
  );
  readonly #queueSeconds = this.#histogram(
    'queue_time_seconds',
    'How long jobs were due before this process took them.',
  );
  readonly #cost = this.#counter('cost_usd_total', 'What the attempts of this process have cost.');
  readonly #executionsEnded = this.#counter(
    'executions_ended_total',
    'Executions that ended in this process.',
  );
  readonly #retries = this.#counter(
    'task_retries_total',
    'Attempts of this process that will be tried again.',
  );
  readonly #recoveries = this.#counter(
    'task_recoveries_total',
    'Tasks that this process took over from dead workers.',
  );
  readonly #settlesLost = this.#counter(
    'settles_lost_total',
    'Ends of attempts that were refused because another worker had taken the task over.',
  );
  readonly #executions = this.#gauge(
    'executions_open',
    `Executions that have not ended; at most ${MAX_COUNTED} are counted.`,
    ['status'],
  );
  readonly #lastHour = this.#gauge(
    'executions_last_hour',
    `Executions made within the last hour, by what has become of them; at most ${MAX_COUNTED} are counted.`,
    ['status'],
  );
  readonly #tasks = this.#gauge(
    'tasks_open',
    `Tasks of begun executions that have not ended; at most ${MAX_COUNTED} rows are looked at.`,
    ['status'],
  );
  readonly #waits = this.#gauge(
    'waits_open',
    `Waiting tasks of begun executions by what they wait for; at most ${MAX_COUNTED} rows are looked at.`,
    ['kind'],
  );
  readonly #queueJobs = this.#gauge(
    'queue_jobs',
    `Jobs due and not taken; at most ${MAX_COUNTED} are counted.`,
  );
  readonly #queueAge = this.#gauge(
    'queue_oldest_seconds',
    'For how long the oldest of those jobs has been due.',
  );
  readonly #queueTenants = this.#gauge('queue_tenants', 'Tenants of which jobs wait.');
  readonly #queueHeld = this.#gauge(
    'queue_jobs_held',
    `Jobs that wait until fewer tasks of their tenant run; at most ${MAX_COUNTED} are counted.`,
  );
  readonly #reviews = this.#gauge(
    'reviews_open',
    `Reviews that people have not decided; at most ${MAX_COUNTED} are counted.`,
  );
  readonly #reviewsDue = this.#gauge('reviews_due', 'Those of them whose due time has come.');
  readonly #workers = this.#gauge('workers', 'Workers that have beaten within 10 s.');
  readonly #schedulers = this.#gauge('schedulers', 'Schedulers that have beaten within 10 s.');
  readonly #repairs = this.#gauge(
    'reconciler_repairs',
    'How often something had to be woken that had been forgotten, ever; must stay 0.',
  );
  readonly #databaseUp = this.#gauge('database_up', '1 while the database answers this process.');
  readonly #connections = this.#gauge(
    'pool_connections',
    'Connections to the database, and callers that wait.',
    ['pool', 'state'],
  );
  readonly #pools = new Map<string, PoolUse>();
  #database: Database | null = null;
  #log: TaskLog | null = null;
  #numbers: { readonly at: number; readonly read: Promise<EngineNumbers | null> } | null = null;

  readonly #text: SharedAnswer<Buffer>;

  /** `textFreshMs`: how old a text may be that is given out again; a second where absent. */
  constructor({ textFreshMs = TEXT_FRESH_MS }: { readonly textFreshMs?: number } = {}) {
    this.#text = new SharedAnswer(() => this.#write(), textFreshMs);
    collectDefaultMetrics({ register: this.#registry });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Reads the installation's numbers from here. */
  watchDatabase(database: Database, log: TaskLog): void {
    this.#database = database;
    this.#log = log;
  }

  /** `name`: whose connections they are. */
  watchPools(name: string, { pools }: Database): void {
    for (const [pool, use] of Object.entries(pools)) this.#pools.set(`${name}_${pool}`, use);
  }

  watchWorker(events: WorkerEvents): void {
    events.on('attemptEnded', ({ taskType, status, durationMs, costUsd }) => {
      this.#attempts.inc({ type: taskType, status });
      this.#taskSeconds.observe({ type: taskType }, durationMs / 1000);
      if (status === 'retrying') this.#retries.inc();
      if (costUsd !== null && costUsd !== '0') this.#cost.inc(Math.max(0, Number(costUsd)) || 0);
    });
    events.on('executionEnded', () => this.#executionsEnded.inc());
    events.on('settleLost', () => this.#settlesLost.inc());
    events.on('tasksRecovered', (tasks) => this.#recoveries.inc(tasks));
    events.on('jobTaken', (queuedMs) => this.#queueSeconds.observe(queuedMs / 1000));
  }

  /** `route`: the pattern, never the path. */
  requestEnded(request: { method: string; route: string; status: number; seconds: number }): void {
    const { method, route, status, seconds } = request;
    this.#requests.inc({ method, route, status });
    this.#requestSeconds.observe({ method, route }, seconds);
  }

  connectionEvicted(): void {
    this.#evicted.inc();
  }

  /** The text format of Prometheus: written once at a time, and at most once a second, for all who ask. */
  render(): Promise<Buffer> {
    return this.#text.get();
  }

  async #write(): Promise<Buffer> {
    this.#showNumbers(await this.#freshNumbers());
    for (const [pool, use] of this.#pools) {
      this.#connections.set({ pool, state: 'total' }, use.totalCount);
      this.#connections.set({ pool, state: 'idle' }, use.idleCount);
      this.#connections.set({ pool, state: 'waiting' }, use.waitingCount);
    }
    return Buffer.from(await this.#registry.metrics());
  }

  // Scrapes that come together, or within 5 s, share one answer of the database.
  async #freshNumbers(): Promise<EngineNumbers | null> {
    if (this.#database === null) return null;
    const { engine } = this.#database;
    const now = performance.now();
    if (this.#numbers === null || now - this.#numbers.at > FRESH_MS)
      this.#numbers = { at: now, read: readEngineNumbers(engine).catch((error) => this.#note(error)) };
    return await this.#numbers.read;
  }

  #note(error: unknown): null {
    this.#log?.warn('the numbers of the installation could not be read', { error: String(error) });
    return null;
  }

  #showNumbers(numbers: EngineNumbers | null): void {
    this.#databaseUp.set(numbers === null ? 0 : 1);
    const gauges = [
      this.#executions,
      this.#lastHour,
      this.#tasks,
      this.#waits,
      this.#queueJobs,
      this.#queueAge,
      this.#queueTenants,
      this.#queueHeld,
      this.#reviews,
      this.#reviewsDue,
    ];
    for (const gauge of gauges) gauge.reset();
    if (numbers === null) return;
    for (const status of OPEN_STATUSES) this.#executions.set({ status }, numbers.executions[status] ?? 0);
    for (const status of EXECUTION_STATUSES) this.#lastHour.set({ status }, numbers.lastHour[status] ?? 0);
    for (const status of TASK_STATUSES) this.#tasks.set({ status }, numbers.tasks[status] ?? 0);
    for (const kind of WAIT_KINDS) this.#waits.set({ kind }, numbers.waits[kind] ?? 0);
    this.#queueJobs.set(numbers.queue.waiting);
    this.#queueAge.set(numbers.queue.oldestSeconds);
    this.#queueTenants.set(numbers.queue.tenants);
    this.#queueHeld.set(numbers.queue.held);
    this.#reviews.set(numbers.reviews.open);
    this.#reviewsDue.set(numbers.reviews.due);
    this.#workers.set(numbers.workers);
    this.#schedulers.set(numbers.schedulers);
    this.#repairs.set(numbers.repairs);
  }

  #counter<Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) {
    return new Counter({
      name: `dagwright_${name}`,
      help,
      labelNames: [...labelNames],
      registers: [this.#registry],
    });
  }

  #gauge<Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) {
    return new Gauge({
      name: `dagwright_${name}`,
      help,
      labelNames: [...labelNames],
      registers: [this.#registry],
    });
  }

  #histogram<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[] = [],
    buckets: readonly number[] = SECONDS,
  ) {
    const registers = [this.#registry];
    return new Histogram({
      name: `dagwright_${name}`,
      help,
      labelNames: [...labelNames],
      buckets: [...buckets],
      registers,
    });
  }
}
