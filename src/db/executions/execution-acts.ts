// What people do to an execution that is under way. Each statement is judged by its function under the execution's lock, in
// the caller's transaction, which is of the tenant's role. The status afterwards, or null where the tenant has none with that id.
import type pg from 'pg';
import type { ExecutionStatus } from '../../core/status.ts';

type Status = ExecutionStatus | null;

/** What runs may end, nothing else begins. */
export async function pauseExecution(client: pg.ClientBase, id: string): Promise<Status> {
  const { rows } = await client.query<{ status: Status }>('select dagwright.pause_execution($1) as status', [
    id,
  ]);
  return rows[0]!.status;
}

/** Lets a paused execution go on. */
export async function resumeExecution(client: pg.ClientBase, id: string): Promise<Status> {
  const { rows } = await client.query<{ status: Status }>('select dagwright.resume_execution($1) as status', [
    id,
  ]);
  return rows[0]!.status;
}

/** Nothing of it starts again. */
export async function cancelExecution(
  client: pg.ClientBase,
  id: string,
  reason: string | null,
): Promise<Status> {
  const { rows } = await client.query<{ status: Status }>(
    'select dagwright.cancel_execution($1, $2) as status',
    [id, reason],
  );
  return rows[0]!.status;
}
