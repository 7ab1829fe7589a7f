// Starts of executions, recorded as start_executions_v1 judges them, and opened in the same commit where a worker of this
// process takes them at once.
import { newId } from '../../core/id.ts';
import type { Json } from '../../core/json.ts';
import type { TriggerType } from '../../core/trigger/trigger-type.ts';
import { within } from '../connection/bounded-client.ts';
import { actingValues, type Operator, type Queryable } from '../connection/connection.ts';
import { type OpeningPlan, Plans } from '../protocol/openings.ts';
import type { ExecutionRow } from '../protocol/reads.ts';

export interface StartRequest {
  /** Of the execution, where the caller may have to send it twice: the same id starts once. Made here where absent. */
  readonly id?: string;
  readonly workflowId: string;
  readonly input?: Json;
  readonly idempotencyKey?: string;
  /** 1 to 10, higher first; 5 where absent. */
  readonly priority?: number;
  readonly revision?: number;
  /** Id of the version of `revision`: only if it is the one that a start takes now; else it is refused as `stale`. */
  readonly latest?: string;
  readonly triggerType: TriggerType;
  readonly trigger?: Json;
  readonly metadata?: Json;
  readonly createdBy?: string;
  /** Who starts it by hand, for the audit trail; absent: nobody does. */
  readonly byHand?: Operator;
  /** Of the idempotency key: keys of different scopes do not meet. Default `start:<workflowId>`. */
  readonly scope?: string;
  /** SHA-256 in hex of what was asked; the same key with another is refused. */
  readonly requestHash?: string;
  /** ISO instant; the execution is opened only then. */
  readonly runAt?: string;
}

/**
 * Why a start is refused: `key_reused` is the same idempotency key with another request, `stale` a revision that a start no longer
 * takes (StartRequest.latest); `too_many_starts` and `too_many_waiting` are the operator's limits of the tenant.
 */
export type StartProblem =
  | 'not_found'
  | 'not_active'
  | 'tenant_suspended'
  | 'tier_too_low'
  | 'key_reused'
  | 'stale'
  | 'too_many_starts'
  | 'too_many_waiting';

export type Started =
  | { readonly ok: true; readonly id: string; readonly existing: boolean }
  | { readonly ok: false; readonly problem: StartProblem };

/** A worker of this process that runs at once what it has a free slot for. */
export interface Opener {
  /** Under whose id it claims. */
  readonly worker: { readonly id: string; readonly slots: number };
  /**
   * A free slot for an execution of this revision, of `maxTasks` at most; null: there is none, or the worker does not know the
   * revision yet.
   */
  offer(versionId: string, maxTasks: number): Offer | null;
}

/** A slot that is kept until one of its three functions is called. */
export interface Offer {
  readonly plan: OpeningPlan;
  /** It was opened, at this moment of the database's clock (milliseconds since the epoch), and runs. */
  accept(execution: ExecutionRow, startedAtMs: number): void;
  /** It was not. */
  withdraw(): void;
  /** Nobody knows: the answer was lost. */
  lose(executionId: string): void;
}

/** A start of this very revision, which a worker opens if it is recorded. */
export interface OfferedStart {
  readonly request: StartRequest & { readonly id: string; readonly revision: number };
  readonly versionId: string;
  readonly offer: Offer | null;
}

/**
 * As {@link startExecutions}, in a commit of its own: those with an offer are opened in it. Every offer is accepted,
 * withdrawn or lost before it returns or throws.
 */
export async function startAndOpen(
  db: Queryable,
  tenantId: string,
  worker: Opener['worker'],
  starts: readonly OfferedStart[],
  limitMs?: number,
): Promise<Started[]> {
  const offered = new Map(
    starts.flatMap((start) =>
      start.offer === null ? [] : [[start.request.id, { ...start, offer: start.offer }]],
    ),
  );
  let rows: (StartRow & OpenedRow)[];
  try {
    const plans = new Plans();
    const requests = starts.map(({ request, offer }) =>
      offer === null ? request : openedBy(request, offer.plan, plans),
    );
    ({ rows } = await db.query({
      ...(limitMs === undefined ? {} : within(limitMs)),
      ...audited(requests, {
        name: 'start_and_open_v3',
        columns: `i, id, existing, problem, opened_at as "openedAtMs", created_at as "createdAt", started_at as "startedAt", input, trigger`,
        call: `${PATIENCE} cross join lateral dagwright.start_and_open_v3($1, case when patience is not null then $2::jsonb end, $3, $4, $5)`,
        values: [tenantId, startsJson(requests), worker.id, worker.slots, plans.json()],
      }),
    }));
  } catch (error) {
    for (const [executionId, { offer }] of offered) offer.lose(executionId);
    throw error;
  }
  for (const { id, openedAtMs, createdAt, startedAt, input, trigger } of rows) {
    if (openedAtMs === null) continue;
    const { request, versionId, offer } = offered.get(id)!;
    offered.delete(id);
    const { workflowId, revision, triggerType } = request;
    const { rowCount: openTasks } = offer.plan;
    offer.accept(
      {
        ...{
          id,
          tenantId,
          workflowId,
          revision,
          versionId,
          triggerType,
          trigger,
          input,
          createdAt,
          startedAt,
        },
        ...{ status: 'running', openTasks, failedTasks: 0 },
      },
      openedAtMs,
    );
  }
  // Sent again after a lost answer, a start may find that it had been opened: `lose` has been called then.
  for (const { offer } of offered.values()) offer.withdraw();
  return startedOf(rows, starts.length);
}

