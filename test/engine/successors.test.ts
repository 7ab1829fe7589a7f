// Pure tasks that only one settle holds up are written with it, in its commit, and nobody can tell from what they give.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { NodeDefinition, WorkflowDefinition } from '../../src/core/definition/model.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { depth } from '../support/depth.ts';
import { type Engine, gate, graph, openEngine, type Run, until } from '../support/engine.ts';
import { pauseExecution, resumeExecution } from '../support/executions.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine();
});
afterEach(() => engine?.expectSound());
afterAll(() => engine?.close());

const made = (output: unknown): Partial<NodeDefinition> => ({
  taskType: 'transformation',
  config: { output: output as never },
});
const choice = (expression: string): Partial<NodeDefinition> => ({
  taskType: 'condition',
  config: { expression },
});
const gathered = (): Partial<NodeDefinition> => ({
  taskType: 'aggregation',
  config: { strategy: 'collect' },
});

/** The tasks of each commit, in the order of their ends. */
async function commitsOf(id: string): Promise<string[]> {
  const rows = await engine.query<{ tasks: string }>(
    `select string_agg(task_id, ' ' order by completed_seq) as tasks from dagwright.task_executions
     where workflow_execution_id = $1 group by completed_at order by min(completed_seq)`,
    [id],
  );
  return rows.map(({ tasks }) => tasks);
}

/** The first of some runs whose tasks share commits as wanted: a machine that stands still for 25 ms parts them. */
async function runSharing(workflow: WorkflowDefinition, wanted: readonly string[]): Promise<Run> {
  for (let tries = 1; ; tries++) {
    const run = await engine.run(workflow);
    const commits = await commitsOf(run.execution.id);
    if (commits.join() === wanted.join()) return run;
    if (tries === 5) expect(commits).toEqual(wanted);
  }
}

test('a chain: three bodies, three commits', async () => {
  engine.bodies.a = () => ({ n: 2 });
  engine.bodies.b = ({ input }) => input;
  const workflow = graph('a -> t -> c -true-> b -> g -> u -> e', {
    tasks: {
      t: made({ twice: '{{ tasks.a.output.n * 2 }}', id: '{{ uuid() }}' }),
      c: choice('tasks.t.output.twice == 4'),
      b: { inputMapping: { twice: '{{ tasks.t.output.twice }}', way: '{{ tasks.c.branch }}' } },
      g: gathered(),
      u: made('{{ tasks.g.output }}'),
    },
  });
  const run = await runSharing(workflow, ['a t c', 'b g u', 'e']);
  expect(run.execution.status).toBe('completed');
  expect(run.task('b').output).toEqual({ twice: 4, way: 'true' });
  expect(run.task('u').output).toEqual([{ twice: 4, way: 'true' }]);
  expect(run.tasks.map(({ attempt }) => attempt)).toEqual(run.tasks.map(() => 1));
  const [fences] = await engine.query(
    'select max(fence)::int as fence, count(*) filter (where started_at is null or worker_id is null)::int as untold from dagwright.task_executions where workflow_execution_id = $1',
    [run.execution.id],
  );
  expect(fences).toEqual({ fence: 1, untold: 0 });
});

test('the last of them ends the execution in the same commit', async () => {
  engine.bodies.a = () => 3;
  const run = await runSharing(graph('a -> t', { tasks: { t: made('{{ tasks.a.output + 1 }}') } }), ['a t']);
  expect(run.execution).toMatchObject({ status: 'completed', output: { t: 4 } });
});

test('lanes of one execution bring theirs to a join', async () => {
  const width = 12;
  const names = Array.from({ length: width }, (_, i) => i);
  engine.bodies.a = () => 1;
  for (const i of names) engine.bodies[`b${i}`] = () => i;
  const run = await engine.run(
    graph(names.map((i) => `a -> b${i} -> c${i} -> t${i} -> g`).join('; '), {
      tasks: {
        ...Object.fromEntries(names.map((i) => [`c${i}`, choice('true')])),
        ...Object.fromEntries(names.map((i) => [`t${i}`, made(`{{ tasks.b${i}.output }}`)])),
        g: gathered(),
      },
    }),
  );
  expect(run.task('g').output).toEqual(names);
  const together = await engine.query<{ n: number }>(
    `select count(*)::int as n from dagwright.task_executions b join dagwright.task_executions t using (workflow_execution_id, completed_at)
     where workflow_execution_id = $1 and b.task_id like 'b%' and t.task_id = replace(b.task_id, 'b', 't')`,
    [run.execution.id],
  );
  expect(together[0]!.n).toBeGreaterThan(width / 2);
});

