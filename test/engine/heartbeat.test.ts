// The heartbeat has a thread and a connection of its own: nothing that a worker does makes it miss its beats.
import { expect, test } from 'vitest';
import { openDatabase } from '../../src/db/connection/connection.ts';
import { openEngine } from '../support/engine.ts';

/** Longer than the two beats after which a worker may be taken for dead. */
const STILL_MS = 8_500;

test('a worker keeps its lease while its main loop stands still and all its connections are in use', async () => {
  const engine = await openEngine({ reach: (url) => openDatabase(url, { max: 2 }), faults: false });
  const pool = engine.workersDatabase.engine;
  const taken = [await pool.connect(), await pool.connect()];
  try {
    // A beat after a gap of two begins a new row of beats.
    const lease = () =>
      engine.query(
        `select id, beating_since, heartbeat_at > clock_timestamp() - interval '7 seconds' as "isFresh" from dagwright.workers`,
      );
    const before = await lease();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STILL_MS);
    expect(await lease()).toEqual(before);
    expect(before).toEqual([{ id: engine.worker.id, beating_since: expect.any(String), isFresh: true }]);
  } finally {
    for (const client of taken) client.release();
    await engine.close();
  }
});
