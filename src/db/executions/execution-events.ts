// What readers follow executions by: where many of them stand, in one statement, and the tasks that ended in one of them,
// in the order of their commits (completed_seq, see functions/settle/settle.sql S5).
import type { ExecutionStatus } from '../../core/status.ts';
import { within } from '../connection/bounded-client.ts';
import { boundedPage, withinBytes } from '../connection/byte-bounded.ts';
import type { Acting, Database, Queryable } from '../connection/connection.ts';
import { TASK_COLUMNS, TASK_JSON, type TaskView } from './execution-views.ts';

/** Where an execution stands. */
export interface ExecutionState {
  readonly id: string;
  readonly status: ExecutionStatus;
  /** Ends of tasks are numbered below it. */
  readonly nextSeq: number;
}

const STATES_LIMIT_MS = 5_000;

/** The states of those of these executions that exist; of any tenant, so that callers ask for ids they may see. */
export async function loadExecutionStates(db: Queryable, ids: readonly string[]): Promise<ExecutionState[]> {
  const { rows } = await db.query<ExecutionState>({
    ...within(STATES_LIMIT_MS),
    name: 'load_execution_states',
    text: `select o.id, o.status, o.next_seq as "nextSeq" from unnest($1::uuid[]) as wanted(id)
      cross join lateral (select id, status, next_seq from dagwright.workflow_executions where id = wanted.id offset 0) o`,
    values: [ids],
  });
  return rows;
}

/** A task that ended, with the number of its end. */
export interface TaskEnd {
  readonly seq: number;
  readonly task: TaskView;
}

/** Of the outputs and errors that one page of ends holds, beyond its first. */
const MAX_PAGE_BYTES = 1_000_000;

/** Tasks that ended after `afterSeq`, oldest first, a page of them. Empty: none yet. */
export async function findTaskEnds(
  database: Database,
  acting: Acting,
  id: string,
  page: { readonly afterSeq: number; readonly limit: number },
): Promise<TaskEnd[]> {
  return await database.withTenant(acting, async (client) => {
    const { rows } = await client.query(
      withinBytes(
        `select ${TASK_COLUMNS}, t.completed_seq as seq from dagwright.task_executions t
         where t.tenant_id = $1 and t.workflow_execution_id = $2 and t.completed_seq > $3
         order by t.completed_seq, t.task_id, t.map_index limit $4`,
        { maxBytes: MAX_PAGE_BYTES, json: TASK_JSON },
      ),
      [acting.tenantId, id, page.afterSeq, page.limit],
    );
    return boundedPage<TaskView & { seq: number }>(rows).rows.map(({ seq, ...task }) => ({ seq, task }));
  });
}
