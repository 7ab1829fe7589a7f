// The circuit breakers of outside services, as this worker sees them, and what it tells the others. core/breaker.ts decides.
//   H1  A healthy service costs no statement: calls are counted here, and only openings, closings and pauses are written.
//   H2  While calls are made, what the others wrote is read once a second; with no calls, never.
//   H3  One probe of a service among all workers: the database lets one begin.
//   H4  While the database is away, this worker's own breakers hold.
import {
  type Admission,
  admit,
  adopt,
  afterCall,
  type Breaker,
  isForgettable,
  NEW_BREAKER,
  type Outcome,
  type SharedState,
  startProbe,
} from '../../core/breaker.ts';
import { newId } from '../../core/id.ts';
import { abortableDelay, backoffMs } from '../../db/connection/abortable-delay.ts';
import { isConnectionLoss, isRetryable, type Queryable } from '../../db/connection/connection.ts';
import {
  endProbe,
  type KnownServices,
  openService,
  pauseService,
  probeService,
  readServices,
  type ServiceLimit,
} from '../../db/resources/services.ts';

const READ_EVERY_MS = 1_000;
/** A call waits so long for what the others wrote; it is in no hurry the first time. */
const READ_PATIENCE_MS = 500;
/** Pauses that end about together are written once. */
const SAME_PAUSE_MS = 250;

/** A call that may begin; `probeId`: it is the probe. */
export interface Begun {
  readonly kind: 'begun';
  readonly epoch: number;
  readonly probeId: string | null;
}

interface Entry {
  breaker: Breaker;
  /** The database has a row that says that it is not closed. */
  isShared: boolean;
  /** When this worker's own writes last changed the row. */
  writtenAtMs: number;
  /** Writes about one service follow one another. */
  writing: Promise<void> | null;
}

export interface HealthOptions {
  readonly db: Queryable;
  readonly workerId: () => string;
  /** Aborted when nothing is tried again any more. */
  readonly closing: AbortSignal;
  readonly onFailure: (error: unknown) => void;
  readonly onAnswer: () => void;
}

export class ServiceHealth {
  readonly #options: HealthOptions;
  readonly #entries = new Map<string, Entry>();
  #view: KnownServices | null = null;
  #viewAtMs = 0;
  #triedAtMs = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | null = null;

  constructor(options: HealthOptions) {
    this.#options = options;
  }

  /** Makes sure that what is known of other workers is about a second old at most, if the database answers. */
  async refresh(): Promise<void> {
    if (this.#reading === null && performance.now() - this.#triedAtMs >= READ_EVERY_MS)
      this.#reading = this.#read().finally(() => {
        this.#reading = null;
      });
    if (this.#reading === null) return;
    if (this.#view === null) return await this.#reading;
    const done = new AbortController();
    const late = abortableDelay(READ_PATIENCE_MS, done.signal).catch(() => {});
    await Promise.race([this.#reading, late]);
    done.abort();
  }

  limitOf(serviceId: string): ServiceLimit | undefined {
    return this.#view?.limits.get(serviceId);
  }

  /** Whether a call might begin now. */
  look(serviceId: string): Admission {
    return admit(this.#entryOf(serviceId).breaker, performance.now());
  }

  /** Begins a call, as the probe where it has to be one; `ended` must follow. */
  async begin(serviceId: string): Promise<Begun | Extract<Admission, { kind: 'wait' }>> {
    const entry = this.#entryOf(serviceId);
    const admission = admit(entry.breaker, performance.now());
    if (admission.kind === 'wait') return admission;
    if (admission.kind === 'probe') return await this.#beginProbe(serviceId, entry);
    return { kind: 'begun', epoch: entry.breaker.epoch, probeId: null };
  }

  /** Counts a call that has ended, and tells the others what changed by it. */
  ended(serviceId: string, { epoch, probeId }: Begun, outcome: Outcome, code: string): void {
    const entry = this.#entryOf(serviceId);
    const nowMs = performance.now();
    const before = entry.breaker;
    const after = afterCall(before, { outcome, epoch, nowMs, random: Math.random() });
    entry.breaker = after;
    const { db } = this.#options;
    const left = (untilMs: number) => Math.max(0, untilMs - performance.now());
    if (after.pausedUntilMs - before.pausedUntilMs > SAME_PAUSE_MS)
      this.#write(entry, () => pauseService(db, serviceId, { forMs: left(after.pausedUntilMs), code }));
    const { state } = after;
    const hasMoved = after.epoch !== before.epoch;
    if (probeId !== null && entry.isShared) {
      this.#write(entry, async () => {
        if (hasMoved && state.status === 'closed') {
          await endProbe(db, serviceId, probeId, { kind: 'closed' });
          entry.isShared = false;
        } else if (hasMoved && state.status === 'open' && outcome.kind === 'failed')
          await endProbe(db, serviceId, probeId, { kind: 'opened', forMs: left(state.untilMs), code });
        else await endProbe(db, serviceId, probeId, { kind: 'given_up' });
      });
    } else if (hasMoved && state.status === 'open') {
      this.#write(entry, async () => {
        // It may have been tried, and closed, before the database answered.
        if (entry.breaker.epoch !== after.epoch) return;
        const shared = await openService(db, serviceId, { forMs: left(state.untilMs), code });
        entry.isShared = shared.openings > 0;
        if (entry.breaker.epoch === after.epoch)
          entry.breaker = adopt(entry.breaker, shared, performance.now());
      });
    }
  }

