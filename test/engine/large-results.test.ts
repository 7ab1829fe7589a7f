// What one attempt, and the end of an execution, may read of other tasks' outputs is bounded, and judged before it is loaded.
import { afterAll, beforeEach, expect, test } from 'vitest';
import { MAX_ASSEMBLED_BYTES, MAX_VALUES } from '../../src/core/json.ts';
import { loadParts, loadResultsWithin } from '../../src/db/protocol/bounded-results.ts';
import { isFullDepth } from '../support/depth.ts';
import { type Engine, graph, openEngine } from '../support/engine.ts';

const engine: Engine = await openEngine({ concurrency: 4, faults: false });
beforeEach(() => {
  for (const name of Object.keys(engine.bodies)) delete engine.bodies[name];
});
afterAll(() => engine.close());

const MEGABYTE = 'x'.repeat(990_000);
const roots = (count: number) => Array.from({ length: count }, (_, n) => `r${n}`);
const fanIn = (count: number) =>
  roots(count)
    .map((root) => `${root} -> j`)
    .join('; ');
const give = (count: number, value: unknown) => {
  for (const root of roots(count)) engine.bodies[root] = () => value;
};
const TOO_LARGE = {
  code: 'payload_too_large',
  message: expect.stringContaining('that it reads are more than'),
};

test('a join whose parents gave more than one value may hold fails with payload_too_large, warm or cold', async () => {
  give(18, MEGABYTE);
  const run = await engine.run(graph(fanIn(18)));
  expect(run.task('j')).toMatchObject({ status: 'failed', error: { ...TOO_LARGE, taskId: 'j' } });
  expect(run.task('j').error!.message).toMatch(/^Task "j": the outputs of the 18 tasks/);
  expect(engine.entered).not.toContain('j');
});

test('one that reads little of as much goes on: outputs that nothing reads are not loaded', async () => {
  give(18, MEGABYTE);
  engine.bodies.j = ({ input }) => String((input as { first: string }).first.length);

  const run = await engine.run(
    graph(fanIn(18), { tasks: { j: { inputMapping: { first: '{{ tasks.r0.output }}' } } } }),
  );
  expect(run.task('j')).toMatchObject({ status: 'completed', output: String(MEGABYTE.length) });
});

test.runIf(isFullDepth)('values count as well as bytes', async () => {
  const values = Array.from({ length: 400_000 }, () => 0);
  give(7, values);
  expect(7 * 400_000 - 400_000).toBeGreaterThan(MAX_VALUES);
  const run = await engine.run(graph(fanIn(7)));
  expect(run.task('j')).toMatchObject({ status: 'failed', error: TOO_LARGE });
});

test('an execution whose leaves gave more than its output may hold fails with payload_too_large', async () => {
  give(18, MEGABYTE);
  const run = await engine.run(graph(roots(18).join('; ')));
  expect(run.execution).toMatchObject({ status: 'failed', error: TOO_LARGE });
});

test.runIf(isFullDepth)(
  'the largest one is not counted: what a fan-out gave may be read with others',
  async () => {
    const { id } = (await engine.run(graph('a; b; c'))).execution;
    const write = (task: string, bytes: number) =>
      engine.query(
        `update dagwright.task_executions set output = to_jsonb(repeat('x', $3)) where workflow_execution_id = $1 and task_id = $2`,
        [id, task, bytes],
      );
    const read = (measured: string[], taskIds = measured) =>
      loadResultsWithin(engine.database.engine, id, { taskIds, measured });
    await write('a', MAX_ASSEMBLED_BYTES);
    await write('b', MAX_ASSEMBLED_BYTES - 2);
    expect((await read(['a', 'b', 'c']))?.length).toBeUndefined();
    expect((await read(['a', 'b']))?.map(({ taskId }) => taskId).sort()).toEqual(['a', 'b']);
    // What is known is measured too, and what is not measured comes without its output.
    expect(await read(['a', 'b', 'c'], ['c'])).toBeNull();
    const known = (await read(['a', 'c'], ['b', 'c']))!;
    expect(known.toSorted((x, y) => x.taskId.localeCompare(y.taskId))).toMatchObject([
      { taskId: 'b', status: 'completed', output: null },
      { taskId: 'c', status: 'completed', output: 'c' },
    ]);
    expect(await read(['a', 'b'], [])).toEqual([]);
    expect(await loadParts(engine.database.engine, id, 'a')).toEqual([]);
  },
);
