// Starts of executions, recorded as start_executions_v1 judges them (functions/executions).
import { newId } from '../../core/id.ts';
import type { Json } from '../../core/json.ts';
import type { TriggerType } from '../../core/trigger/trigger-type.ts';
import { within } from '../connection/bounded-client.ts';
import type { Queryable } from '../connection/connection.ts';

export interface StartRequest {
  /** Of the execution, where the caller may have to send it twice: the same id starts once. Made here where absent. */
  readonly id?: string;
  readonly workflowId: string;
  readonly input?: Json;
  readonly idempotencyKey?: string;
  /** 1 to 10, higher first; 5 where absent. */
  readonly priority?: number;
  readonly revision?: number;
  readonly triggerType: TriggerType;
  readonly trigger?: Json;
  readonly metadata?: Json;
  readonly createdBy?: string;
  /** Of the idempotency key: keys of different scopes do not meet. Default `start:<workflowId>`. */
  readonly scope?: string;
  /** SHA-256 in hex of what was asked; the same key with another is refused. */
  readonly requestHash?: string;
  /** ISO instant; the execution is opened only then. */
  readonly runAt?: string;
}

/** Why a start is refused: `key_reused` is the same idempotency key with another request. */
export type StartProblem = 'not_found' | 'not_active' | 'tenant_suspended' | 'tier_too_low' | 'key_reused';

export type Started =
  | { readonly ok: true; readonly id: string; readonly existing: boolean }
  | { readonly ok: false; readonly problem: StartProblem };

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
  const items = requests.map((r, i) => ({
    ...r,
    i,
    id: r.id ?? newId(),
    idempotencyKey: undefined,
    key: r.idempotencyKey,
    input: r.input ?? {},
  }));
  const { rows } = await db.query<{
    i: number;
    id: string;
    existing: boolean;
    problem: string | null;
  }>({
    ...(limitMs === undefined ? {} : within(limitMs)),
    name: 'start_executions_v1',
    text: 'select i, id, existing, problem from dagwright.start_executions_v1($1, $2)',
    values: [tenantId, JSON.stringify(items)],
  });
  const results = new Array<Started>(requests.length);
  for (const { i, id, existing, problem } of rows) {
    results[i] =
      problem === null ? { ok: true, id, existing } : { ok: false, problem: problem as StartProblem };
  }
  return results;
}
