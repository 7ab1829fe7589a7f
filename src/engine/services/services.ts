// Calls to outside services: one queue per service in this process, its limits among all workers, and its circuit breaker
// among all workers for each tenant.
//   V1  A call that may begin soon waits here, up to two seconds. Any other is sent away (NotNow): its task waits without a
//       slot of the worker, and comes back in its turn.
//   V2  A service without limits whose breaker is closed costs no statement.
//   V3  Permits are shared out between tenants by the database (exchange_permits_v2), places in the queue here: the tenant that has least
//       of both goes first.
//   V4  A permit and a place in the queue are held until the call has ended, also where its attempt was aborted.

import PQueue from 'p-queue';
import { type Outcome, outcomeOf } from '../../core/breaker.ts';
import { NotNow, RetryableError, TerminalError } from '../../core/errors.ts';
import type { TaskLog } from '../../core/log-lines.ts';
import type { Queryable } from '../../db/connection/connection.ts';
import type { Services, ServiceUse } from '../../tasks/outside.ts';
import { AttemptAbort } from '../attempt/abort.ts';
import { ServiceHealth } from './health.ts';
import { PATIENCE_MS, ServicePermits } from './permits.ts';

export interface OutsideServicesOptions {
  readonly db: Queryable;
  readonly log: TaskLog;
  /** The row that permits belong to: they end with it. */
  readonly workerId: () => string;
}

interface Service {
  readonly id: string;
  readonly queue: PQueue;
  permits: ServicePermits | null;
  /** Until when those who were sent away have been told to come back. */
  backAtMs: number;
  /** How long a call takes, a moving mean. */
  callMs: number;
  users: number;
  /** Calls that have a place or wait for one, by tenant. */
  readonly places: Map<string, number>;
}

/** Those sent away come back spread over a minute at most. */
const MAX_SPREAD_MS = 60_000;
const LEAST_SPACING_MS = 5;
/** Services of this process that are remembered although nobody uses them. */
const MAX_IDLE = 500;
const CLOSE_MS = 2_000;

const HELD = {
  open: ['breaker', 'failed too often and is left alone for a while'],
  probing: ['breaker', 'failed too often, and a first call tries whether it is back'],
  paused: ['pause', 'asked for fewer calls'],
  busy: ['limit', 'has as many calls as its limits allow'],
} as const;

export class OutsideServices implements Services {
  readonly #options: OutsideServicesOptions;
  readonly #services = new Map<string, Service>();
  readonly #health: ServiceHealth;
  readonly #closing = new AbortController();
  #isAway = false;
  #isClosed = false;

  constructor(options: OutsideServicesOptions) {
    this.#options = options;
    this.#health = new ServiceHealth({ ...options, ...this.#listeners() });
  }

