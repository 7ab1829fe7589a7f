// The one place where anything but SQL starts an execution.
//   T1  The input is checked against the schema of the very revision that the execution then takes. Which one that is may be
//       remembered; the database refuses what was meanwhile replaced, and it is looked up.
//   T2  A request starts once, however often it is sent to the database, and a repeated idempotency key gets its first
//       answer, also where the same request would be refused by now.
//   T3  Requests of one tenant that are due at the same moment share a commit; none waits longer than the deadline. One whose key
//       another transaction has used and not committed is sent again alone (db/connection/batcher.ts), and the others go on.

import { actsByHand } from '../../core/caller/actor.ts';
import type { Problem } from '../../core/errors.ts';
import { newId } from '../../core/id.ts';
import type { Json } from '../../core/json.ts';
import type { TaskLog } from '../../core/log-lines.ts';
import { Batcher, PartlyAnswered } from '../../db/connection/batcher.ts';
import {
  type Acting,
  type Database,
  isConnectionLoss,
  isRetryable,
  type Queryable,
} from '../../db/connection/connection.ts';
import {
  type OfferedStart,
  type Opener,
  type Started,
  type StartRequest,
  startAndOpen,
  startExecutions,
  startInOwnCommit,
} from '../../db/executions/execution-starts.ts';
import { findKeyedStart } from '../../db/triggers/startable.ts';
import { InputRules, type VersionOf } from './input-rules.ts';
import { LastRevisions } from './last-revisions.ts';
import { refuseStart, refuseValues, type StartResult } from './start-check.ts';

export type { StartRefusal, StartResult } from './start-check.ts';

/** What a caller asks for; who asks is told by `acting`. */
export type StartOf = Omit<StartRequest, 'id' | 'createdBy' | 'byHand'>;

export interface StartsOptions {
  readonly database: Database;
  readonly log: TaskLog;
  /** How long a start may wait for the database, in milliseconds; 5000 where absent. */
  readonly deadlineMs?: number;
  /** The worker of this process, where it has one. */
  readonly opener?: () => Opener | null;
}

/** A start that the database has not answered in time: it may or may not have happened. A connection loss by its code. */
export class StartUnanswered extends Error {
  readonly code = '08006';
  constructor(ms: number, cause?: unknown) {
    super(`the database did not answer a start within ${ms} ms`, { cause });
    this.name = 'StartUnanswered';
  }
}

interface Batched {
  readonly request: StartRequest;
  readonly giveUpAtMs: number;
}

interface HowToStart {
  readonly limitMs: number;
  /** In a commit of its own; absent: in the caller's transaction. */
  readonly own?: { readonly opener: Opener | null };
}

/** A start whose input fits the revision. */
interface FittingStart {
  /** Its place among the requests. */
  readonly i: number;
  readonly request: StartRequest & { readonly revision: number };
  readonly versionId: string;
}

const LATE = Symbol('late');
/** All that share a commit wait for what is opened in it: so many task rows at most. */
const MAX_OPENED_TASKS = 1_000;
/** Of a caller's own transaction, whose statements have the connection's limits besides. */
const WITHIN_MS = 20_000;

export class Starts {
  readonly #engine: Queryable;
  readonly #log: TaskLog;
  readonly #deadlineMs: number;
  readonly #opener: () => Opener | null;
  readonly #rules: InputRules;
  readonly #revisions = new LastRevisions();
  readonly #batchers = new Map<
    string,
    { readonly batcher: Batcher<Batched, StartResult | typeof LATE>; calls: number }
  >();

  constructor({ database, log, deadlineMs = 5_000, opener = () => null }: StartsOptions) {
    this.#engine = database.engine;
    this.#log = log;
    this.#rules = new InputRules(log);
    this.#deadlineMs = deadlineMs;
    this.#opener = opener;
  }

