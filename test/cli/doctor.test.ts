// dagwright doctor and health as operators run them: real processes, what they say about a database with something wrong.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WorkflowDefinition } from '../../src/core/definition/model.ts';
import { openDatabase } from '../../src/db/connection/connection.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { applyDefinition } from '../../src/db/resources/definitions.ts';
import { BEGIN } from '../support/begin.ts';
import { createDatabase, createEmptyDatabase } from '../support/database.ts';
import { MAIN, runCli } from './support/run-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'dagwright-doctor-'));
let database: Awaited<ReturnType<typeof createDatabase>>;
let admin: pg.Client;

interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail' | 'skip';
  readonly message: string;
  readonly hint: string | null;
}

const dagwright = (args: readonly string[], env: Record<string, string> = {}) =>
  runCli(args, { cwd: folder, env: { HOME: folder, DATABASE_URL: database.url, LOG_LEVEL: 'warn', ...env } });

/** All checks by name. */
async function doctor(env: Record<string, string> = {}) {
  const { code, stdout } = await dagwright(['doctor', '--json'], env);
  const { checks } = JSON.parse(stdout) as { checks: Check[] };
  return { code, stdout, by: new Map(checks.map((check) => [check.name, check])) };
}

/** What doctor says while `wrong` holds; undone afterwards by `right`. */
async function whileWrong(wrong: string, right: string): Promise<Awaited<ReturnType<typeof doctor>>> {
  await admin.query(wrong);
  try {
    return await doctor();
  } finally {
    await admin.query(right);
  }
}

