// dagwright webhooks, as its users see it: stdout, stderr, exit codes; and the printed delivery run by a real shell.
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyTo, ORDERS, STRICT, traces } from '../http/support/hooks.ts';
import { fromHmac, send } from '../http/support/senders.ts';
import { secretsInEnvironment } from '../support/installation-secrets.ts';
import { openService, type TestService } from '../support/service.ts';
import { type Finished, runCli } from './support/run-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'dagwright-webhooks-'));
const encryptionKey = randomBytes(32);
const SHOP = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const hasTools = ['openssl', 'curl', 'bash'].every((tool) => spawnSync(tool, ['--help']).error === undefined);

let service: TestService;
beforeAll(async () => {
  service = await openService({
    listen: true,
    encryptionKey,
    secrets: secretsInEnvironment({ SHOP }, { isShared: true }),
  });
  await applyTo(service, [ORDERS, STRICT]);
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await service.close();
});

const environment = () => ({
  PATH: process.env.PATH,
  HOME: folder,
  DATABASE_URL: service.database.url,
  DAGWRIGHT_PUBLIC_URL: service.url,
  DAGWRIGHT_ENCRYPTION_KEY: encryptionKey.toString('base64'),
  DAGWRIGHT_SECRET_SHOP: SHOP,
  LOG_LEVEL: 'warn',
});

const webhooks = (args: readonly string[], env: Record<string, string> = {}) =>
  dagwright(['webhooks', ...args], env);

const dagwright = (args: readonly string[], env: Record<string, string>) =>
  runCli(args, { cwd: folder, env: { ...environment(), ...env } });

async function json(...args: string[]) {
  const { stdout, stderr } = await webhooks([...args, '--json']);
  try {
    return JSON.parse(stdout);
  } catch {
    throw new Error(`${stdout}\n${stderr}`);
  }
}

describe('dagwright webhooks', () => {
  it('create prints the secret once; list, show, update and delete never', async () => {
    const made = await json('create', 'orders', 'cli/one', '--verifier', 'github');
    expect(made).toMatchObject({
      path: 'default/cli/one',
      url: `${service.url}/hooks/default/cli/one`,
      createdBy: 'cli',
    });
    expect(made.secret).toMatch(/^[\w-]{43}$/);
    const all = [
      await webhooks(['list']),
      await webhooks(['list', '--json']),
      await webhooks(['show', made.id]),
      await webhooks(['update', made.id, '--priority', '9', '--json']),
    ];
    expect(all.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(JSON.stringify(all)).not.toContain(made.secret);
    expect(JSON.parse(all[3]!.stdout)).toMatchObject({ priority: 9, verifier: 'github' });
    const renewed = await json('update', made.id, '--new-secret', '--previous-secret-expires-in', '0');
    expect(renewed.secret).not.toBe(made.secret);
    expect(renewed.secrets).toHaveLength(1);
    expect((await webhooks(['delete', made.id])).code).toBe(0);
    expect(await webhooks(['show', made.id])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no webhook'),
    });
  });

  it('takes filters and mappings from files, and shows events; replay starts them', async () => {
    const mapping = join(folder, 'mapping.json');
    writeFileSync(mapping, '{ "name": "{{ body.who.name }}" }');
    const made = await json(
      'create',
      'strict',
      'cli/two',
      '--verifier',
      'hmac',
      '--input-mapping',
      `@${mapping}`,
    );
    const url = `${service.url}/hooks/${made.path}`;
    const { body } = await send(url, fromHmac('{"name":"Ann"}', { secret: made.secret, id: 'd1' }));
    expect(body.status).toBe('failed');
    const events = await json('events', made.id, '--status', 'failed');
    expect(events.items).toMatchObject([{ id: body.eventId, error: { code: 'missing_path' } }]);
    expect((await webhooks(['replay', made.id, body.eventId])).code).toBe(1);
    await json('update', made.id, '--input-mapping', '{ "name": "{{ body.name }}" }');
    expect(await json('replay', made.id, body.eventId)).toEqual({
      eventId: body.eventId,
      status: 'processed',
      executionId: expect.any(String),
    });
    expect(await json('events', made.id, body.eventId)).toMatchObject({ body: { name: 'Ann' }, replays: 2 });
  });

  it('refuses what the API refuses, with the same problems', async () => {
    const refused = await webhooks([
      'create',
      'nowhere',
      'Not a path',
      '--filters',
      '[{"fieldPath":"x"}]',
      '--json',
    ]);
    expect(refused.code).toBe(1);
    const pointers = JSON.parse(refused.stdout).errors.map(({ pointer }: { pointer: string }) => pointer);
    expect(pointers).toEqual(expect.arrayContaining(['/path', '/filters/0/operator']));
    expect((await webhooks(['show', 'Not an id'])).code).toBe(2);
    const nulls = await webhooks([
      'create',
      'orders',
      'cli/nulls',
      '--filters',
      'null',
      '--options',
      'null',
      '--json',
    ]);
    expect(nulls.code).toBe(1);
    expect(
      JSON.parse(nulls.stdout)
        .errors.map(({ pointer }: { pointer: string }) => pointer)
        .sort(),
    ).toEqual(['/filters', '/options']);
  });

  it('says which argument is the workflow where there is none of that name', async () => {
    expect((await webhooks(['create', 'shop', 'orders'])).stderr).toContain(
      'hint: webhooks create WORKFLOW_ID PATH; apply its definition first',
    );
  });

  it('says where a secret is stored as it is', async () => {
    const open = await webhooks(['create', 'orders', 'cli/plain', '--json'], {
      DAGWRIGHT_ENCRYPTION_KEY: '',
    });
    expect(open.stderr).toContain('DAGWRIGHT_ENCRYPTION_KEY would protect it');
    expect((await webhooks(['create', 'orders', 'cli/sealed'])).stderr).toBe('');
  });

  it("shows a delivery that reads the tenant's own secret where it has one", async () => {
    const options = ['create', 'orders', 'cli/own', '--secret', '{{ secrets.OWN }}'];
    const missing = await webhooks(options);
    expect(missing.stderr).toContain('there is no DAGWRIGHT_SECRET_OWN');
    const named = await webhooks(options, { DAGWRIGHT_SECRET_DEFAULT__OWN: 'own-of-default-0123' });
    expect(named.stdout).toContain('in a shell where DAGWRIGHT_SECRET_DEFAULT__OWN is set:');
    expect(named.stdout).toContain('x-webhook-secret: $DAGWRIGHT_SECRET_DEFAULT__OWN');
    expect(named.stdout).toContain(
      'running before DAGWRIGHT_SECRET_DEFAULT__OWN was set does not have it: restart it',
    );
  });

  it('says nothing of the kind where no secret is kept, or none came', async () => {
    const none = { DAGWRIGHT_ENCRYPTION_KEY: '' };
    const named = await webhooks(['create', 'orders', 'cli/named', '--secret', '{{ secrets.SHOP }}'], none);
    expect(named.stderr).toBe('');
    expect(named.stdout).toContain('in a shell where DAGWRIGHT_SECRET_SHOP is set:');
    const id = /^id +(\S+)$/m.exec(named.stdout)![1]!;
    expect((await webhooks(['update', id, '--new-secret'], none)).stderr).toContain('would protect it');
    expect((await webhooks(['update', id, '--priority', '9'], none)).stderr).toBe('');
    expect((await webhooks(['update', id, '--json'])).stdout).toContain('nothing to change');
  });
});

