// Variables of a tenant, as the expressions of its workflows read them.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { NodeDefinition } from '../../src/core/definition/model.ts';
import type { Json } from '../../src/core/json.ts';
import { openDatabase } from '../../src/db/connection/connection.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { deleteVariable, upsertVariable } from '../../src/db/resources/variables.ts';
import { definition, type Engine, openEngine } from '../support/engine.ts';

/** Texts of the statements that the worker sent. */
const sent: string[] = [];
let engine: Engine;
beforeAll(async () => {
  engine = await openEngine({
    faults: false,
    reach: (url) => {
      const database = openDatabase(url);
      const { engine: pool } = database;
      const query = pool.query.bind(pool) as (...args: unknown[]) => unknown;
      pool.query = ((...args: unknown[]) => {
        const [first] = args;
        sent.push(typeof first === 'string' ? first : ((first as { text?: string }).text ?? ''));
        return query(...args);
      }) as typeof pool.query;
      return database;
    },
  });
});
afterEach(() => engine.expectSound());
afterAll(() => engine.close());

const set = async (name: string, value: Json) =>
  await engine.database.withTenant(DEFAULT_TENANT_ID, (client) =>
    upsertVariable(client, DEFAULT_TENANT_ID, { name, value }, 'test'),
  );
const remove = async (name: string) =>
  await engine.database.withTenant(DEFAULT_TENANT_ID, (client) =>
    deleteVariable(client, DEFAULT_TENANT_ID, name),
  );
const node = (taskId: string, more: Partial<NodeDefinition>): NodeDefinition => ({
  taskId,
  taskType: 'transformation',
  dependsOn: [],
  config: {},
  ...more,
});
const lookUps = () => sent.filter((text) => text.includes('workflow_variables')).length;

test('a variable is read in config, mappings, conditions, parts of a fan-out and the output', async () => {
  await set('region', { name: 'eu', zones: [1, 2] });
  await set('limit', 10);
  await set('small', 1);
  const run = await engine.run(
    definition(
      [
        node('config', { config: { output: 'in {{ variables.region.name }}' } }),
        node('mapped', {
          dependsOn: [{ taskId: 'config' }],
          inputMapping: { limit: '{{ variables.limit }}' },
          outputMapping: { sum: '{{ task.input.limit + variables.limit }}' },
          config: { output: 0 },
        }),
        node('gate', {
          taskType: 'condition',
          config: { cases: [{ when: 'variables.limit > 5', branch: 'big' }], default: 'small' },
        }),
        node('skipped', { conditionExpression: 'variables.limit > 50', config: { output: 0 } }),
        node('taken', { conditionExpression: 'variables.small < 5', config: { output: 0 } }),
        node('parts', {
          taskType: 'parallel',
          config: {
            items: '{{ variables.region.zones }}',
            task: { taskType: 'transformation', config: { output: '{{ item * variables.limit }}' } },
          },
        }),
      ],
      {
        output: {
          config: '{{ tasks.config.output }}',
          mapped: '{{ tasks.mapped.output }}',
          branch: '{{ tasks.gate.branch }}',
          parts: '{{ tasks.parts.output }}',
          limit: '{{ variables.limit }}',
        },
      },
    ),
  );
  expect(run.execution.error).toBeNull();
  expect(run.execution.output).toEqual({
    config: 'in eu',
    mapped: { sum: 20 },
    branch: 'big',
    parts: [10, 20],
    limit: 10,
  });
  expect(run.task('skipped').reason).toBe('condition_false');
  expect(run.task('taken').status).toBe('completed');
});

test('a variable that does not exist is missing_path where it is needed, and null where it need not be there', async () => {
  const missing = await engine.run(
    definition([node('a', { config: { output: '{{ variables.nowhere }}' } })]),
  );
  expect(missing.execution.error).toMatchObject({ code: 'missing_path', taskId: 'a' });
  const guarded = await engine.run(
    definition([node('a', { config: { output: '{{ variables.nowhere ?? "default" }}' } })]),
  );
  expect(guarded.task('a').output).toBe('default');
  const output = await engine.run(
    definition([node('a', { config: { output: 1 } })], { output: '{{ variables.nowhere }}' }),
  );
  expect(output.execution.error).toMatchObject({ code: 'missing_path' });
  await set('there', 'is');
  const known = await engine.run(
    definition([node('a', { config: { output: 1 } })], { output: '{{ variables.there ?? "default" }}' }),
  );
  expect(known.execution.output).toBe('is');
});

test('null, false, texts like numbers and lists come back as they were set', async () => {
  const values: Record<string, Json> = { nothing: null, no: false, text: '007', list: [1, null] };
  for (const [name, value] of Object.entries(values)) await set(name, value);
  const output = Object.fromEntries(Object.keys(values).map((name) => [name, `{{ variables.${name} }}`]));
  const run = await engine.run(definition([node('a', { config: { output } })]));
  expect(run.task('a').output).toEqual(values);
});

test('all expressions of an attempt see one value; the next attempt sees what was set meanwhile', async () => {
  await set('turn', 'first');
  const seen: unknown[] = [];
  engine.bodies.changing = async (context) => {
    seen.push(context.config.turn);
    if (context.attempt > 1) return {};
    await set('turn', 'second');
    throw new Error('again');
  };
  engine.bodies.mapped = async () => {
    await set('turn', 'third');
    return {};
  };
  const retry = { maxAttempts: 2, initialIntervalSeconds: 0.01, jitter: 'none' } as const;
  const run = await engine.run(
    definition([
      node('changing', { taskType: 'probe', config: { turn: '{{ variables.turn }}' }, retry }),
      node('mapped', {
        taskType: 'probe',
        dependsOn: [{ taskId: 'changing' }],
        config: { turn: '{{ variables.turn }}' },
        outputMapping: '{{ variables.turn }}',
      }),
    ]),
  );
  expect(seen).toEqual(['first', 'second']);
  expect(run.task('mapped').output).toBe('second');
});

test('a task that reads variables asks for them once an attempt, and no other task asks at all', async () => {
  await set('a', 1);
  await set('b', 2);
  let before = lookUps();
  await engine.run(
    definition([
      node('none', { config: { output: '{{ input }}' } }),
      node('next', { dependsOn: [{ taskId: 'none' }], config: { output: '{{ tasks.none.output }}' } }),
    ]),
  );
  expect(lookUps() - before).toBe(0);
  before = lookUps();
  await engine.run(
    definition([
      node('two', {
        conditionExpression: 'variables.a == 1',
        inputMapping: '{{ variables.b }}',
        config: { output: '{{ [variables.a, variables.b] }}' },
      }),
    ]),
  );
  expect(lookUps() - before).toBe(1);
});

test('a query over the whole scope does not find variables: they are read by name', async () => {
  await set('known', { hidden: 1 });
  const run = await engine.run(
    definition([node('a', { config: { output: '{{ [variables.known.hidden, length($..hidden)] }}' } })]),
  );
  expect(run.task('a').output).toEqual([1, 0]);
});

test("another tenant's variables are not there", async () => {
  const other = '00000000-0000-7000-8000-0000000000aa';
  await engine.query('insert into dagwright.tenants (id, name) values ($1, $2)', [other, 'other']);
  await engine.database.withTenant(other, (client) =>
    upsertVariable(client, other, { name: 'foreign', value: 'theirs' }, 'test'),
  );
  const run = await engine.run(
    definition([node('a', { config: { output: '{{ variables.foreign ?? "none" }}' } })]),
  );
  expect(run.task('a').output).toBe('none');
  expect(await remove('foreign')).toBe(false);
});
