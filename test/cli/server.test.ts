// Commands with --server: over the HTTP API of a service, without a database, with the answers that the database would give.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_KEY, openService, type TestService } from '../support/service.ts';
import { type Answer, openStub, type Received } from '../tasks/outbound/support/stub-server.ts';
import { runCli } from './support/run-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'dagwright-server-'));
const HOSTS = { HOME: folder, LOG_LEVEL: 'silent' };
let service: TestService;
let acme: { id: string; key: string };

beforeAll(async () => {
  service = await openService({ withKeys: true, listen: true, worker: true });
  acme = await service.tenant('acme');
});
afterAll(async () => {
  await service.close();
  rmSync(folder, { recursive: true, force: true });
});

const remote = (...args: string[]) =>
  runCli([...args, '--server', service.url, '--key', acme.key], { cwd: folder, env: HOSTS });
const asOperator = (...args: string[]) =>
  runCli([...args, '--server', service.url, '--key', ADMIN_KEY], { cwd: folder, env: HOSTS });
const local = (...args: string[]) =>
  runCli([...args, '--tenant', 'acme'], {
    cwd: folder,
    env: { ...HOSTS, DATABASE_URL: service.database.url },
  });
const file = (name: string, text: object | string) => {
  writeFileSync(join(folder, name), typeof text === 'string' ? text : JSON.stringify(text));
  return join(folder, name);
};
const refusing =
  (status: number) =>
  (code: string): Answer =>
  (_, response) =>
    void response.writeHead(status).end(JSON.stringify({ code, detail: `it is ${code}`, errors: [] }));
const flow = (workflowId: string, taskType = 'probe') => ({
  workflowId,
  nodes: [{ taskId: 'a', taskType }],
});

