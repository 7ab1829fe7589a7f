// What commands say is so: of triggers that they switch, secrets and addresses that they do not know, and of what still runs.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GlobalOptions, withContext } from '../../src/cli/context.ts';
import type { Io } from '../../src/cli/io.ts';
import { Refusal } from '../../src/cli/refusal.ts';
import { readConfig } from '../../src/cli/settings/config.ts';
import { announceService, findServiceUrl } from '../../src/cli/settings/service-address.ts';
import { publicUrlOf } from '../../src/cli/settings/webhook-host.ts';
import { type Database, openDatabase } from '../../src/db/connection/connection.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { runCli } from './support/run-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'dagwright-words-'));
let own: TestDatabase;
let database: Database;
beforeAll(async () => {
  own = await createDatabase();
  database = openDatabase(own.url);
});
afterAll(async () => {
  await database.close();
  await own.drop();
  rmSync(folder, { recursive: true, force: true });
});

const runIn = (env: Readonly<Record<string, string>>, ...args: string[]) =>
  runCli(args, { cwd: folder, env: { HOME: folder, DATABASE_URL: own.url, LOG_LEVEL: 'warn', ...env } });
const dagwright = (...args: string[]) => runIn({}, ...args);

function file(workflowId: string, triggers: string, output = '1'): string {
  const path = join(folder, `${workflowId}.yaml`);
  const nodes = `nodes: [{ taskId: a, taskType: transformation, config: { output: ${output} } }]`;
  writeFileSync(path, `workflowId: ${workflowId}\n${nodes}\n${triggers}\n`);
  return path;
}

/** Started, and opened by nobody. */
async function startUnseen(workflowId: string): Promise<string> {
  return await database.withTenant(DEFAULT_TENANT_ID, async (client) => {
    const { rows } = await client.query<{ id: string }>('select dagwright.start_workflow($1) as id', [
      workflowId,
    ]);
    return rows[0]!.id;
  });
}

describe('run FILE', () => {
  const TRIGGERS =
    'triggers: [{ type: webhook, path: said, verifier: github }, { type: event, event: order.made }]';

  it('says which triggers it has switched on, and which off', async () => {
    const on = await dagwright('run', file('said', TRIGGERS));
    expect(on.stderr).toMatch(
      /its triggers are saved with it; from now on it is started by\n {2}webhook \S+\/hooks\/default\/said\n[\s\S]* {2}event order\.made/,
    );
    const off = await dagwright('run', file('said', ''));
    expect(off.stderr).toMatch(/removed webhook \/hooks\/default\/said\n {2}removed event order\.made/);
  });

  it('says nothing where nothing is switched', async () => {
    await dagwright('run', file('quiet', TRIGGERS.replace('said', 'quiet')));
    const again = await dagwright('run', file('quiet', TRIGGERS.replace('said', 'quiet')));
    expect(again.stderr).not.toMatch(/trigger|webhook|event/);
  });
});

describe('a secret that the environment of a command lacks', () => {
  const ours =
    /there is no DAGWRIGHT_SECRET_NOPE in the environment of this command \[setting\]\n {2}hint: .*\.env/;

  it('is not blamed on the service', async () => {
    const trigger =
      'triggers: [{ type: webhook, path: lacks, verifier: github, secret: "{{ secrets.NOPE }}" }]';
    expect((await dagwright('apply', file('lacks', trigger))).stderr).toMatch(ours);
    await dagwright('apply', file('lacks', ''));
    const made = await dagwright('webhooks', 'create', 'lacks', 'lacks', '--secret', '{{ secrets.NOPE }}');
    expect(made.stderr).toMatch(ours);
  });
});

describe('the address of a webhook', () => {
  const HOOK = 'triggers: [{ type: webhook, path: where, verifier: github }]';

  it('is said to be a guess where nothing tells where the service listens', async () => {
    const guessed = await dagwright('apply', file('where', HOOK));
    expect(guessed.stdout).toContain('http://127.0.0.1:3000/hooks/default/where');
    expect(guessed.stderr).toMatch(/PORT or DAGWRIGHT_PUBLIC_URL/);
    const told = await runIn({ PORT: '4567' }, 'apply', file('where', HOOK));
    expect(told.stdout).toContain('http://127.0.0.1:4567/hooks/default/where');
    expect(told.stderr).not.toMatch(/PORT/);
  });

  it('is that of the service beside it, as long as that lives', () => {
    const withdraw = announceService(folder, 'http://127.0.0.1:4999');
    expect(findServiceUrl(folder)).toBe('http://127.0.0.1:4999');
    const told = (env: Record<string, string>) => {
      const read = readConfig({ DAGWRIGHT_HOME: folder, ...env }, folder);
      return read.ok ? publicUrlOf(read.value) : read.problems;
    };
    expect(told({})).toEqual({ url: 'http://127.0.0.1:4999', isGuess: false });
    expect(told({ PORT: '4567' })).toEqual({ url: 'http://127.0.0.1:4567', isGuess: false });
    // That of another database says nothing of it.
    expect(told({ DATABASE_URL: own.url })).toEqual({ url: 'http://127.0.0.1:3000', isGuess: true });
    withdraw();
    expect(findServiceUrl(folder)).toBeNull();
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    writeFileSync(join(folder, 'service.json'), JSON.stringify({ url: 'http://127.0.0.1:4999', pid }));
    expect(findServiceUrl(folder)).toBeNull();
    writeFileSync(join(folder, 'service.json'), 'half a li');
    expect(findServiceUrl(folder)).toBeNull();
  });
});

