// Statements about one execution that take its lock before anything else, and do not wait for it. The functions that they call lock
// it once more, which costs next to nothing: it is their own by then.
import type { Queryable } from '../connection/connection.ts';
import { LOCKED, type Locked } from '../connection/locked.ts';

/**
 * For the `from` of a statement: the id of the execution of $1, which it has locked; no row where somebody else has, or there
 * is none. What follows must take the id from here, else it may be computed first.
 */
export const LOCKED_FIRST =
  '(select id from dagwright.workflow_executions where id = $1 for no key update skip locked)';

/** After a statement that got no row from LOCKED_FIRST: why; null: there is no such execution. */
export async function lockedOrGone(db: Queryable, executionId: string): Promise<Locked | null> {
  const { rowCount } = await db.query({
    name: 'is_there',
    text: 'select from dagwright.workflow_executions where id = $1',
    values: [executionId],
  });
  return rowCount === 0 ? null : LOCKED;
}
