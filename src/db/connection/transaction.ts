// Transactions of more than one statement.
import type pg from 'pg';

/** Runs `work` in one transaction: committed where it resolves, rolled back where it throws. */
export async function inTransaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('begin');
    const value = await work(client);
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