describe('what has to wait for the commit runs after it, as any task', () => {
  test.each<[string, string, Partial<NodeDefinition>, string]>([
    ['one that asks for its instant', 'a -> t -> b', made('{{ now() }}'), 't completed'],
    ['one that is skipped', 'a -> t -> b', { ...made(1), conditionExpression: 'false' }, 't skipped'],
    ['one that fails', 'a -> t -> b', made('{{ tasks.a.output.none.at.all }}'), 't failed'],
    ['one that goes a way which skips others', 'a -> t -true-> b; t -false-> x', choice('true'), 'x skipped'],
  ])('%s', async (_, text, t, state) => {
    engine.bodies.a = () => ({});
    const run = await engine.run(graph(text, { tasks: { t } }));
    expect(run.states).toContain(state);
    expect((await commitsOf(run.execution.id))[0]).toBe('a');
  });

  test('its instant is the end of its parent', async () => {
    engine.bodies.a = () => 1;
    const { execution, task } = await engine.run(graph('a -> t -> b', { tasks: { t: made('{{ now() }}') } }));
    const [row] = await engine.query<{ ended: number }>(
      `select (extract(epoch from completed_at) * 1000)::float8 as ended from dagwright.task_executions where workflow_execution_id = $1 and task_id = 'a'`,
      [execution.id],
    );
    expect(Math.abs(Date.parse(String(task('t').output)) - row!.ended)).toBeLessThanOrEqual(1);
  });
});

test('a pause while the body runs holds them back, and resume goes on', async () => {
  const { opened, open } = gate();
  engine.bodies.held = async () => {
    await opened;
    return 1;
  };
  const workflow = graph('held -> t -> b', { tasks: { t: made('{{ tasks.held.output }}') } });
  await engine.apply(workflow);
  const id = await engine.start(workflow.workflowId);
  await until(async () => engine.entered.includes('held'));
  await pauseExecution(engine.database, DEFAULT_TENANT_ID, id);
  open();
  const statusOf = async (taskId: string) =>
    (
      await engine.query<{ status: string }>(
        'select status from dagwright.task_executions where workflow_execution_id = $1 and task_id = $2',
        [id, taskId],
      )
    )[0]!.status;
  await until(async () => (await statusOf('held')) === 'completed');
  expect(await statusOf('t')).toBe('pending');
  await resumeExecution(engine.database, DEFAULT_TENANT_ID, id);
  const run = await engine.ended(id);
  expect(run.states).toBe('held completed, t completed, b completed');
});

test('a task that was taken over before settles alone: what kills a worker must be found by itself', async () => {
  const { opened, open } = gate();
  engine.bodies.p = () => opened;
  engine.bodies.a = () => 1;
  const workflow = graph('p -> a -> t -> b', { tasks: { t: made('{{ tasks.a.output }}') } });
  await engine.apply(workflow);
  const id = await engine.start(workflow.workflowId);
  await until(async () => engine.entered.includes('p'));
  await engine.query(
    `update dagwright.task_executions set recoveries = 1 where workflow_execution_id = $1 and task_id = 'a'`,
    [id],
  );
  open();
  expect((await engine.ended(id)).states).toBe('p completed, a completed, t completed, b completed');
  expect(await commitsOf(id)).toEqual(['p', 'a', 't', 'b']);
});

test.each(['a -> t -> b', 'a -> t -> b; z -> b', 'a -> t'])(
  'what the database refuses of one fails that one: %s',
  async (text) => {
    engine.bodies.a = () => '"\\u0000"';
    const t = {
      taskType: 'condition',
      config: { value: '{{ parseJson(tasks.a.output) }}' },
      outputMapping: 'fine',
    };
    const { states } = await engine.run(graph(text, { tasks: { t } }));
    expect(states).toContain('a completed, t failed');
  },
);

test('a winner that cannot be stored fails its task', async () => {
  engine.bodies.a = () => '{"\\u0000":{"s":1}}';
  const g = {
    taskType: 'aggregation',
    config: { strategy: 'best', by: '$.s', source: '{{ parseJson(tasks.a.output) }}' },
    outputMapping: 'fine',
  };
  const { states } = await engine.run(graph('a -> g -> b', { tasks: { g } }));
  expect(states).toContain('a completed, g failed');
});

test('under connections that break before and after the commit, each runs once or is found again', async () => {
  const faulty = await openEngine({ faults: 4711, concurrency: 16 });
  try {
    faulty.bodies.a = () => ({ n: 1 });
    faulty.bodies.b = ({ input }) => input;
    const workflow = graph('a -> t -> c -> b -> g', {
      tasks: { t: made('{{ tasks.a.output.n }}'), c: choice('true'), g: gathered() },
    });
    await faulty.apply(workflow);
    const ids = await Promise.all(Array.from({ length: depth(60) }, () => faulty.start(workflow.workflowId)));
    for (const id of ids) {
      const { states } = await faulty.ended(id);
      expect(states).toBe('a completed, t completed, c completed, b completed, g completed');
    }
    await faulty.expectSound();
  } finally {
    await faulty.close();
  }
});