  async use<T>({ serviceId, tenantId }: ServiceUse, signal: AbortSignal, call: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new Error('this worker has ended: it calls no service any more');
    signal.throwIfAborted();
    await this.#health.refresh();
    const service = this.#serviceOf(serviceId);
    service.users++;
    try {
      const breakerId = `${serviceId}@${tenantId}`;
      const admission = this.#health.look(breakerId);
      if (admission.kind === 'wait') throw this.#notNow(service, admission.because, admission.waitMs);
      return await this.#inTurn(service, tenantId, signal, () =>
        this.#run(service, { breakerId, tenantId }, signal, call),
      );
    } finally {
      service.users--;
      this.#forgetIdle();
    }
  }

  /** Resolves when what was lent is given back. Calls under way must have ended, or are not waited for. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const timer = setTimeout(() => this.#closing.abort(), CLOSE_MS);
    const permits = [...this.#services.values()].flatMap((service) => service.permits ?? []);
    await Promise.all([this.#health.settled(), ...permits.map((of) => of.settled())]);
    clearTimeout(timer);
    this.#closing.abort();
  }

  // The queue's signal would free a place while its call still runs (V4): it is used for the time of waiting only.
  async #inTurn<T>(
    service: Service,
    tenantId: string,
    signal: AbortSignal,
    run: () => Promise<T>,
  ): Promise<T> {
    const { places } = service;
    const taken = places.get(tenantId) ?? 0;
    places.set(tenantId, taken + 1);
    try {
      return await this.#queued(service, -taken, signal, run);
    } finally {
      const left = places.get(tenantId)! - 1;
      if (left === 0) places.delete(tenantId);
      else places.set(tenantId, left);
    }
  }

  async #queued<T>(
    service: Service,
    priority: number,
    signal: AbortSignal,
    run: () => Promise<T>,
  ): Promise<T> {
    const { queue } = service;
    if (queue.pending < queue.concurrency) return await queue.add(run);
    const waiting = new AbortController();
    const onAbort = () => waiting.abort(signal.reason);
    const timer = setTimeout(() => waiting.abort(this.#notNow(service, 'busy', 0)), PATIENCE_MS);
    const leave = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    const start = () => {
      leave();
      return run();
    };
    return await queue.add(start, { signal: waiting.signal, priority }).finally(leave);
  }

  async #run<T>(
    service: Service,
    { breakerId, tenantId }: { readonly breakerId: string; readonly tenantId: string },
    signal: AbortSignal,
    call: () => Promise<T>,
  ): Promise<T> {
    const entry = service.permits === null ? null : await service.permits.acquire(tenantId, signal);
    if (entry?.kind === 'refused') throw this.#notNow(service, 'busy', entry.waitMs);
    try {
      signal.throwIfAborted();
      const begun = await this.#health.begin(breakerId);
      if (begun.kind === 'wait') throw this.#notNow(service, begun.because, begun.waitMs);
      let outcome: Outcome = { kind: 'unknown' };
      let code = '';
      const startedAtMs = performance.now();
      try {
        signal.throwIfAborted();
        const value = await call();
        outcome = { kind: 'answered' };
        return value;
      } catch (error) {
        code = codeOf(error, signal);
        outcome = outcomeOf(code, error instanceof RetryableError ? error.retryAfter : undefined);
        throw error;
      } finally {
        service.callMs += (performance.now() - startedAtMs - service.callMs) / 8;
        this.#health.ended(breakerId, begun, outcome, code);
      }
    } finally {
      entry?.release();
    }
  }

  #serviceOf(id: string): Service {
    const limit = this.#health.limitOf(id);
    let service = this.#services.get(id);
    if (service === undefined) {
      service = {
        id,
        queue: new PQueue(),
        permits: null,
        backAtMs: 0,
        callMs: 0,
        users: 0,
        places: new Map(),
      };
      this.#services.set(id, service);
    }
    const concurrency = limit?.maxConcurrency ?? Number.POSITIVE_INFINITY;
    if (service.queue.concurrency !== concurrency) service.queue.concurrency = concurrency;
    if (limit !== undefined)
      service.permits ??= new ServicePermits({ ...this.#options, serviceId: id, ...this.#listeners() });
    // Without a row there is nothing to ask for; permits of before are given back by the calls that hold them.
    else if (service.permits?.isIdle && service.users === 0) service.permits = null;
    return service;
  }

  // Those sent away come back one after the other, at about the pace at which they can be let in, never all at once.
  #notNow(service: Service, because: keyof typeof HELD, leastMs: number): NotNow {
    const limit = this.#health.limitOf(service.id);
    const nowMs = performance.now();
    const spacingMs = Math.max(
      LEAST_SPACING_MS,
      limit?.maxConcurrency ? service.callMs / limit.maxConcurrency : 0,
      limit?.rateLimit && limit.rateIntervalMs ? limit.rateIntervalMs / limit.rateLimit : 0,
    );
    const atMs = Math.min(Math.max(service.backAtMs, nowMs + leastMs), nowMs + leastMs + MAX_SPREAD_MS);
    service.backAtMs = atMs + spacingMs;
    const delayMs = atMs - nowMs + Math.random() * Math.max(100, leastMs / 5, spacingMs);
    const [by, why] = HELD[because];
    return new NotNow(`Service "${service.id}" ${why}`, Math.ceil(delayMs), { service: service.id, by });
  }

  #forgetIdle(): void {
    if (this.#services.size <= MAX_IDLE) return;
    for (const [id, { users, permits, backAtMs }] of this.#services)
      if (users === 0 && (permits?.isIdle ?? true) && backAtMs < performance.now()) this.#services.delete(id);
  }

  #listeners() {
    return {
      closing: this.#closing.signal,
      onFailure: (error: unknown) => {
        if (!this.#isAway)
          this.#options.log.warn(
            'the database does not answer: limits and circuit breakers of services hold within this worker only',
            { error: String(error) },
          );
        this.#isAway = true;
      },
      onAnswer: () => {
        this.#isAway = false;
      },
    };
  }
}

// An attempt that ran out of time says as much of the service as an error would; any other abort says nothing.
function codeOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted)
    return signal.reason instanceof AttemptAbort && signal.reason.reason === 'timeout' ? 'timeout' : '';
  return error instanceof RetryableError || error instanceof TerminalError ? error.code : '';
}
