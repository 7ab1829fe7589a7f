// dagwright workflows and variables, and triggers in a file, as users see them: stdout, stderr, exit codes.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { runCli } from './support/run-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'dagwright workflows '));
let own: TestDatabase;
beforeAll(async () => {
  own = await createDatabase();
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await own.drop();
});

const dagwright = (...args: string[]) =>
  runCli(args, { cwd: folder, env: { HOME: folder, DATABASE_URL: own.url, LOG_LEVEL: 'warn' } });
const json = async (...args: string[]) => JSON.parse((await dagwright(...args, '--json')).stdout);

function flow(output: string, triggers = ''): string {
  const path = join(folder, 'flow.yaml');
  const nodes = `nodes: [{ taskId: a, taskType: transformation, config: { output: "${output}" } }]`;
  writeFileSync(path, `workflowId: flow\n${nodes}\n${triggers}\n`);
  return path;
}
const HOOK =
  'triggers: [{ type: webhook, path: orders, verifier: github }, { type: event, event: order.created }]';

test('apply and run bring the triggers of a file in step, and show a secret that they made up once', async () => {
  const first = await dagwright('apply', flow('1', HOOK));
  expect(first.code).toBe(0);
  expect(first.stdout).toMatch(
    /flow revision 1 \(created\)[\s\S]*\/hooks\/default\/orders\n {4}secret, shown only now: \S{20,}/,
  );
  const again = await json('apply', flow('1', HOOK));
  expect(again.items).toMatchObject([
    {
      outcome: 'unchanged',
      triggers: {
        webhooks: [{ path: 'default/orders', url: expect.stringMatching(/\/hooks\/default\/orders$/) }],
        events: ['order.created'],
      },
    },
  ]);
  expect(again.items[0].triggers.webhooks[0]).not.toHaveProperty('secret');
  const run = await dagwright('run', flow('2', HOOK.replace('orders', 'others')), '--json');
  expect(run.code).toBe(0);
  expect(run.stderr).toMatch(/hooks\/default\/others\n {4}secret, shown only now: \S{20,}/);
  expect(JSON.parse(run.stdout)).toMatchObject({ revision: 2, output: { a: '2' } });
});

