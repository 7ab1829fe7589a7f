// What `dev` prints of executions that have ended: by this process's worker, by an act, by whatever else.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { endLine, printEnds } from '../../src/cli/output/ended-lines.ts';
import { createPainter } from '../../src/cli/output/terminal.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { type Engine, failing, graph, openEngine, until, waiting } from '../support/engine.ts';

const paint = createPainter(false);
let engine: Engine;
beforeAll(async () => {
  engine = await openEngine();
});
afterAll(() => engine.close());

test('each ended execution has one line: status, workflow, duration, cost and id', async () => {
  const lines: string[] = [];
  const { database, worker } = engine;
  const printing = printEnds({ db: database.engine, worker, print: (line) => void lines.push(line), paint });
  const [good, bad, long] = [
    graph('a'),
    graph('a', { tasks: { a: failing() } }),
    graph('a', { tasks: { a: waiting(3_600) } }),
  ];
  for (const one of [good, bad, long]) await engine.apply(one);
  const ids = await Promise.all([good, bad, long].map(({ workflowId }) => engine.start(workflowId)));
  await until(
    async () =>
      lines.length === 2 &&
      (await engine.query(`select from dagwright.task_executions where status = 'waiting'`)).length > 0,
  );
  await database.withTenant(DEFAULT_TENANT_ID, (client) =>
    client.query('select dagwright.cancel_execution($1)', [ids[2]]),
  );
  await until(async () => lines.length === 3);
  await printing.stop();
  const took = String.raw`[\d.]+ m?s`;
  expect(lines.slice(0, 2).sort()).toEqual([
    expect.stringMatching(new RegExp(`^✔ completed  ${good.workflowId}  ${took}  \\$0  ${ids[0]}$`)),
    expect.stringMatching(new RegExp(`^✘ failed \\(boom\\)  ${bad.workflowId}  ${took}  \\$0  ${ids[1]}$`)),
  ]);
  expect(lines[2]).toMatch(
    new RegExp(`^■ cancelled \\(cancelled\\)  ${long.workflowId}  ${took}  \\$0  ${ids[2]}$`),
  );
});

test('a line says so where the cost is not known, and of which tenant it is', () => {
  const end = {
    ...{ id: 'x', tenant: 'acme', workflowId: 'w', status: 'cancelled' as const },
    ...{ durationMs: null, costUsd: null, errorCode: null },
  };
  expect(endLine(end, paint)).toBe('■ cancelled  acme/w  never began  $?  x');
});
