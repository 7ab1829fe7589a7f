// Transactions of more than one statement.
import type pg from 'pg';

export interface HowToBegin {
  /** Statements without parameters, separated by semicolons, that hold for the transaction: they go with its `begin`. */
  readonly settings?: string;
  /**
   * The first statement of `work` does not wait for the answer to the `begin`. Only where the pool pipelines, and where a statement
   * outside of a transaction, without these settings, can do and see nothing.
   */
  readonly isPipelined?: boolean;
}

/** Runs `work` in one transaction: committed where it resolves, rolled back where it throws. */
export async function inTransaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
  { settings, isPipelined = false }: HowToBegin = {},
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    const begun = client.query(settings === undefined ? 'begin' : `begin; ${settings}`);
    const value = isPipelined
      ? await workBehind(begun, () => work(client))
      : await begun.then(() => work(client));
    await client.query('commit');
    return value;
  } catch (error) {
    // A connection that cannot even roll back is of no more use; ending it rolls back as well.
    await client.query('rollback').catch((failure: Error) => {
      broken = failure;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}

// Where the `begin` failed, that is the failure: what follows it met the consequence.
async function workBehind<T>(begun: Promise<unknown>, work: () => Promise<T>): Promise<T> {
  const [began, worked] = await Promise.allSettled([begun, work()]);
  if (began.status === 'rejected') throw began.reason;
  if (worked.status === 'rejected') throw worked.reason;
  return worked.value;
}

/** Runs `work` within the caller's transaction; where it throws, what it did is undone and the transaction goes on. */
export async function savepoint<T>(client: pg.ClientBase, work: () => Promise<T>): Promise<T> {
  await client.query('savepoint step');
  try {
    const value = await work();
    await client.query('release savepoint step');
    return value;
  } catch (error) {
    // Where even this fails the connection is lost, which the next statement will tell.
    await client.query('rollback to savepoint step; release savepoint step').catch(() => {});
    throw error;
  }
}