test('validate and apply refuse a trigger at its place', async () => {
  const file = flow(
    '1',
    'triggers: [{ type: webhook, path: NOT }, { type: webhook, path: x, verifier: slack, secret: short }]',
  );
  for (const command of ['validate', 'apply']) {
    const { code, stdout } = await dagwright(command, file, '--json');
    expect(code).toBe(1);
    const pointers = JSON.parse(stdout).errors.map(({ pointer }: { pointer: string }) =>
      pointer.replace(/^.*#/, ''),
    );
    expect(pointers).toEqual(['/triggers/0/path', '/triggers/1/secret']);
  }
});

test('revisions are listed, shown and gone back to; a workflow is archived and activated', async () => {
  await dagwright('apply', flow('old'));
  const before: number = (await json('workflows', 'show', 'flow')).revision;
  await dagwright('apply', flow('new'));
  expect(await json('workflows', 'rollback', 'flow', String(before))).toMatchObject({ revision: before });
  const { items } = await json('workflows', 'revisions', 'flow', '--limit', '2');
  expect(
    items.map(({ revision, isCurrent }: { revision: number; isCurrent: boolean }) => [revision, isCurrent]),
  ).toEqual([
    [before + 1, false],
    [before, true],
  ]);
  expect((await json('workflows', 'show', 'flow')).definition.nodes[0].config.output).toBe('old');
  expect(
    (await json('workflows', 'show', 'flow', '--revision', String(before + 1))).definition.nodes[0].config
      .output,
  ).toBe('new');
  expect(await json('workflows', 'archive', 'flow')).toMatchObject({ status: 'archived' });
  expect((await json('workflows', 'list', '--status', 'active')).items).toEqual([]);
  expect((await json('run', 'flow')).errors).toMatchObject([
    { code: 'not_active', hint: 'dagwright workflows activate flow' },
  ]);
  expect(await json('workflows', 'activate', 'flow')).toMatchObject({ status: 'active' });
  expect((await json('workflows', 'list')).items).toMatchObject([{ workflowId: 'flow', status: 'active' }]);
});

test('a variable is set, read by a run, changed and deleted', async () => {
  expect(await json('variables', 'set', 'region', 'eu', '--text')).toMatchObject({
    name: 'region',
    value: 'eu',
    createdBy: 'cli',
  });
  expect(await json('run', flow('in {{ variables.region }}'))).toMatchObject({ output: { a: 'in eu' } });
  await dagwright('variables', 'set', 'region', '["us"]');
  expect((await dagwright('variables', 'get', 'region')).stdout).toBe('["us"]\n');
  expect((await json('variables', 'list')).items).toMatchObject([{ name: 'region', value: ['us'] }]);
  expect((await dagwright('variables', 'delete', 'region')).code).toBe(0);
  expect(await json('variables', 'get', 'region')).toMatchObject({ errors: [{ code: 'not_found' }] });
});

test('what cannot be done is told by code, and what is wrongly asked exits 2', async () => {
  const cases: readonly (readonly [string[], number, string])[] = [
    [['variables', 'set', 'region', 'eu'], 2, 'usage'],
    [['run', 'flow', '--input', '{name'], 2, 'usage'],
    [['run', 'flow', '--input', '@there-is-none'], 1, 'not_found'],
    [['variables', 'set', '1x', '1'], 2, 'usage'],
    [['variables', 'set', 'long', '1', '--description', 'x'.repeat(1_001)], 2, 'usage'],
    [['workflows', 'rollback', 'flow', 'x'], 2, 'usage'],
    [['workflows', 'rollback', 'nothing', '1'], 1, 'not_found'],
    [['workflows', 'list', '--cursor', 'x'], 2, 'usage'],
  ];
  const done = await Promise.all(cases.map(([args]) => dagwright(...args, '--json')));
  expect(done.map(({ code, stdout }) => [code, JSON.parse(stdout).errors[0].code])).toEqual(
    cases.map(([, code, word]) => [code, word]),
  );
});

test('apply moves a path between two files, in either order, says what it removed, and saves all or none', async () => {
  const file = (workflowId: string, triggers: string) => {
    const path = join(folder, `${workflowId}.yaml`);
    const nodes = 'nodes: [{ taskId: a, taskType: transformation, config: { output: 1 } }]';
    writeFileSync(path, `workflowId: ${workflowId}\n${nodes}\ntriggers: [${triggers}]\n`);
    return path;
  };
  const moved = '{ type: webhook, path: moved, secret: a-secret-of-the-file }';
  const daily = '{ type: schedule, name: daily, cronExpression: "0 9 * * *" }';
  const [first] = (await json('apply', file('wa', `${moved}, ${daily}`), file('wb', ''))).items;
  const { id } = first.triggers.webhooks[0];

  const refused = await json('apply', file('wb', moved), file('wa', `${moved}, ${daily}`));
  expect(refused.errors).toMatchObject([
    { pointer: expect.stringMatching(/wb.yaml#\/triggers\/0\/path$/), code: 'path_taken' },
  ]);
  const doubled = await json('apply', file('wb', ''), file('wb', ''));
  expect(doubled.errors).toMatchObject([{ pointer: expect.stringMatching(/wb.yaml#\/workflowId$/) }]);

  const done = await dagwright('apply', file('wb', moved), file('wa', ''));
  expect(done.stdout).toMatch(
    /wb revision 2 \(changed\)\n {2}webhook \S+\/hooks\/default\/moved\nwa revision 2 \(changed\)\n {2}removed schedule daily\n {2}removed webhook \/hooks\/default\/moved\n/,
  );
  const [back, given] = (await json('apply', file('wa', moved), file('wb', ''))).items;
  expect(back.triggers.webhooks).toMatchObject([{ id }]);
  expect(back.triggers.webhooks[0]).not.toHaveProperty('secret');
  expect(given.triggers.removed.webhooks).toEqual([{ id, path: 'default/moved' }]);
});
