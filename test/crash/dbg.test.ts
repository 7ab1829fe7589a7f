import { test } from 'vitest';
import { apply, feed, mixedGraph, openScenario, drained, statuses } from './support/scenario.ts';
test('dbg', async () => {
  const s = await openScenario();
  await apply(s, mixedGraph('mixed', 250));
  await s.supervisor.startReady(2);
  const load = feed(s, 'mixed', 12);
  await new Promise((r) => setTimeout(r, 6000));
  const l = s.supervisor.readLedger();
  console.log(l.length, [...new Set(l.map((x) => x.pid))], s.supervisor.workers.map((w) => w.lines), await statuses(s));
  await load.stop();
  const j = await s.database.engine.query('select * from dagwright.workers'); console.log(j.rows);
  await drained(s, 3000).catch(() => {});
  await s.close();
});