  /** Resolves when everything is written. */
  async settled(): Promise<void> {
    await this.#reading;
    await Promise.all([...this.#entries.values()].map(({ writing }) => writing));
  }

  #entryOf(serviceId: string): Entry {
    let entry = this.#entries.get(serviceId);
    if (entry === undefined) {
      const shared = this.#view?.states.get(serviceId) ?? null;
      const breaker = adopt(NEW_BREAKER, shared, this.#viewAtMs);
      entry = { breaker, isShared: isOpen(shared), writtenAtMs: Number.NEGATIVE_INFINITY, writing: null };
      this.#entries.set(serviceId, entry);
    }
    return entry;
  }

  // H3. The breaker is probing before the database is asked, so that no other call of this worker asks too.
  async #beginProbe(serviceId: string, entry: Entry) {
    const probing = startProbe(entry.breaker);
    entry.breaker = probing;
    const probeId = newId();
    const begun: Begun = { kind: 'begun', epoch: probing.epoch, probeId };
    // H4: nobody else knows that it is open.
    if (!entry.isShared) return begun;
    const { db, workerId } = this.#options;
    let answer: Awaited<ReturnType<typeof probeService>>;
    try {
      answer = await probeService(db, serviceId, { id: probeId, workerId: workerId() });
      this.#options.onAnswer();
    } catch (error) {
      this.#options.onFailure(error);
      return begun;
    }
    if (answer?.granted) return begun;
    const breaker = adopt(entry.breaker, answer, performance.now());
    entry.breaker = breaker;
    entry.isShared = isOpen(answer);
    const admission = admit(breaker, performance.now());
    if (admission.kind === 'wait') return admission;
    if (admission.kind === 'pass') return { kind: 'begun', epoch: breaker.epoch, probeId: null } as const;
    return { kind: 'wait', waitMs: SAME_PAUSE_MS, because: 'probing' } as const;
  }

  async #read(): Promise<void> {
    const startedAtMs = performance.now();
    this.#triedAtMs = startedAtMs;
    try {
      this.#view = await readServices(this.#options.db);
    } catch (error) {
      this.#options.onFailure(error);
      return;
    }
    this.#options.onAnswer();
    this.#viewAtMs = performance.now();
    for (const [serviceId, entry] of this.#entries) {
      const shared = this.#view.states.get(serviceId) ?? null;
      // What this worker wrote meanwhile is newer than what it read; what it has yet to write holds here (H4).
      if (entry.writing !== null || entry.writtenAtMs > startedAtMs) continue;
      entry.breaker = adopt(entry.breaker, shared, this.#viewAtMs);
      entry.isShared = isOpen(shared);
      if (isForgettable(entry.breaker, this.#viewAtMs)) this.#entries.delete(serviceId);
    }
  }

  #write(entry: Entry, write: () => Promise<void>): void {
    if (this.#options.closing.aborted) return;
    const writing = (entry.writing ?? Promise.resolve())
      .then(() => this.#untilWritten(write))
      .finally(() => {
        entry.writtenAtMs = performance.now();
        if (entry.writing === writing) entry.writing = null;
      });
    entry.writing = writing;
  }

  async #untilWritten(write: () => Promise<void>): Promise<void> {
    const { closing, onAnswer, onFailure } = this.#options;
    for (let failures = 1; ; failures++) {
      try {
        await write();
        onAnswer();
        return;
      } catch (error) {
        onFailure(error);
        if (closing.aborted || !(isConnectionLoss(error) || isRetryable(error))) return;
        await abortableDelay(backoffMs(failures), closing).catch(() => {});
      }
    }
  }
}

function isOpen(shared: SharedState | null): boolean {
  return shared !== null && shared.openings > 0;
}
