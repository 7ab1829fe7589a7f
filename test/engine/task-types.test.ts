// Task types belong to workers: work goes to one that can do it, and waits where there is none.
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { WorkflowDefinition } from '../../src/core/definition/model.ts';
import { BUILTIN_TASK_TYPES } from '../../src/core/definition/schema/builtin-types.ts';
import { newId } from '../../src/core/id.ts';
import { ROLES } from '../../src/db/connection/roles.ts';
import { COMMON_TYPES } from '../../src/db/protocol/job-kinds.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { compilePlan } from '../../src/engine/memory/compiled.ts';
import { knownTaskTypes } from '../../src/resources/definitions/task-types.ts';
import { explainExecution } from '../../src/resources/executions.ts';
import { defineTask } from '../../src/tasks/custom-task.ts';
import { createRegistry } from '../../src/tasks/registry.ts';
import { definition, type Engine, graph, openEngine, until, waiting } from '../support/engine.ts';

const ranBy: string[] = [];
const typeOf = (type: string, worker = '') =>
  defineTask({
    type,
    configSchema: { type: 'object', properties: { n: { type: 'integer' } }, additionalProperties: false },
    run: ({ taskId }) => {
      ranBy.push(`${taskId} ${worker}`);
      return taskId;
    },
  });
const with_ = (...types: string[]) => createRegistry(types.map((type) => typeOf(type, types.join('+'))));

const MODEL = {
  modelId: 'simulated/fast',
  prompt: 'hello',
};
const node = (taskId: string, taskType: string, dependsOn: string[] = [], config: object = {}) =>
  ({ taskId, taskType, dependsOn: dependsOn.map((id) => ({ taskId: id })), config }) as never;

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine({ types: createRegistry(), concurrency: 4 });
});
afterAll(() => engine.close());
beforeEach(() => void ranBy.splice(0));

const inTransaction = <T>(work: (client: pg.PoolClient) => Promise<T>) =>
  engine.database.asEngine({ actor: 'test' }, work);

/** All jobs of the queue, which the engine's own role may not look at. */
async function queuedJobs(client: pg.ClientBase) {
  await client.query(`set local role ${ROLES.owner}`);
  const { rows } = await client.query<{ attempts: number; kind: string }>(
    'select attempts, task_identifier as kind from graphile_worker.jobs',
  );
  return rows;
}

async function why(id: string): Promise<string> {
  return await engine.database.withTenant(DEFAULT_TENANT_ID, async (client) => {
    const told = await explainExecution(client, { tenantId: DEFAULT_TENANT_ID, actor: 'test' } as never, id);
    if (!told.ok) throw new Error('unknown');
    return told.value.items.map(({ message }) => message).join('\n');
  });
}

describe('of several workers', () => {
  let other: Awaited<ReturnType<Engine['addWorker']>> | undefined;
  afterEach(async () => {
    await other?.stop();
    other = undefined;
  });

  test('one that lacks a type fails none of twenty executions, and runs what it can of them', async () => {
    other = await engine.addWorker({ types: with_('early') });
    const mixed = definition([
      node('first', 'early'),
      node('pure', 'transformation', ['first'], { output: 1 }),
      node('nap', 'wait', ['pure'], { seconds: 0 }),
      node('again', 'early', ['nap']),
      node('parts', 'parallel', ['first'], { items: [1, 2, 3], task: { taskType: 'early', config: {} } }),
      node('named', 'parallel', ['first'], {
        branches: {
          x: { taskType: 'early', config: {} },
          y: { taskType: 'transformation', config: { output: 2 } },
        },
      }),
      node('last', 'early', ['again', 'parts', 'named']),
    ]);
    await engine.apply(mixed);
    const ids = await Promise.all(Array.from({ length: 20 }, () => engine.start(mixed.workflowId)));
    const runs = await Promise.all(ids.map((id) => engine.ended(id)));
    expect(runs.filter(({ execution }) => execution.status !== 'completed')).toEqual([]);
    // Each task ran once: none was given to a worker that could not, and back, at the price of an attempt.
    expect(runs.flatMap(({ tasks }) => tasks.filter(({ attempt }) => attempt !== 1))).toEqual([]);
    expect(ranBy).toHaveLength(20 * 7);
    // Nor at the price of a claim.
    const claimed = await engine.query(
      `select task_id, fence::int from dagwright.task_executions
       where workflow_execution_id = any($1) and map_index = -1 and task_id in ('first', 'pure', 'again', 'last') and fence <> 1`,
      [ids],
    );
    expect(claimed).toEqual([]);
    await engine.expectSound();
  });

  test('each does its part of an execution that none could do alone', async () => {
    other = await engine.addWorker({ types: with_('left') });
    const third = await engine.addWorker({ types: with_('right') });
    const both = definition([node('a', 'left'), node('b', 'right', ['a']), node('c', 'left', ['b'])]);
    const run = await engine.run(both);
    expect(run.states).toBe('a completed, b completed, c completed');
    expect(ranBy).toEqual(['a left', 'b right', 'c left']);
    await third.stop();
  });

  test('a node that needs two types goes to the one that has both', async () => {
    other = await engine.addWorker({ types: with_('one') });
    const third = await engine.addWorker({ types: with_('one', 'two') });
    const parts = (taskType: string) => ({ taskType, config: {} });
    const run = await engine.run(
      definition([node('p', 'parallel', [], { branches: { x: parts('one'), y: parts('two') } })]),
    );
    expect(run.states).toBe('p completed');
    expect(ranBy.sort()).toEqual(['p one+two', 'p one+two']);
    await third.stop();
  });
});

