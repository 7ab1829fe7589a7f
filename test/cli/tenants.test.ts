// dagwright tenants, keys and audit, as their users see them: stdout, stderr, exit codes.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../src/db/connection/connection.ts';
import { startExecutions } from '../../src/db/executions/execution-starts.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { runCli } from './support/run-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'dagwright-tenants-'));
let own: TestDatabase;
let database: Database;

beforeAll(async () => {
  own = await createDatabase();
  database = openDatabase(own.url);
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await database.close();
  await own.drop();
});

const dagwright = (...args: string[]) =>
  runCli(args, { cwd: folder, env: { HOME: folder, DATABASE_URL: own.url, LOG_LEVEL: 'warn' } });

const json = async (...args: string[]) => JSON.parse((await dagwright(...args, '--json')).stdout);

test('a tenant is made, shown, changed, suspended and listed', async () => {
  const made = await json('tenants', 'create', 'acme', '--tier', '2', '--display-name', 'Acme Ltd');
  expect(made).toMatchObject({ name: 'acme', displayName: 'Acme Ltd', tier: 2, status: 'active' });
  expect((await dagwright('tenants', 'show', 'acme')).stdout).toContain(`X-Tenant-Id: ${made.id}`);
  const changed = await json('tenants', 'update', 'acme', '--status', 'suspended');
  expect(changed).toMatchObject({ id: made.id, displayName: 'Acme Ltd', tier: 2, status: 'suspended' });
  expect((await json('tenants', 'list')).items.map(({ name }: { name: string }) => name)).toEqual([
    'acme',
    'default',
  ]);
  expect((await dagwright('tenants', 'list')).stdout).toMatch(/acme +\S+ +2 +suspended/);
  const actors = await database.engine.query('select distinct actor from dagwright.audit_logs');
  expect(actors.rows).toEqual([{ actor: 'cli' }]);
});

test('tenants set says how much of the workers a tenant may have', async () => {
  await json('tenants', 'create', 'busy');
  const set = await json('tenants', 'set', 'busy', '--weight', '4', '--max-running-tasks', '8');
  expect(set).toMatchObject({ weight: 4, limits: { maxRunningTasks: 8, maxStartsPerMinute: null } });
  expect((await dagwright('tenants', 'set', 'busy', '--max-starts-per-minute', '60')).stdout).toContain(
    'weight 4; at most 8 running tasks, 60 starts a minute',
  );
  const lifted = await json('tenants', 'set', 'busy', '--max-running-tasks', 'none');
  expect(lifted.limits).toEqual({
    maxRunningTasks: null,
    maxStartsPerMinute: 60,
    maxWaitingExecutions: null,
  });
});

test('a start in a suspended tenant names the command that lets it go on', async () => {
  await json('tenants', 'create', 'resting');
  await json('tenants', 'update', 'resting', '--status', 'suspended');
  writeFileSync(
    join(folder, 'flow.yaml'),
    'workflowId: flow\nnodes: [{ taskId: a, taskType: transformation, config: { output: 1 } }]\n',
  );
  expect((await json('run', join(folder, 'flow.yaml'), '--tenant', 'resting')).errors).toMatchObject([
    { code: 'tenant_suspended', hint: 'dagwright tenants update resting --status active' },
  ]);
});

test('a run beyond the limits of its tenant is refused, and names the command that shows them', async () => {
  const { id } = await json('tenants', 'create', 'full');
  await json('tenants', 'set', 'full', '--max-waiting-executions', '1');
  const file = join(folder, 'full.yaml');
  writeFileSync(
    file,
    'workflowId: full\nnodes: [{ taskId: a, taskType: transformation, config: { output: 1 } }]\n',
  );
  await json('apply', file, '--tenant', 'full');
  const later = { workflowId: 'full', triggerType: 'manual', runAt: '2100-01-01T00:00:00Z' } as const;
  expect(await startExecutions(database.engine, id, [later])).toMatchObject([{ ok: true }]);
  for (const what of [file, 'full']) {
    const refused = await dagwright('run', what, '--tenant', 'full', '--json');
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stdout).errors).toMatchObject([
      { code: 'too_many_waiting', hint: 'dagwright tenants show full' },
    ]);
  }
});

