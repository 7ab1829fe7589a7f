// What other services give by SQL is measured as what comes by HTTP is: by its text, however well it compresses.
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { MAX_VALUE_BYTES } from '../../src/core/json.ts';
import { MAX_DEDUPE_KEY, MAX_SIGNAL_BYTES } from '../../src/core/signal.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { MAX_CANCEL_REASON } from '../../src/resources/executions.ts';
import { type Engine, graph, openEngine } from '../support/engine.ts';

let engine: Engine;
let client: pg.Client;
beforeAll(async () => {
  engine = await openEngine();
  await engine.apply(graph('a', { more: { workflowId: 'sized' } }));
});
beforeEach(async () => {
  client = new pg.Client({ connectionString: engine.database.url });
  await client.connect();
  await client.query('set role dagwright_caller');
  await client.query(`select set_config('app.current_tenant_id', $1, false)`, [DEFAULT_TENANT_ID]);
});
afterEach(() => client.end());
afterAll(async () => {
  await engine.expectSound();
  await engine.close();
});

const one = async (text: string) => (await client.query(`select ${text} as value`)).rows[0].value as string;
/** A JSON string of so many bytes, quotes included. */
const text = (bytes: number) => `to_jsonb(repeat('x', ${bytes - 2}))`;
const rows = async () =>
  (
    await engine.query<{ n: number }>(
      `select (select count(*) from dagwright.workflow_executions) + (select count(*) from dagwright.events)
         + (select count(*) from dagwright.audit_logs) as n`,
    )
  )[0]!.n;

describe('what the doors take, and one byte more', () => {
  const MB = MAX_VALUE_BYTES;
  const reason = (characters: number) => `repeat('ä', ${characters})`;
  const nobody = `'00000000-0000-7000-8000-0000000000ff'::uuid`;
  test.each([
    [
      'the input',
      `start_workflow('sized', ${text(MB)})`,
      `start_workflow('sized', ${text(MB + 1)})`,
      '54000',
    ],
    [
      'the metadata',
      `start_workflow('sized', metadata => jsonb_build_object('a', repeat('x', 15991)))`,
      `start_workflow('sized', metadata => jsonb_build_object('a', repeat('x', 15992)))`,
      '54000',
    ],
    [
      'an idempotency_key',
      `start_workflow('sized', idempotency_key => repeat('k', 500))`,
      `start_workflow('sized', idempotency_key => repeat('k', 501))`,
      '22023',
    ],
    ['the output', `complete_callback('t', ${text(MB)})`, `complete_callback('t', ${text(MB + 1)})`, '54000'],
    [
      'the error',
      `complete_callback('t', null, ${text(MB)})`,
      `complete_callback('t', null, ${text(MB + 1)})`,
      '54000',
    ],
    [
      'the payload of a signal',
      `signal_execution(${nobody}, 'go', ${text(MAX_SIGNAL_BYTES)})`,
      `signal_execution(${nobody}, 'go', ${text(MAX_SIGNAL_BYTES + 1)})`,
      '54000',
    ],
    [
      'a dedupe_key has 1 to 500 bytes',
      `signal_execution(${nobody}, 'go', dedupe_key => repeat('k', ${MAX_DEDUPE_KEY}))`,
      `signal_execution(${nobody}, 'go', dedupe_key => repeat('k', ${MAX_DEDUPE_KEY + 1}))`,
      '22023',
    ],
    [
      'the reason',
      `cancel_execution(${nobody}, ${reason(MAX_CANCEL_REASON)})`,
      `cancel_execution(${nobody}, ${reason(MAX_CANCEL_REASON + 1)})`,
      '22023',
    ],
    [
      'an idempotency_key has 1 to 500 bytes',
      `emit_event('sized', idempotency_key => repeat('k', 500))`,
      `emit_event('sized', idempotency_key => repeat('k', 501))`,
      '22023',
    ],
    ['the payload', `emit_event('sized', ${text(MB)})`, `emit_event('sized', ${text(MB + 1)})`, '54000'],
  ])('%s', async (what, most, more, code) => {
    await one(`dagwright.${most}`);
    const before = await rows();
    await expect(one(`dagwright.${more}`)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(what),
    });
    expect(await rows()).toBe(before);
  });

  test('a value from a table is measured by its text too, whatever compression left of it', async () => {
    await client.query('reset role');
    await client.query(`create temp table kept as select ${text(60_000_000)} as doc`);
    await client.query('grant select on kept to dagwright_caller');
    await client.query('set role dagwright_caller');
    expect(Number((await client.query('select pg_column_size(doc) as n from kept')).rows[0].n)).toBeLessThan(
      MB,
    );
    for (const call of [
      `start_workflow('sized', doc)`,
      `complete_callback('t', doc)`,
      `signal_execution(${nobody}, 'go', doc)`,
      `emit_event('a', doc)`,
    ])
      await expect(client.query(`select dagwright.${call} from kept`)).rejects.toMatchObject({
        code: '54000',
      });
  });
});

test('a refusal says what is too large and what to do', async () => {
  await expect(one(`dagwright.start_workflow('sized', ${text(1_000_001)})`)).rejects.toMatchObject({
    message: 'the input has more than 1000000 bytes of JSON',
    hint: expect.stringContaining('elsewhere'),
  });
  await expect(one(`dagwright.start_workflow(repeat('w', 100000))`)).rejects.toMatchObject({
    message: expect.stringMatching(/^workflow "w{200}" does not exist in this tenant$/),
  });
});

test('who acts is told in a short text, whatever the session says', async () => {
  await client.query(
    `select set_config('app.actor', repeat('a', 100000), false), set_config('app.address', repeat('b', 100000), false),
       set_config('app.user_agent', repeat('c', 100000), false)`,
  );
  await client.query('begin');
  const id = await one(`dagwright.start_workflow('sized')`);
  const event = await one(`dagwright.emit_event('sized')`);
  await one(`dagwright.pause_execution('${id}')`);
  await client.query('commit');
  const [told] = await engine.query(
    `select (select length(created_by) from dagwright.workflow_executions where id = $1) as execution,
       (select length(created_by) from dagwright.events where id = $2) as event, length(actor) as actor, length(address) as address,
       length(user_agent) as agent from dagwright.audit_logs where resource_id = $1::text`,
    [id, event],
  );
  expect(told).toEqual({ execution: 200, event: 200, actor: 200, address: 100, agent: 501 });
  await one(`dagwright.cancel_execution('${id}')`);
});
