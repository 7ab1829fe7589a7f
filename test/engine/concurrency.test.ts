// Tasks that a settle claims beyond its lane's own are pure; they must not lead to more bodies than the worker may run.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Engine, graph, openEngine } from '../support/engine.ts';

const CONCURRENCY = 2;
let engine: Engine;
beforeAll(async () => {
  engine = await openEngine({ concurrency: CONCURRENCY });
});
afterAll(() => engine.close());

test('a worker runs no more bodies at once than its concurrency, also behind pure tasks', async () => {
  const width = 30;
  const pure = { taskType: 'transformation', config: { output: 1 } };
  const branches = Array.from({ length: width }, (_, i) => `root -> p${i} -> b${i}`);
  const tasks = Object.fromEntries([
    ['root', pure],
    ...Array.from({ length: width }, (_, i) => [`p${i}`, pure]),
  ]);
  let running = 0;
  let most = 0;
  for (let i = 0; i < width; i++) {
    engine.bodies[`b${i}`] = async () => {
      most = Math.max(most, ++running);
      await pause(5);
      running--;
    };
  }
  const one = graph(branches.join('; '), { tasks });
  await engine.apply(one);
  const ids = await Promise.all(Array.from({ length: 4 }, () => engine.start(one.workflowId)));
  const runs = await Promise.all(ids.map((id) => engine.ended(id)));
  expect(runs.map(({ execution }) => execution.status)).toEqual(ids.map(() => 'completed'));
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(CONCURRENCY);
  await engine.expectSound();
});