it.skipIf(!hasTools)('takes each example of docs/webhooks.md, one for each preset', async () => {
  const page = readFileSync(new URL('../../docs/webhooks.md', import.meta.url), 'utf8').replaceAll(
    '\\\n',
    ' ',
  );
  const examples = [...page.matchAll(/^npx dagwright webhooks (create .*)$/gm)].map(([, line]) =>
    execFileSync('bash', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' })
      .split('\0')
      .slice(0, -1),
  );
  const names = [...page.matchAll(/\{\{ secrets\.(\w+) \}\}/g)].map((match) => match[1]!);
  // A public key, where one is wanted.
  const secrets = names.map((name) => [
    `DAGWRIGHT_SECRET_${name}`,
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
  ]);
  const made: string[] = [];
  for (const [verb = '', workflowId = '', ...rest] of examples) {
    await applyTo(service, [{ ...ORDERS, workflowId }]);
    const { code, stdout, stderr } = await webhooks(
      [verb, workflowId, ...rest, '--json'],
      Object.fromEntries(secrets),
    );
    expect({ code, rest }, stderr).toEqual({ code: 0, rest });
    made.push(JSON.parse(stdout).verifier);
  }
  expect(made).toEqual(expect.arrayContaining(['shopify', 'zoom', 'zendesk', 'twilio', 'discord', 'meta']));
});

describe('dagwright doctor', () => {
  const secrets = async (key: string, more: Record<string, string> = {}) => {
    const env = { DAGWRIGHT_ENCRYPTION_KEY: key, ...more };
    const { stdout } = await dagwright(['doctor', '--json'], env);
    return JSON.parse(stdout).checks.find(({ name }: { name: string }) => name === 'secrets');
  };

  it('tells secrets that are stored as they are, and those under a key that is not there', async () => {
    await service.query('delete from dagwright.webhooks');
    const [key, other] = [encryptionKey.toString('base64'), randomBytes(32).toString('base64')];
    expect(await secrets(key)).toMatchObject({ status: 'ok', message: 'none are kept' });
    const scoped = { DAGWRIGHT_SECRET_DEFAULT__X: 'x'.repeat(9), DAGWRIGHT_SHARED_SECRETS: 'SHOP' };
    expect(await secrets(key, scoped)).toMatchObject({
      status: 'ok',
      message:
        'none are kept; of 2 in the environment 1 of single tenants, 1 shared by all tenants, 1 shared and bound to no host',
    });
    expect(await secrets(key, { DAGWRIGHT_SECRET_ACEM__X: 'x'.repeat(9) })).toMatchObject({
      status: 'warn',
      message: 'DAGWRIGHT_SECRET_ACEM__X: there is no such tenant',
    });
    await webhooks(['create', 'orders', 'doctor/sealed']);
    expect(await secrets(key)).toMatchObject({ status: 'ok', message: 'of 1 webhook(s), sealed' });
    expect(await secrets(`${other},${key}`)).toMatchObject({ status: 'ok' });
    expect(await secrets(other)).toMatchObject({ status: 'fail', hint: expect.stringContaining('NEW,OLD') });
    await webhooks(['create', 'orders', 'doctor/plain'], { DAGWRIGHT_ENCRYPTION_KEY: '' });
    expect(await secrets(key)).toMatchObject({
      status: 'warn',
      message: '1 webhook(s) with a secret that is stored as it is',
    });
    await service.query("delete from dagwright.webhooks where path = 'doctor/plain'");
    await webhooks(['create', 'orders', 'doctor/named', '--secret', '{{ secrets.SHOP }}'], {
      DAGWRIGHT_ENCRYPTION_KEY: '',
    });
    expect(await secrets(key)).toMatchObject({ status: 'ok', message: 'of 1 webhook(s), sealed' });
  });
});

describe.skipIf(!hasTools)('the delivery that create prints (skipped without openssl, curl and bash)', () => {
  const run = (script: string) =>
    new Promise<Finished>((resolve) => {
      const child = execFile('bash', ['-c', script], { env: environment() }, (_, stdout, stderr) =>
        resolve({ code: child.exitCode ?? -1, stdout, stderr }),
      );
    });

  it('has a body that the inputSchema takes, and names the command that shows what became of it', async () => {
    const made = await webhooks(['create', 'strict', 'try/strict']);
    const ran = await run(made.stdout.slice(made.stdout.indexOf('BODY=')));
    const { status, eventId } = JSON.parse(ran.stdout);
    expect(status).toBe('processed');
    const command = /^# what became of it: npx dagwright webhooks (.+)$/m.exec(made.stdout)![1]!.split(' ');
    expect(command).toEqual(['events', 'try/strict']);
    // By the path alone, and as the URL has it; an event, a change and the end of it too.
    expect((await json(...command)).items).toMatchObject([{ id: eventId, status: 'processed' }]);
    expect(await json('events', 'default/try/strict', eventId)).toMatchObject({ body: { name: 'example' } });
    expect(await json('update', 'try/strict', '--priority', '7')).toMatchObject({ priority: 7 });
    expect(await json('show', 'try/strict')).toMatchObject({ priority: 7 });
    expect((await webhooks(['delete', 'try/strict'])).code).toBe(0);
    const gone = await webhooks(['events', 'try/strict']);
    expect([gone.code, gone.stderr]).toEqual([
      1,
      expect.stringContaining('there is no webhook at the path try/strict'),
    ]);
  });

  it.each<[string, string[]]>([
    ['github', ['--verifier', 'github']],
    ['stripe', ['--verifier', 'stripe', '--secret', `it's a $ecret "for" all\\`]],
    ['slack', ['--verifier', 'slack']],
    ['standard', ['--verifier', 'standard_webhooks']],
    ['standard-env', ['--verifier', 'standard_webhooks', '--secret', '{{ secrets.SHOP }}']],
    ['hmac', ['--verifier', 'hmac']],
    ['hmac-env', ['--verifier', 'hmac', '--secret', '{{ secrets.SHOP }}']],
    [
      'hmac-other',
      [
        '--verifier',
        'hmac',
        '--options',
        '{"algorithm":"sha512","encoding":"base64","prefix":"v=","signatureHeader":"X-Mac","timestampHeader":"X-Time"}',
      ],
    ],
    ['secret', []],
    ['bearer', ['--auth-type', 'bearer', '--secret', 'a-"bearer"-$secret`x`']],
    ['basic', ['--auth-type', 'basic', '--secret', 'shop:open sesame $5']],
    ['both', ['--auth-type', 'bearer', '--verifier', 'github']],
    ['open', ['--auth-type', 'none']],
  ])('is accepted: %s', async (name, args) => {
    const made = await webhooks(['create', 'orders', `try/${name}`, ...args]);
    expect(made.code, made.stderr).toBe(0);
    const script = made.stdout.slice(made.stdout.indexOf('BODY='));
    const ran = await run(script);
    expect(JSON.parse(ran.stdout), script + ran.stderr).toMatchObject({ status: 'processed' });
    const id = /^id +(\S+)$/m.exec(made.stdout)![1]!;
    expect(await traces(service, id)).toEqual({ events: 1, executions: 1 });
  });
});