describe('what no live worker can do', () => {
  test('waits without being looked at, says which type it waits for, and goes on when a worker comes that has it', async () => {
    const late = definition([
      node('begin', 'transformation', [], { output: 1 }),
      node('x', 'late', ['begin']),
      node('end', 'transformation', ['x'], { output: 2 }),
    ]);
    await engine.apply(late);
    const id = await engine.start(late.workflowId);
    const jobs = () => inTransaction((client) => queuedJobs(client));
    await until(async () => (await jobs()).some(({ kind }) => kind === 'dagwright:late'));
    // Whoever ran `begin` did not claim it.
    const claims = () =>
      engine.query(
        `select fence::int from dagwright.task_executions where workflow_execution_id = $1 and task_id = 'x'`,
        [id],
      );
    expect(await claims()).toEqual([{ fence: 0 }]);
    expect(await why(id)).toMatch(
      /^x is ready since .* waits for a worker with the task type "late": no live worker has it/,
    );
    // The workers here are free, and leave it alone: nothing has taken it.
    const other = await engine.run(graph('a', { tasks: { a: waiting(0) } }));
    expect(other.execution.status).toBe('completed');
    // The job of what has ended is taken away after it.
    await until(async () => (await jobs()).length === 1);
    expect(await jobs()).toEqual([{ attempts: 0, kind: 'dagwright:late' }]);
    expect(await engine.query('select * from dagwright.v_orphans')).toEqual([]);

    const able = await engine.addWorker({ types: with_('late') });
    expect((await engine.ended(id)).states).toBe('begin completed, x completed, end completed');
    await able.stop();
    await engine.expectSound();
  });

  test('waits where a worker has each type of a node, and none has all', async () => {
    const [one, two] = [
      await engine.addWorker({ types: with_('hot') }),
      await engine.addWorker({ types: with_('cold') }),
    ];
    const both = definition([
      node('q', 'parallel', [], {
        branches: { x: { taskType: 'hot', config: {} }, y: { taskType: 'cold', config: {} } },
      }),
    ]);
    await engine.apply(both);
    const id = await engine.start(both.workflowId);
    await until(async () => /no live worker has them all/.test(await why(id)));
    expect(await why(id)).toMatch(/^q .*the task types "cold", "hot"/);
    await engine.database.withTenant(DEFAULT_TENANT_ID, (client) =>
      client.query('select dagwright.cancel_execution($1)', [id]),
    );
    await Promise.all([one.stop(), two.stop()]);
  });
});

const tool = (type: string) => ({
  tools: [{ name: 'ask', description: 'asks', task: { taskType: type, config: {} } }],
});