/** A start that start_and_open_v3 opens. */
interface OpenedStart extends StartRequest {
  readonly plan: number;
  readonly tasks: number;
  readonly deadline: number | null;
}

function openedBy(request: StartRequest, plan: OpeningPlan, plans: Plans): OpenedStart {
  return { ...request, plan: plans.placeOf(plan), tasks: plan.rowCount, deadline: plan.deadlineSeconds };
}

interface OpenedRow extends Pick<ExecutionRow, 'createdAt' | 'startedAt' | 'input' | 'trigger'> {
  readonly openedAtMs: number | null;
}

/**
 * In a commit of its own, a start waits for no longer than this, in milliseconds, for an idempotency key that another transaction has
 * used and not committed: others share its commit. Who is given up is sent again (SQLSTATE 55P03).
 */
const KEY_PATIENCE_MS = 500;
/** What follows must depend on `patience`, else it may come first. */
const PATIENCE = `(select set_config('lock_timeout', '${KEY_PATIENCE_MS}', true) as patience) p`;

/** As {@link startExecutions}, in a commit of its own. */
export async function startInOwnCommit(
  db: Queryable,
  tenantId: string,
  requests: readonly StartRequest[],
  limitMs: number,
): Promise<Started[]> {
  const { rows } = await db.query<StartRow>({
    ...within(limitMs),
    ...audited(requests, {
      name: 'start_executions_v1',
      columns: 'i, id, existing, problem',
      call: `${PATIENCE} cross join lateral dagwright.start_executions_v1($1, case when patience is not null then $2::jsonb end)`,
      values: [tenantId, startsJson(requests)],
    }),
  });
  return startedOf(rows, requests.length);
}

/**
 * Records starts of one tenant in the caller's transaction, which is of the engine's role. Given up by the client after
 * `limitMs`.
 */
export async function startExecutions(
  db: Queryable,
  tenantId: string,
  requests: readonly StartRequest[],
  limitMs?: number,
): Promise<Started[]> {
  const { rows } = await db.query<StartRow>({
    ...(limitMs === undefined ? {} : within(limitMs)),
    ...audited(requests, {
      name: 'start_executions_v1 within',
      columns: 'i, id, existing, problem',
      call: 'dagwright.start_executions_v1($1, $2)',
      values: [tenantId, startsJson(requests)],
    }),
  });
  return startedOf(rows, requests.length);
}

// What nobody starts by hand is the same statement as ever; else the rows of the audit trail are written in the same commit.
function audited(
  requests: readonly StartRequest[],
  call: {
    readonly name: string;
    readonly columns: string;
    /** For the `from`. */
    readonly call: string;
    readonly values: unknown[];
  },
): { name: string; text: string; values: unknown[] } {
  const { name, columns, values } = call;
  if (requests.every(({ byHand }) => byHand === undefined))
    return { name, text: `select ${columns} from ${call.call}`, values };
  const by = requests.map(({ byHand }) => (byHand === undefined ? null : actingValues(byHand)));
  const who = `$${values.length + 1}::jsonb -> i`;
  const isNew = `problem is null and not existing and ${who} <> 'null'`;
  return {
    name: `${name} by hand`,
    text: `select ${columns}, case when ${isNew} then dagwright.audit_start_v1($1, id, ${who} ->> 0, ${who} ->> 1, ${who} ->> 2) end
      from ${call.call}`,
    values: [...values, JSON.stringify(by)],
  };
}

interface StartRow {
  readonly i: number | null;
  readonly id: string;
  readonly existing: boolean;
  readonly problem: string | null;
}

function startsJson(requests: readonly (StartRequest | OpenedStart)[]): string {
  return JSON.stringify(
    requests.map((request, i) => ({
      ...request,
      i,
      id: request.id ?? newId(),
      idempotencyKey: undefined,
      byHand: undefined,
      key: request.idempotencyKey,
      input: request.input ?? {},
    })),
  );
}

function startedOf(rows: readonly StartRow[], count: number): Started[] {
  const results = new Array<Started>(count);
  for (const { i, id, existing, problem } of rows) {
    if (i === null) continue;
    results[i] =
      problem === null ? { ok: true, id, existing } : { ok: false, problem: problem as StartProblem };
  }
  return results;
}