  /** Starts one execution in a commit of its own or shared. Throws {@link StartUnanswered} where the database is away. */
  async start(acting: Acting, request: StartOf): Promise<StartResult> {
    const { tenantId } = acting;
    const batch = this.#batchers.get(tenantId) ?? { batcher: this.#createBatcher(tenantId), calls: 0 };
    this.#batchers.set(tenantId, batch);
    batch.calls++;
    const late = Promise.withResolvers<typeof LATE>();
    const timer = setTimeout(() => late.resolve(LATE), this.#deadlineMs);
    const answer = batch.batcher.call({
      request: {
        ...request,
        ...{ id: newId(), createdBy: acting.actor },
        ...(actsByHand(acting.actor) ? { byHand: acting } : {}),
      },
      giveUpAtMs: performance.now() + this.#deadlineMs,
    });
    const release = () => {
      if (--batch.calls === 0) this.#batchers.delete(tenantId);
    };
    answer.then(release, release);
    try {
      const result = await Promise.race([answer, late.promise]);
      if (result === LATE) throw new StartUnanswered(this.#deadlineMs);
      return result;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Checks and starts in the caller's transaction, which is of the engine's role; nothing is sent twice. */
  async startWith(
    db: Queryable,
    tenantId: string,
    requests: readonly StartRequest[],
    limitMs = WITHIN_MS,
  ): Promise<StartResult[]> {
    return await this.#checkAndStart(db, tenantId, requests, { limitMs });
  }

  // In a commit of its own: what its opener has slots for is opened in it.
  async #checkAndStart(
    db: Queryable,
    tenantId: string,
    requests: readonly StartRequest[],
    how: HowToStart,
  ): Promise<StartResult[]> {
    const { limitMs } = how;
    const results = new Array<StartResult>(requests.length);
    const fitting: FittingStart[] = [];
    const { versions, guessed } = await this.#revisions.find(db, tenantId, requests, limitMs);
    const stale: number[] = [];
    for (const [i, request] of requests.entries()) {
      const version = versions[i] ?? null;
      const refused =
        refuseValues(request) ??
        (version === null
          ? refuseStart('not_found', request)
          : await this.#refuseInput(db, { tenantId, versionId: version.id }, request, limitMs));
      // What was replaced must refuse nothing.
      if (refused !== null && guessed.has(i)) stale.push(i);
      else if (refused !== null)
        results[i] = (await this.#firstAnswer(db, tenantId, request, limitMs)) ?? refused;
      else {
        const latest = guessed.has(i) ? version!.id : undefined;
        fitting.push({
          i,
          request: { ...request, revision: version!.revision, latest },
          versionId: version!.id,
        });
      }
    }
    const started = await this.#record(db, tenantId, fitting, how);
    for (const [k, { i }] of fitting.entries()) {
      const one = started[k]!;
      if (one.ok) results[i] = one;
      else if (one.problem === 'stale') stale.push(i);
      else results[i] = refuseStart(one.problem, requests[i]!);
    }
    if (stale.length > 0) {
      for (const i of stale) this.#revisions.forget(tenantId, requests[i]!);
      const again = stale.map((i) => requests[i]!);
      const answers = await this.#checkAndStart(db, tenantId, again, how);
      for (const [k, i] of stale.entries()) results[i] = answers[k]!;
    }
    return results;
  }

  async #record(
    db: Queryable,
    tenantId: string,
    fitting: readonly FittingStart[],
    { limitMs, own }: HowToStart,
  ): Promise<readonly Started[]> {
    if (fitting.length === 0) return [];
    const opener = own?.opener ?? null;
    let roomFor = MAX_OPENED_TASKS;
    const starts = fitting.map(({ request, versionId }): OfferedStart => {
      const offer = request.runAt === undefined ? (opener?.offer(versionId, roomFor) ?? null) : null;
      roomFor -= offer?.plan.rowCount ?? 0;
      return { request: { ...request, id: request.id ?? newId() }, versionId, offer };
    });
    const start = own === undefined ? startExecutions : startInOwnCommit;
    return opener !== null && starts.some(({ offer }) => offer !== null)
      ? await startAndOpen(db, tenantId, opener.worker, starts, limitMs)
      : await start(
          db,
          tenantId,
          starts.map(({ request }) => request),
          limitMs,
        );
  }

  /** Problems of an input under this version's schema, at `/input/…`: for starts that are made elsewhere (schedules). */
  async checkInput(version: VersionOf, input: Json): Promise<readonly Problem[]> {
    const problems = await this.#rules.problemsOf(this.#engine, version, input, WITHIN_MS);
    if (problems === null) throw new Error(`revision ${version.versionId} is gone`);
    return problems;
  }

  async #refuseInput(
    db: Queryable,
    version: VersionOf,
    request: StartRequest,
    limitMs: number,
  ): Promise<StartResult | null> {
    const problems = await this.#rules.problemsOf(db, version, request.input ?? {}, limitMs);
    if (problems === null) return refuseStart('not_found', request);
    return problems.length === 0 ? null : { ok: false, code: 'validation', problems };
  }

  // T2. What the key started stands, whatever became of the workflow since.
  async #firstAnswer(
    db: Queryable,
    tenantId: string,
    request: StartRequest,
    limitMs: number,
  ): Promise<StartResult | null> {
    const { idempotencyKey: key, scope = `start:${request.workflowId}`, requestHash } = request;
    if (key === undefined) return null;
    const first = await findKeyedStart(db, tenantId, { scope, key, requestHash }, limitMs);
    if (first === null) return null;
    return first.isSame ? { ok: true, id: first.id, existing: true } : refuseStart('key_reused', request);
  }

  #createBatcher(tenantId: string): Batcher<Batched, StartResult | typeof LATE> {
    return new Batcher({
      keyOf: ({ request }) => request.id!,
      sizeOf: ({ request }) => sizeOf(request),
      send: (items) => this.#send(tenantId, items),
      onRetry: (error) => this.#log.debug('a start is sent again', { error: String(error) }),
    });
  }

  // T3. The batcher sends again until the database answers; who has waited too long leaves the batch.
  async #send(tenantId: string, items: readonly Batched[]): Promise<(StartResult | typeof LATE)[]> {
    const isLate = ({ giveUpAtMs }: Batched) => performance.now() >= giveUpAtMs;
    const due = items.filter((item) => !isLate(item));
    const answers = new Map<Batched, StartResult>();
    if (due.length > 0) {
      try {
        const requests = due.map(({ request }) => request);
        const started = await this.#checkAndStart(this.#engine, tenantId, requests, {
          limitMs: this.#deadlineMs,
          own: { opener: this.#opener() },
        });
        for (const [k, item] of due.entries()) answers.set(item, started[k]!);
      } catch (error) {
        if (!isConnectionLoss(error) && !isRetryable(error)) throw error;
        throw new PartlyAnswered(
          error,
          items.map((item) => (isLate(item) ? LATE : undefined)),
        );
      }
    }
    return items.map((item) => answers.get(item) ?? LATE);
  }
}

export function createStarts(options: StartsOptions): Starts {
  return new Starts(options);
}

// Near enough to keep batches small.
function sizeOf({ input, trigger }: StartRequest): number {
  return JSON.stringify([input ?? null, trigger ?? null]).length;
}
