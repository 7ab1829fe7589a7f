// Opens executions (functions/protocol/open.sql), many in one call. What is the same for all of a revision is sent once.
import type { Queryable } from '../connection/connection.ts';
import { LOCKED, type Locked } from '../connection/locked.ts';
import { listText, objectText, quoted } from './json-text.ts';
import type { ExecutionRow } from './reads.ts';
import type { OPENING_KEYS, OPENING_PLAN_KEYS } from './settle-keys.ts';

/** How the executions of a revision are opened: one object for all of them. */
export interface OpeningPlan {
  readonly deadlineSeconds: number | null;
  /** The plan's row list. */
  readonly rowsJson: string;
  readonly rowCount: number;
  /** Some rows are ready and not claimed: they get jobs. */
  readonly hasReady: boolean;
}

/** A pending execution to open. */
export interface Opening {
  readonly executionId: string;
  readonly plan: OpeningPlan;
  /** The caller has not read the execution. */
  readonly isUnread: boolean;
}

/** An execution that was opened. */
export interface Opened {
  /** When it started, in milliseconds since the epoch. */
  readonly atMs: number;
  /** What it is, where the caller had not read it. */
  readonly row: ExecutionRow | null;
}

/** Opens executions: those that this call opened, and what it found locked. */
export async function openBatch(
  db: Queryable,
  worker: { readonly id: string; readonly slots: number },
  openings: readonly Opening[],
): Promise<Map<string, Opened | Locked>> {
  const plans = new Plans();
  const x = openings.map(({ executionId, plan, isUnread }) =>
    objectText<typeof OPENING_KEYS>({
      e: quoted(executionId),
      k: plans.placeOf(plan),
      row: isUnread ? true : undefined,
    }),
  );
  const { rows } = await db.query<OpenedRow>({
    name: 'open_v3',
    text: `select e, at, tenant_id as "tenantId", workflow_id as "workflowId", revision, version_id as "versionId",
      trigger_type as "triggerType", trigger, input, created_at as "createdAt", started_at as "startedAt"
      from dagwright.open_v3($1, $2, $3, $4)`,
    values: [worker.id, worker.slots, listText(x), plans.json()],
  });
  const sent = new Map(openings.map((opening) => [opening.executionId, opening]));
  return new Map(
    rows.map((row) => [row.e, row.at === null ? LOCKED : openedOf(row, row.at, sent.get(row.e)!)]),
  );
}

type OpenedRow = Omit<ExecutionRow, 'id' | 'status' | 'openTasks' | 'failedTasks'> & {
  readonly e: string;
  readonly at: number | null;
};

function openedOf({ e, at: _, ...row }: OpenedRow, atMs: number, { isUnread, plan }: Opening): Opened {
  const counts = { status: 'running', openTasks: plan.rowCount, failedTasks: 0 } as const;
  return { atMs, row: isUnread ? { id: e, ...row, ...counts } : null };
}

/** The plans of the executions that one call opens, each once. */
export class Plans {
  readonly #places = new Map<OpeningPlan, number>();

  placeOf(plan: OpeningPlan): number {
    const place = this.#places.get(plan) ?? this.#places.size;
    this.#places.set(plan, place);
    return place;
  }

  /** As open_v3 and start_and_open_v3 read them. */
  json(): string {
    return listText(
      [...this.#places.keys()].map((plan) =>
        objectText<typeof OPENING_PLAN_KEYS>({
          deadline: plan.deadlineSeconds ?? 'null',
          n: plan.rowCount,
          ready: plan.hasReady,
          rows: plan.rowsJson,
        }),
      ),
    );
  }
}
