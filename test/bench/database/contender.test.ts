// This engine as a contender: what it is measured with runs, and a step that is missing or runs twice is found.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { measure } from '../../../bench/contender.ts';
import { openDagwright } from '../../../bench/contenders/dagwright.ts';
import { findPostmaster, treeCpuMs } from '../../../bench/processor.ts';
import { withClient } from '../../../bench/server.ts';
import { workloadNamed } from '../../../bench/workloads.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database?.drop());

describe('this engine as a contender', () => {
  it.each([
    ['mixed10_c64', 10],
    ['fanpure', 1_001],
  ])('runs %s, each node once', async (name, steps) => {
    const session = await openDagwright(database.url, { workload: workloadNamed(name), isQuick: true });
    const serverPid = await withClient(database.url, findPostmaster);
    const measured = await measure(session, 1, serverPid);
    await session.close();
    expect(measured.steps).toBe(measured.runs * steps);
    expect(measured.runs).toBeGreaterThanOrEqual(session.concurrency);
    if (process.platform === 'linux') expect(measured.serverCpuMs).toBeGreaterThan(0);
  });

  it('is refused where a task ran a second time', async () => {
    const session = await openDagwright(database.url, {
      workload: workloadNamed('single_c64'),
      isQuick: true,
    });
    await session.run();
    await withClient(database.url, (client) =>
      client.query(
        `update dagwright.task_executions t set attempt_number = 2 from dagwright.workflow_executions e
         where e.id = t.workflow_execution_id and e.workflow_id = 'bench-single_c64'`,
      ),
    );
    await expect(session.close()).rejects.toThrow(
      'completed, each task at its first attempt: {"executions":1,"tasks":0}, expected {"executions":1,"tasks":1}',
    );
  });
});

describe('the server of a database', () => {
  it.runIf(process.platform === 'linux')('is found, with the time of its processes', async () => {
    const pid = await withClient(database.url, findPostmaster);
    expect(treeCpuMs(pid)).toBeGreaterThan(0);
  });
});