describe('a worker of the release before', () => {
  const registerOld = async () => {
    const id = newId();
    await engine.query(
      `insert into dagwright.workers (id, host, pid, concurrency, lease_seconds, started_at, heartbeat_at, beating_since)
       values ($1, 'old', 1, 4, 600, now(), now() + interval '1 hour', now())`,
      [id],
    );
    return () => engine.query('delete from dagwright.workers where id = $1', [id]);
  };
  const kindOf = async (type: string) => {
    const [row] = await engine.query<{ kind: string }>('select dagwright.job_kind_v1($1) as kind', [
      JSON.stringify([type]),
    ]);
    return row!.kind;
  };

  test('may have what nobody has registered, and gets nothing that somebody has', async () => {
    const able = await engine.addWorker({ types: with_('newer') });
    expect(await kindOf('older')).toBe('dagwright:older');
    const remove = await registerOld();
    expect(await kindOf('older')).toBe('dagwright');
    expect(await kindOf('newer')).toBe('dagwright:newer');
    await remove();
    await able.stop();
  });

  test('gets what waits under kinds that no worker of this one has', async () => {
    const one = definition([node('a', 'transformation', [], { output: 1 }), node('b', 'gone', ['a'])]);
    await engine.apply(one);
    const id = await engine.start(one.workflowId);
    const kinds = () =>
      inTransaction(async (client) => (await queuedJobs(client)).map(({ kind }) => kind).sort());
    await until(async () => (await kinds()).includes('dagwright:gone'));
    const afterReconciling = (setUp: string) =>
      inTransaction(async (client) => {
        await client.query(setUp);
        await client.query('select dagwright.reconcile_v1(1)');
        const jobs = await queuedJobs(client);
        await client.query('rollback; begin');
        return [...new Set(jobs.map(({ kind }) => kind))];
      });
    expect(await afterReconciling('select')).toContain('dagwright:gone');
    const remove = await registerOld();
    expect(await afterReconciling('select')).toEqual(['dagwright']);
    const other = `update dagwright.workers set types = types || '{"gone":null}' where types is not null`;
    expect(await afterReconciling(other)).toContain('dagwright:gone');
    expect(await afterReconciling('update dagwright.workers set types = null')).toEqual(['dagwright']);
    await remove();
    await engine.database.withTenant(DEFAULT_TENANT_ID, (client) =>
      client.query('select dagwright.cancel_execution($1)', [id]),
    );
  });

  test('is not asked to open what it might fail, and no execution is lost while it lives', async () => {
    const able = await engine.addWorker({ types: with_('newer') });
    const remove = await registerOld();
    const one = definition([node('a', 'newer'), node('b', 'transformation', ['a'], { output: 1 })]);
    await engine.apply(one);
    const id = newId();
    const kinds = await inTransaction(async (client) => {
      await client.query(`select * from dagwright.start_executions_v1($1, $2)`, [
        DEFAULT_TENANT_ID,
        JSON.stringify([{ i: 0, id, workflowId: one.workflowId, input: {} }]),
      ]);
      return (await queuedJobs(client)).map(({ kind }) => kind);
    });
    expect(kinds).toContain('dagwright:open');
    expect((await engine.ended(id)).states).toBe('a completed, b completed');
    await remove();
    await able.stop();
  });
});