describe('with --server', () => {
  it('definitions are checked by the types of its workers, saved and run, and nothing needs a database here', async () => {
    const bad = await remote(
      'apply',
      file('good.json', flow('good')),
      file('bad.json', flow('bad', 'nosuch')),
    );
    expect(bad).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/bad\.json#\/nodes\/0\/taskType: there is no task type/),
    });
    expect((await remote('validate', file('good.json', flow('good')))).code).toBe(0);
    const yaml = file('good.yaml', 'workflowId: good\nnodes:\n  - { taskId: a, taskType: probe }\n');
    expect((await remote('apply', yaml)).stdout).toMatch(/^good revision 1 \(created\)/);
    const run = await remote('run', 'good', '--input', '{"x":1}', '--json');
    expect(JSON.parse(run.stdout)).toMatchObject({
      status: 'completed',
      input: { x: 1 },
      tasks: [{ taskId: 'a' }],
    });
    expect(await remote('run', file('more.json', flow('more')))).toMatchObject({ code: 0 });
    expect(existsSync(join(folder, '.dagwright'))).toBe(false);
  });

  it('acts do what they do in the database', async () => {
    expect((await remote('variables', 'set', 'region', '"eu"')).stdout).toMatch(/region is made/);
    expect((await remote('variables', 'set', 'region', '"us"')).stdout).toMatch(/region is set/);
    expect((await remote('variables', 'get', 'region')).stdout.trim()).toBe('"us"');
    expect((await remote('schedules', 'create', 'good', 'daily', '0 9 * * *', '--json')).code).toBe(0);
    const { items } = JSON.parse((await remote('schedules', 'list', '--json')).stdout);
    expect((await remote('schedules', 'pause', items[0].id)).code).toBe(0);
    expect(JSON.parse((await local('schedules', 'show', items[0].id, '--json')).stdout).status).toBe(
      'paused',
    );
    const made = JSON.parse((await remote('keys', 'create', 'ci', '--roles', 'viewer', '--json')).stdout);
    expect(made.key).toMatch(/^dw_/);
    expect((await remote('keys', 'revoke', made.id)).stdout).toMatch(/ci is revoked/);
    expect((await remote('workflows', 'archive', 'more')).stdout).toMatch(/more is archived/);
    const waiting = file('waiting.json', {
      workflowId: 'waiting',
      nodes: [{ taskId: 'w', taskType: 'wait', config: { seconds: 3_600 } }],
    });
    await remote('apply', waiting);
    const { id } = (
      await service.call('POST', '/v1/workflows/waiting/executions', { key: acme.key, body: {} })
    ).body;
    expect((await remote('executions', 'why', id)).code).toBe(0);
    expect((await remote('executions', 'pause', id)).stdout).toMatch(/is paused/);
    expect((await remote('executions', 'cancel', id, '--reason', 'enough')).stdout).toMatch(/is cancelled/);
    expect((await remote('executions', 'cancel', id)).code).toBe(0);
  });

  it.each([
    ['executions list'],
    ['executions list --limit 1'],
    ['executions list --status completed'],
    ['workflows list'],
    ['workflows list --limit 1'],
    ['workflows show good'],
    ['workflows revisions good'],
    ['variables list'],
    ['variables get region'],
    ['schedules list'],
    ['keys list'],
    ['audit list --limit 3'],
    ['webhooks list'],
  ])('`%s` prints what it prints in the database', async (line) => {
    const args = [...line.split(' '), '--json'];
    const [here, there] = [await local(...args), await remote(...args)];
    expect(there).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(there.stdout)).toEqual(JSON.parse(here.stdout));
  });

  it('a list goes on after its cursor, whichever side gave it', async () => {
    const page = async (run: typeof remote, ...more: string[]) =>
      JSON.parse((await run('executions', 'list', '--limit', '1', '--json', ...more)).stdout);
    const first = await page(local);
    expect(await page(remote, '--cursor', first.nextCursor)).toEqual(
      await page(local, '--cursor', (await page(remote)).nextCursor),
    );
  });

  it("the operator's key acts for the installation, and in the tenant that is named", async () => {
    expect((await asOperator('tenants', 'create', 'newer')).code).toBe(0);
    expect((await asOperator('tenants', 'update', 'newer', '--tier', '3')).code).toBe(0);
    expect((await asOperator('tenants', 'show', 'newer')).stdout).toMatch(/tier +3/);
    expect((await asOperator('services', 'set', 'crm', '--max-concurrency', '2')).code).toBe(0);
    expect((await asOperator('services', 'list')).stdout).toMatch(/crm/);
    expect((await asOperator('variables', 'list', '--tenant', 'acme')).stdout).toMatch(/region/);
    expect((await asOperator('variables', 'list', '--tenant', 'newer')).stdout).not.toMatch(/region/);
    expect((await asOperator('variables', 'list', '--tenant', 'nobody')).stderr).toMatch(
      /no tenant "nobody"/,
    );
  });

  it('a key that goes elsewhere unencrypted is warned of, once a command; none, https and this machine are not', async () => {
    const WARNING = /^warning: the key goes to http:\/\/0\.0\.0\.0:\d+ unencrypted.*\n$/;
    // No loopback address, and yet this machine.
    const elsewhere = service.url.replace('127.0.0.1', '0.0.0.0');
    const run = (env: Record<string, string>, ...args: string[]) =>
      runCli(['webhooks', 'list', ...args], { cwd: folder, env: { ...HOSTS, ...env } });
    expect(await run({}, '--server', elsewhere, '--key', acme.key)).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(WARNING),
    });
    const byOperator = { DAGWRIGHT_URL: elsewhere, DAGWRIGHT_KEY: ADMIN_KEY };
    expect((await run(byOperator, '--tenant', 'acme', '--json')).stderr).toMatch(WARNING);
    expect((await run({}, '--server', elsewhere)).stderr).not.toMatch(/unencrypted/);
    for (const url of [service.url, service.url.replace('127.0.0.1', 'localhost'), 'https://0.0.0.0:1'])
      expect((await run({}, '--server', url, '--key', acme.key)).stderr, url).not.toMatch(/unencrypted/);
  });

  it('what is refused is refused in the words of the command, and what it cannot do is said', async () => {
    expect((await remote('variables', 'get', 'nosuch')).stderr).toMatch(
      /\[not_found\]\n {2}hint: dagwright variables list/,
    );
    expect((await remote('tenants', 'list')).code).toBe(1);
    expect((await remote('doctor')).stderr).toMatch(/--server does not do it/);
    expect(
      (await remote('migrate')).stderr + (await remote('retention', 'run', '--days', '1')).stderr,
    ).toMatch(/--server does not do it/);
    const unknown = await runCli(['variables', 'list', '--server', service.url, '--key', 'dw_wrong'], {
      cwd: folder,
      env: HOSTS,
    });
    expect(unknown).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/hint: --key KEY, or DAGWRIGHT_KEY/),
    });
    const away = await runCli(['variables', 'list', '--server', 'http://127.0.0.1:1'], {
      cwd: folder,
      env: HOSTS,
    });
    expect(away.stderr).toMatch(/127\.0\.0\.1:1 does not answer: \w/);
  });

  it('--ephemeral stays here whatever is set, and what is about the database itself is refused', async () => {
    const env = { ...HOSTS, DAGWRIGHT_URL: service.url, DAGWRIGHT_KEY: acme.key };
    const here = (...args: string[]) => runCli(args, { cwd: folder, env });
    const both = await here('run', 'x.json', '--ephemeral', '--server', service.url);
    expect([both.code, both.stderr]).toEqual([
      2,
      expect.stringContaining('a service has a database of its own'),
    ]);
    for (const line of ['pricing list', 'retention run --days 9000'])
      expect(await here(...line.split(' '))).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('this needs the database'),
      });
    for (const [address, meant] of [
      ['127.0.0.1:3000', '--server http://127.0.0.1:3000 (or https://)'],
      ['me:hunter2@host', '--server https://dagwright.example.com'],
    ] as const) {
      const { stderr } = await here('workflows', 'list', '--server', address);
      expect(stderr).toContain(`hint: ${meant}`);
      expect(stderr).not.toContain('hunter2');
    }
    const withUser = await here('workflows', 'list', '--server', 'http://me:hunter2@127.0.0.1:1');
    expect([withUser.code, withUser.stderr]).toEqual([2, expect.not.stringContaining('hunter2')]);
  });

  it('an open service acts in the tenant that is named, else as default', async () => {
    await using open = await openService({ listen: true });
    const at = (...args: string[]) => runCli([...args, '--server', open.url], { cwd: folder, env: HOSTS });
    expect((await at('tenants', 'create', 'other')).code).toBe(0);
    expect((await at('variables', 'set', 'region', '"eu"', '--tenant', 'other')).code).toBe(0);
    expect((await at('variables', 'list', '--tenant', 'other')).stdout).toMatch(/region/);
    expect((await at('variables', 'list')).stdout).not.toMatch(/region/);
  });

  it('the address of a webhook is what the service says, and no guess', async () => {
    await remote('apply', file('good.json', flow('good')));
    const made = await remote('webhooks', 'create', 'good', 'hooked', '--verifier', 'github');
    expect(made.code).toBe(0);
    expect(made.stderr).not.toMatch(/PORT|DAGWRIGHT_PUBLIC_URL/);
  });

  it('what stands for the service and sends elsewhere is told; the key goes nowhere', async () => {
    const asked: string[] = [];
    const other = await openStub(({ headers }, response) => {
      asked.push(String(headers.authorization));
      response.end('{"items":[],"nextCursor":null}');
    });
    let status = 301;
    const stub = await openStub((_, response) => {
      response.writeHead(status, { location: `${other.origin}/v1/variables` });
      response.end();
    });
    const at = (...args: string[]) =>
      runCli([...args, '--server', stub.origin, '--key', acme.key], { cwd: folder, env: HOSTS });
    for (status of [301, 302, 303, 307, 308])
      for (const line of ['variables list', 'variables set x 1', 'run some'])
        expect(await at(...line.split(' ')), `${status} ${line}`).toMatchObject({
          code: 1,
          stderr: expect.stringMatching(/127\.0\.0\.1:\d+ sends elsewhere: http.*\[redirected\]/),
        });
    expect(asked).toEqual([]);
    await Promise.all([stub.close(), other.close()]);
  });

  it('a run outlasts what passes: a service that is deployed anew, busy or away', async () => {
    const passing: Answer[] = [
      refusing(503)('unavailable'),
      refusing(429)('rate_limited'),
      (_, response) => response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad Gateway</h1>'),
      (_, response) => void response.destroy(),
    ];
    // When it has ended, and is shown.
    const late: Answer[] = [refusing(503)('database_unavailable')];
    let hasEnded = false;
    const forward = async ({ method, target, headers, body }: Received, response: ServerResponse) => {
      const { authorization = '', 'content-type': type = 'application/json' } = headers;
      const answer = await fetch(service.url + target, {
        method,
        headers: { authorization, 'content-type': type },
        ...(body === '' ? {} : { body }),
      });
      const text = await answer.text();
      hasEnded ||= text.includes('"status":"completed"');
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(text);
    };
    const stub = await openStub((request, response) => {
      const bad =
        request.method === 'GET' ? (passing.shift() ?? (hasEnded ? late.shift() : undefined)) : undefined;
      if (bad === undefined) void forward(request, response);
      else bad(request, response);
    });
    await remote('apply', file('good.json', flow('good')));
    const run = await runCli(['run', 'good', '--json', '--server', stub.origin, '--key', acme.key], {
      cwd: folder,
      env: HOSTS,
    });
    expect({ code: run.code, left: [...passing, ...late] }, run.stderr).toEqual({ code: 0, left: [] });
    expect(JSON.parse(run.stdout)).toMatchObject({ status: 'completed' });
    await stub.close();
  });

  it('what a service refuses while it is waited for ends the run', async () => {
    const stub = await openStub(({ method }, response) =>
      method === 'POST'
        ? response.writeHead(202).end('{"id":"00000000-0000-7000-8000-000000000abc","status":"pending"}')
        : refusing(401)('unauthorized')(null as never, response),
    );
    const run = await runCli(['run', 'good', '--server', stub.origin, '--key', acme.key], {
      cwd: folder,
      env: HOSTS,
    });
    expect(run).toMatchObject({ code: 1, stderr: expect.stringMatching(/\[unauthorized\]/) });
    expect(stub.received).toHaveLength(2);
    await stub.close();
  });

  it('settings name the service too, where no database is set', async () => {
    const env = { ...HOSTS, DAGWRIGHT_URL: service.url, DAGWRIGHT_KEY: acme.key };
    expect((await runCli(['variables', 'list'], { cwd: folder, env })).stdout).toMatch(/region/);
    const both = { ...env, DATABASE_URL: service.database.url };
    expect((await runCli(['variables', 'list'], { cwd: folder, env: both })).stdout).not.toMatch(/region/);
  });
});