beforeAll(async () => {
  database = await createDatabase();
  admin = new pg.Client({ connectionString: database.url });
  admin.on('error', () => {});
  await admin.connect();
});
afterAll(async () => {
  await admin.end();
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

describe('dagwright doctor', () => {
  it('finds nothing wrong with a sound database, but for what the server of the tests gives up', async () => {
    const { by } = await doctor();
    const bad = [...by.values()].filter(({ status, name }) => status === 'fail' && name !== 'durability');
    expect(bad).toEqual([]);
    expect([...by.keys()]).toEqual([
      'settings',
      'database',
      'migrations',
      'roles',
      'policies',
      'isolation',
      'sessions',
      'clock',
      'room',
      'durability',
      'transactions',
      'vacuum',
      'workers',
      'task types',
      'queue',
      'orphans',
      'schedules',
      'prices',
      'secrets',
    ]);
    for (const { status, hint } of by.values()) expect(hint === null).toBe(status === 'ok');
    const { rows } = await admin.query('select count(*)::int as n from dagwright.tenants');
    expect(rows, 'the try of the isolation leaves nothing').toEqual([{ n: 1 }]);
    const fsync = (await admin.query(`select current_setting('fsync') as value`)).rows[0].value;
    expect(by.get('durability')!.status).toBe(fsync === 'off' ? 'fail' : 'ok');
  });

  it('fails where row-level security is not forced, and names the table', async () => {
    const { code, by } = await whileWrong(
      'alter table dagwright.task_attempts no force row level security',
      'alter table dagwright.task_attempts force row level security',
    );
    expect(code).toBe(1);
    expect(by.get('policies')).toMatchObject({
      status: 'fail',
      message: expect.stringMatching(/task_attempts.*not forced/),
    });
    expect(by.get('isolation')!.status, 'the other checks go on').toBe('ok');
  });

  it('fails where a policy is missing, and says how to make it', async () => {
    const policy = `tenant_isolation on dagwright.task_attempts`;
    const own = `tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid`;
    const { code, by } = await whileWrong(
      `drop policy ${policy}`,
      `create policy ${policy} to dagwright_owner, dagwright_tenant using (${own}) with check (${own})`,
    );
    expect(code).toBe(1);
    expect(by.get('policies')).toMatchObject({
      status: 'fail',
      message: expect.stringMatching(/task_attempts: policy tenant_isolation is missing/),
      hint: expect.stringMatching(/^create policy tenant_isolation on dagwright\.task_attempts to /),
    });
  });

  it('fails where a policy lets everybody in, by the catalogue and by trying', async () => {
    const { by } = await whileWrong(
      'create policy oops on dagwright.workflow_executions to public using (true)',
      'drop policy oops on dagwright.workflow_executions',
    );
    expect(by.get('policies')).toMatchObject({
      status: 'fail',
      message: expect.stringMatching(/workflow_executions: policy oops/),
    });
    expect(by.get('isolation')).toMatchObject({
      status: 'fail',
      message: expect.stringMatching(/another tenant sees 1 row\(s\) in workflow_executions/),
    });
  });

  it('fails for a view that runs with the rights of its owner', async () => {
    const { by } = await whileWrong(
      'create view dagwright.v_open as select id from dagwright.workflow_executions',
      'drop view dagwright.v_open',
    );
    expect(by.get('policies')).toMatchObject({
      status: 'fail',
      message: expect.stringMatching(/view v_open/),
    });
  });

  it('shows orphans, jobs locked by nobody, and workers that are silent', async () => {
    const worker = '00000000-0000-7000-8000-00000000000a';
    const { by } = await whileWrong(
      `insert into dagwright.workers (id, host, pid, concurrency, started_at, heartbeat_at, beating_since, lease_seconds)
         values ('${worker}', 'elsewhere', 7, 1, now(), now() - interval '1 hour', now(), 15);
       select graphile_worker.add_job('dagwright', '{"e":"${worker}"}');
       update graphile_worker._private_jobs set locked_by = 'nobody', locked_at = now();
       insert into dagwright.workflow_executions (id, tenant_id, workflow_id, revision, version_id, trigger_type, input, created_at)
         values ('00000000-0000-7000-8000-00000000000b', '00000000-0000-7000-8000-000000000001', 'w', 1, '${worker}', 'sql', '{}', now())`,
      `delete from dagwright.workers; delete from graphile_worker._private_jobs; delete from dagwright.workflow_executions`,
    );
    expect(by.get('workers')).toMatchObject({
      status: 'warn',
      message: expect.stringMatching(/process 7 on elsewhere has been silent/),
    });
    expect(by.get('queue')).toMatchObject({
      status: 'warn',
      message: expect.stringMatching(/1 job\(s\) locked by pools of no/),
    });
    expect(by.get('orphans')).toMatchObject({
      status: 'fail',
      message: expect.stringMatching(/pending execution without a job/),
    });
  });

  it('names the task types that no live worker has, with who needs them and what waits', async () => {
    const own = openDatabase(database.url);
    const needy = {
      workflowId: 'needy',
      nodes: [{ taskId: 'a', taskType: 'resize', dependsOn: [], config: {} }],
    };
    await applyDefinition(own, DEFAULT_TENANT_ID, needy as WorkflowDefinition, 'test');
    await own.close();
    const worker = (types: object | null) =>
      `insert into dagwright.workers (id, host, pid, concurrency, started_at, heartbeat_at, beating_since, lease_seconds, types)
         values (gen_random_uuid(), 'here', 1, 1, now(), now(), now(), 15, ${types === null ? 'null' : `'${JSON.stringify(types)}'`});`;
    const job = `select dagwright.add_jobs_v3(array['{"e":"x"}'::json], 5, false, 'dagwright:resize');`;
    const right = 'delete from dagwright.workers; delete from graphile_worker._private_jobs';
    const said = async (wrong: string) => (await whileWrong(wrong, right)).by.get('task types');
    expect(await said(job + worker({ crop: 'h1' }))).toMatchObject({
      status: 'warn',
      message: 'no live worker has the task type "resize" (1 job(s) wait, needed by needy)',
      hint: expect.stringMatching(/DAGWRIGHT_TASKS/),
    });
    expect(await said(worker({ resize: 'h1' }) + worker({ resize: 'h2' }))).toMatchObject({
      status: 'warn',
      message: expect.stringMatching(/different config schemas of resize/),
    });
    // One of the release before may have it.
    expect(await said(worker({ crop: 'h1' }) + worker(null))).toMatchObject({ status: 'ok' });
    await admin.query('delete from dagwright.workflow_versions; delete from dagwright.workflow_definitions');
  });

  it('tells that schedules are overdue and nobody looks after them', async () => {
    const schedule = `insert into dagwright.schedules (id, tenant_id, workflow_id, name, cron_expression, next_run_at, due_at, created_by)
      select gen_random_uuid(), id, 'w', 'late', '* * * * *', now() - interval '5 minutes', now() - interval '5 minutes', 'test' from dagwright.tenants`;
    const scheduler = `insert into dagwright.schedulers (id, host, pid, started_at, heartbeat_at) values (gen_random_uuid(), 'h', 1, now(), now())`;
    const nobody = await whileWrong(schedule, 'delete from dagwright.schedules');
    expect(nobody.code).toBe(1);
    expect(nobody.by.get('schedules')).toMatchObject({
      status: 'fail',
      message: expect.stringMatching(/^1 active, 0 scheduler\(s\) alive; 1 overdue by up to 5 m/),
      hint: expect.stringContaining('dagwright start --role scheduler'),
    });
    const slow = await whileWrong(
      `${schedule}; ${scheduler}`,
      'delete from dagwright.schedules; delete from dagwright.schedulers',
    );
    expect(slow.by.get('schedules')!.status).toBe('warn');
  });

  it('counts a transaction that is open elsewhere, and says how old it is', async () => {
    const other = new pg.Client({ connectionString: database.url });
    await other.connect();
    try {
      await other.query(BEGIN);
      await other.query('select txid_current()');
      expect((await doctor()).by.get('transactions')!.message).not.toMatch(/ 0 ms old/);
    } finally {
      await other.end();
    }
  });

  it('warns of a secret that is too short to be hidden, without showing it', async () => {
    const { by, stdout } = await doctor({
      DAGWRIGHT_SECRET_PIN: 'q7z!',
      DAGWRIGHT_SECRET_LONG: 'long enough',
    });
    expect(by.get('settings')).toMatchObject({
      status: 'warn',
      message: expect.stringMatching(/DAGWRIGHT_SECRET_PIN: too short/),
    });
    expect(by.get('settings')!.message).not.toMatch(/LONG/);
    expect(stdout).not.toMatch(/q7z!/);
  });

  it('names the command where migrations are missing, and makes every check', async () => {
    const empty = await createEmptyDatabase();
    try {
      const { code, by } = await doctor({ DATABASE_URL: empty.url });
      expect(code).toBe(1);
      expect(by.get('migrations')).toMatchObject({ status: 'fail', hint: 'run: dagwright migrate' });
      expect(by.get('clock')!.status).toBe('ok');
      expect(by.size).toBe(19);
      const failed = [...by.values()].filter(
        ({ status, name }) => status === 'fail' && name !== 'durability',
      );
      expect(
        failed.map(({ name }) => name),
        'one cause is one failure',
      ).toEqual(['migrations']);
      expect(by.get('isolation')).toMatchObject({
        status: 'skip',
        message: 'not looked at: mend "migrations" first',
        hint: null,
      });
    } finally {
      await empty.drop();
    }
  });

  it('says when the database cannot be reached, and never its password', async () => {
    const url = 'postgres://someone:not-for-eyes%21@127.0.0.1:1/none';
    for (const args of [['doctor'], ['doctor', '--json'], ['health'], ['health', '--json']]) {
      const { code, stdout, stderr } = await dagwright(args, { DATABASE_URL: url });
      expect(code).toBe(1);
      expect(stdout + stderr).toMatch(/ECONNREFUSED/);
      expect(stdout + stderr).not.toMatch(/not-for-eyes/);
    }
  });
});

describe('dagwright health', () => {
  it('fails without a worker, succeeds beside one that beats, fails when it has gone', async () => {
    expect(await dagwright(['health'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`no worker of ${hostname()}`),
    });
    const worker = spawn(process.execPath, [MAIN, 'start', '--role', 'worker'], {
      cwd: folder,
      env: { PATH: process.env.PATH, HOME: folder, DATABASE_URL: database.url, NODE_ENV: 'production' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    try {
      await new Promise<void>((resolve, reject) => {
        let log = '';
        worker.stderr.on('data', (chunk) => {
          log += chunk;
          if (log.includes('the worker takes tasks')) resolve();
        });
        worker.once('exit', () => reject(new Error(log)));
      });
      const { code, stdout } = await dagwright(['health', '--json']);
      expect([code, JSON.parse(stdout).healthy]).toEqual([0, true]);
      expect((await doctor()).by.get('workers')).toMatchObject({
        status: 'ok',
        message: expect.stringMatching(/^1 alive/),
      });
    } finally {
      worker.removeAllListeners('exit');
      const ended = new Promise<number | null>((resolve) => worker.once('exit', resolve));
      worker.kill('SIGTERM');
      expect(await ended).toBe(0);
    }
    expect((await dagwright(['health'])).code).toBe(1);
  });

  it('takes an unreachable database for no fault of the worker with --live', async () => {
    const env = { DATABASE_URL: 'postgres://someone:word@127.0.0.1:1/none' };
    expect(await dagwright(['health', '--live'], env)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('does not answer'),
    });
  });
});

describe('dagwright start', () => {
  it('refuses to start in production without DATABASE_URL', async () => {
    const { code, stderr } = await dagwright(['start'], { DATABASE_URL: '', NODE_ENV: 'production' });
    expect(code).toBe(1);
    expect(stderr).toMatch(/DATABASE_URL is not set/);
  });
});