test.for([
  [['tenants', 'create', 'Acme'], 2, /<name>: expected 1 to 63 of a-z, 0-9 and -/],
  [['tenants', 'set', 'default'], 2, /nothing to set/],
  [['tenants', 'set', 'default', '--max-running-tasks', '0'], 2, /a whole number from 1 to 1000/],
  [['tenants', 'create', 'long', '--display-name', 'x'.repeat(201)], 2, /expected 1 to 200 characters/],
  [['tenants', 'update', 'default', '--display-name', ''], 2, /expected 1 to 200 characters/],
  [
    ['tenants', 'create', 'default'],
    1,
    /^error: there is a tenant "default" \[name_taken\]\n {2}hint: dagwright tenants show default\n$/,
  ],
  [['tenants', 'update', 'default'], 2, /nothing to change/],
  [['tenants', 'update', 'nobody', '--tier', '2'], 1, /there is no tenant "nobody"/],
  [['tenants', 'show', 'nobody'], 1, /there is no tenant "nobody"/],
  [['keys', 'list', '--tenant', 'nobody'], 1, /dagwright tenants create/],
  [['keys', 'create', 'x'], 2, /needs --roles or --scopes/],
  [['keys', 'create', 'x', '--roles', 'owner'], 2, /"owner" is no role/],
  [['keys', 'create', 'x', '--scopes', 'everything'], 2, /"everything" is no scope/],
  [['keys', 'create', 'x', '--roles', 'admin', '--subject', 'key:1'], 2, /--subject must not be/],
  [['keys', 'create', 'x', '--roles', 'admin', '--expires-at', '2001-01-01'], 2, /in the future/],
  [['keys', 'create', 'x', '--roles', 'admin', '--expires-at', 'soon'], 2, /is no instant/],
  [['keys', 'revoke', 'x'], 2, /is not an id/],
  [['keys', 'revoke', '00000000-0000-7000-8000-000000000001'], 1, /there is no key/],
  [['audit', 'list', '--from', 'yesterday'], 2, /is no date or instant/],
] as const)('%j ends with %i', async ([args, code, message]) => {
  const finished = await dagwright(...args);
  expect([finished.code, finished.stderr]).toEqual([code, expect.stringMatching(message)]);
});

test('a key is printed once, belongs to the tenant of --tenant, and is revoked', async () => {
  await json('tenants', 'create', 'other');
  const made = await dagwright('keys', 'create', 'ci', '--tenant', 'other', '--roles', 'editor');
  expect(made.stdout).toMatch(/^dw_[0-9a-f]{32}_[\w-]{43}\n$/);
  const { items } = await json('keys', 'list', '--tenant', 'other');
  expect(items).toMatchObject([{ name: 'ci', roles: ['editor'], createdBy: 'cli', revokedAt: null }]);
  expect((await json('keys', 'list')).items).toEqual([]);
  expect((await dagwright('keys', 'revoke', items[0].id)).code).toBe(1);
  expect((await json('keys', 'revoke', items[0].id, '--tenant', 'other')).revokedAt).not.toBeNull();
  expect((await dagwright('keys', 'list', '--tenant', 'other')).stdout).toMatch(/ci +editor +revoked/);
});

test('the audit trail is listed by what, who and when', async () => {
  await json('tenants', 'create', 'audited');
  await json('tenants', 'update', 'audited', '--tier', '3');
  const list = (...args: string[]) => json('audit', 'list', '--tenant', 'audited', ...args);
  const all = await list();
  expect(all.items).toMatchObject([
    { actor: 'cli', action: 'tenants.update', oldValues: { tier: 1 }, newValues: { tier: 3 } },
    { actor: 'cli', action: 'tenants.create', newValues: { name: 'audited' } },
  ]);
  expect((await list('--action', 'tenants.create')).items).toEqual([all.items[1]]);
  expect((await list('--to', all.items[0].at)).items).toEqual([all.items[1]]);
  expect((await list('--from', '2999-01-01')).items).toEqual([]);
  const first = await list('--limit', '1');
  expect(await list('--cursor', first.nextCursor)).toEqual({ items: [all.items[1]], nextCursor: null });
  expect((await dagwright('audit', 'list', '--tenant', 'audited')).stdout).toMatch(
    /tenants\.update.*tier 1 -> 3/,
  );
  await json('services', 'set', 'openai', '--max-concurrency', '4');
  expect((await json('audit', 'list', '--installation')).items).toMatchObject([
    { actor: 'cli', action: 'service-limits.create', resourceId: 'openai' },
  ]);
});

test('start refuses a database that would not keep tenants apart, and says what mends it', async () => {
  await database.engine.query(
    `set role none; alter table dagwright.schedules no force row level security; set role dagwright_engine`,
  );
  const refused = await dagwright('start', '--role', 'worker');
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringMatching(
      /schedules: row-level security is not forced.*\n.*alter table dagwright\.schedules force/,
    ),
  ]);
});