describe('what a node needs', () => {
  const compileNeeds = async (wanted: WorkflowDefinition) => {
    const { nodes } = await compilePlan(wanted, createRegistry());
    return nodes.filter(({ missing }) => missing !== null).map(({ plan }) => plan.taskId);
  };
  /** As the queue reads it, task by task; null: no node needs any. */
  const needsOf = async (wanted: WorkflowDefinition) => {
    await engine.apply(wanted);
    const rows = await engine.query<{ task: string; needs: string[] | null; isNull: boolean }>(
      `select t.task, dagwright.needs_of_v1(n.usual, n.others, t.task) as needs, v.needs is null as "isNull"
       from dagwright.workflow_versions v cross join lateral dagwright.read_needs_v1(v.id) n, unnest($2::text[]) t(task)
       where v.workflow_id = $1`,
      [wanted.workflowId, wanted.nodes.map(({ taskId }) => taskId)],
    );
    if (rows[0]!.isNull) return null;
    return Object.fromEntries(rows.flatMap(({ task, needs }) => (needs === null ? [] : [[task, needs]])));
  };

  test('is read alike by the queue and by the workers: own type, parts, tools, and no config that only looks so', async () => {
    const wanted = definition([
      node('plain', 'transformation', [], { output: { taskType: 'fake', task: { taskType: 'fake' } } }),
      node('own', 'mine', [], { task: { taskType: 'fake' }, branches: { x: { taskType: 'fake' } } }),
      node('items', 'parallel', [], { items: [1], task: { taskType: 'mine', config: {} } }),
      node('named', 'parallel', [], {
        branches: { x: { taskType: 'mine', config: {} }, y: { taskType: 'yours', config: {} } },
      }),
      {
        ...(node('agent', 'model_inference', [], { prompt: 'x', ...tool('mine') }) as object),
        modelId: MODEL.modelId,
      } as never,
      node('deep', 'parallel', [], {
        items: [1],
        task: {
          taskType: 'model_inference',
          modelId: MODEL.modelId,
          config: { prompt: 'x', ...tool('yours') },
        },
      }),
      node('no', 'parallel', [], { items: [1], task: { taskType: 'wait', config: { seconds: 1 } } }),
    ]);
    expect(await needsOf(wanted)).toEqual({
      own: ['mine'],
      items: ['mine'],
      named: ['mine', 'yours'],
      agent: ['mine'],
      deep: ['yours'],
    });
    expect(await compileNeeds(wanted)).toEqual(['own', 'items', 'named', 'agent', 'deep']);
    expect(await needsOf(definition([node('plain', 'wait', [], { seconds: 1 })]))).toBe(null);
  });

  test('is short however many nodes there are, where most need the same', async () => {
    const nodes = Array.from({ length: 2_000 }, (_, i) => node(`n${i}`, i % 1_000 === 0 ? 'wait' : 'mine'));
    const [row] = await engine.query<{ needs: object; bytes: number }>(
      'select needs, pg_column_size(needs) as bytes from dagwright.task_needs_v2($1) needs',
      [JSON.stringify(definition(nodes))],
    );
    expect(row!.needs).toEqual({ usual: ['mine'], others: { n0: null, n1000: null } });
    expect(row!.bytes).toBeLessThan(200);
  });

  test('goes with a job that is put off', async () => {
    const kindsOf = async (wanted: WorkflowDefinition) => {
      await engine.apply(wanted);
      return await inTransaction(async (client) => {
        const id = newId();
        const ready = wanted.nodes.map(({ taskId }) => [taskId, -1]);
        await client.query('select * from dagwright.start_executions_v1($1, $2)', [
          DEFAULT_TENANT_ID,
          JSON.stringify([{ i: 0, id, workflowId: wanted.workflowId, input: {}, open: true }]),
        ]);
        for (const t of [ready, undefined])
          await client.query('select dagwright.put_off_v1($1, 60000)', [JSON.stringify({ e: id, t })]);
        await client.query(`set local role ${ROLES.owner}`);
        const { rows } = await client.query<{ kind: string; tasks: [string, number][] | null }>(
          `select k.identifier as kind, payload->'t' as tasks from graphile_worker._private_jobs j
             join graphile_worker._private_tasks k on k.id = j.task_id where payload->>'e' = $1`,
          [id],
        );
        await client.query('rollback; begin');
        return rows
          .map(({ kind, tasks }) => `${kind} ${(tasks ?? []).map(([task]) => task).join(' ')}`.trim())
          .sort();
      });
    };
    const alike = [node('a', 'mine'), node('b', 'mine')];
    expect(await kindsOf(definition(alike))).toEqual(['dagwright:mine a b', 'dagwright:open']);
    expect(await kindsOf(definition([...alike, node('c', 'wait', [], { seconds: 1 })]))).toEqual([
      'dagwright c',
      'dagwright:mine a b',
      'dagwright:open',
    ]);
    const builtIn = definition([node('c', 'wait', [], { seconds: 1 })]);
    expect(await kindsOf(builtIn)).toEqual(['dagwright', 'dagwright c']);
  });

  test('the types that every release has are built in', () => {
    expect(COMMON_TYPES.filter((type) => BUILTIN_TASK_TYPES.get(type)?.status !== 'built')).toEqual([]);
  });
});

describe('definitions', () => {
  test('are checked by the schemas that workers have registered, also when those have gone', async () => {
    const able = await engine.addWorker({ types: with_('checked') });
    const known = await knownTaskTypes(engine.database.engine, new Map());
    expect(known.get('checked')?.configSchema).toMatchObject({ properties: { n: { type: 'integer' } } });
    await able.stop();
    expect([...(await knownTaskTypes(engine.database.engine, new Map())).keys()]).toContain('checked');
  });

  test('may fit any schema of a type while live workers differ', async () => {
    const wide = defineTask({ type: 'wide', configSchema: { required: ['a'] }, run: () => 1 });
    const narrow = defineTask({ type: 'wide', configSchema: { required: ['b'] }, run: () => 1 });
    const workers = [
      await engine.addWorker({ types: createRegistry([wide]) }),
      await engine.addWorker({ types: createRegistry([narrow]) }),
    ];
    const both = { anyOf: expect.arrayContaining([{ required: ['a'] }, { required: ['b'] }]) };
    expect((await knownTaskTypes(engine.database.engine, new Map())).get('wide')?.configSchema).toEqual(both);
    await workers[0]!.stop();
    expect((await knownTaskTypes(engine.database.engine, new Map())).get('wide')?.configSchema).toEqual({
      required: ['b'],
    });
    await workers[1]!.stop();
  });
});