describe('lists of what starts a workflow', () => {
  it('say so where the workflow is archived', async () => {
    const triggers =
      'triggers: [{ type: schedule, name: daily, cronExpression: "0 9 * * *" }, { type: webhook, path: old, verifier: github }]';
    await dagwright('apply', file('old', triggers));
    for (const list of ['schedules', 'webhooks'])
      expect((await dagwright(list, 'list')).stdout, list).not.toMatch(/archived/);
    await dagwright('workflows', 'archive', 'old');
    for (const list of ['schedules', 'webhooks'])
      expect((await dagwright(list, 'list')).stdout, list).toMatch(
        /\bold\b.*active, but its workflow is archived/,
      );
    const { stdout } = await dagwright('schedules', 'list', '--json');
    expect(JSON.parse(stdout).items[0]).toMatchObject({ status: 'active', workflowStatus: 'archived' });
  });
});

describe('log lines of a command', () => {
  it('are for people on a terminal, else for machines', async () => {
    const said = async (isTTY: boolean) => {
      const written: string[] = [];
      const output = { isTTY, write: (line: string) => void written.push(line) };
      const io: Io = {
        ...{ stdout: output, stderr: output, cwd: folder, environment: () => ({ HOME: folder }) },
        ...{ onSignal: () => () => {}, onReaderGone: () => {}, exit: () => undefined as never },
      };
      const options = { tenant: 'default', isTenantGiven: false };
      await withContext(io, options as GlobalOptions, async ({ log }) => {
        log.info('a worker takes tasks', { concurrency: 4 });
        return 0;
      });
      return written.join('');
    };
    expect(await said(true)).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} info {2}a worker takes tasks \{"concurrency":4\}\n$/,
    );
    expect(JSON.parse(await said(false))).toMatchObject({ level: 'info', concurrency: 4 });
  });
});

describe('an execution that goes on', () => {
  it('is shown with how long it has gone on, and what it has cost so far', async () => {
    await dagwright('apply', file('slow', ''));
    const id = await startUnseen('slow');
    const shown = await dagwright('executions', 'show', id);
    expect(shown.stdout).toMatch(/^pending for [\d.]+ m?s, not begun, cost \$0 so far/m);
    await database.engine.query(
      `update dagwright.workflow_executions set status = 'running', started_at = clock_timestamp() - interval '90 s' where id = $1`,
      [id],
    );
    expect((await dagwright('executions', 'show', id)).stdout).toMatch(
      /^running for 1 m 3\d s, cost \$0 so far/m,
    );
    expect((await dagwright('executions', 'list')).stdout).toMatch(/running.*\$0 so far/);
  });
});

describe('validate', () => {
  const bad = () => file('bad', 'outputt: 1', `"$${'{{ input.x }}'}"`);

  it('prints file, line and column of every problem and warning, for people and machines', async () => {
    const path = bad();
    const { code, stdout } = await dagwright('validate', path);
    expect(code).toBe(1);
    expect(stdout).toContain(`${path}:3:1: error /outputt: "outputt" is not a field here [unknown_field]`);
    expect(stdout).toMatch(
      new RegExp(`${path}:2:\\d+: warning /nodes/0/config/output: .* \\[dollar_template\\]`),
    );
    const { files } = JSON.parse((await dagwright('validate', path, '--json')).stdout);
    expect(files[0].errors).toMatchObject([{ pointer: '/outputt', file: path, line: 3, column: 1 }]);
  });

  it('draws a definition that is valid', async () => {
    const path = file('drawn', '');
    const { code, stdout } = await dagwright('validate', path, '--mermaid');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^flowchart TD\n {2}t0\[.*\]$/m)]);
    const { files } = JSON.parse((await dagwright('validate', path, '--mermaid', '--json')).stdout);
    expect(files[0].mermaid).toMatch(/^flowchart TD\n/);
  });

  it('so do apply and run', async () => {
    const path = bad();
    for (const command of ['apply', 'run'])
      expect((await dagwright(command, path)).stderr, command).toContain(`${path}:3:1: error /outputt: `);
  });

  it('says where a text ends to be YAML or JSON', async () => {
    const path = join(folder, 'broken.json');
    writeFileSync(path, '{\n  "workflowId": flow\n}');
    expect((await dagwright('validate', path)).stdout).toMatch(
      new RegExp(`${path}:2:17: error /workflowId: expected a value`),
    );
  });
});

it('a command that is refused tells a thousand problems at most, and how many more there are', () => {
  const problems = Array.from({ length: 5_000 }, (_, i) => ({
    pointer: `/a/${i}`,
    code: 'expression' as const,
    message: 'wrong',
  }));
  const told = new Refusal(problems);
  expect(told.problems).toHaveLength(1_001);
  expect(told.problems.at(-1)).toMatchObject({
    code: 'too_many_problems',
    message: '4000 more problems are not shown',
  });
});
