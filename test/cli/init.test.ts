// dagwright init: the project that it writes, and that it writes over nothing.
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findOrigin } from '../../src/cli/commands/init/origin.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { runCli, spawnCli } from './support/run-cli.ts';

const CHECKOUT = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'dagwright init '));
let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await database.drop();
});

const init = (...args: string[]) => runCli(['init', ...args], { cwd: folder, env: { HOME: folder } });
const project = (name: string) => join(folder, name);

describe('dagwright init', () => {
  it('writes a project whose workflow is valid, runs with its own task, and names its schema to editors', async () => {
    const { code, stdout } = await init('My Flows');
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /cd 'My Flows' &&( npm run build --prefix \S+ &&)? npm install && npm run hello/,
      ),
    });
    const at = project('My Flows');
    expect(JSON.parse(readFileSync(join(at, 'package.json'), 'utf8'))).toMatchObject({
      name: 'my-flows',
      // This is a checkout: what a registry has under the version may be another, or nothing.
      dependencies: { dagwright: `file:${relative(realpathSync(at), realpathSync(CHECKOUT))}` },
    });
    const [first] = readFileSync(join(at, 'workflows/hello.yaml'), 'utf8').split('\n');
    expect(first).toBe('# yaml-language-server: $schema=../workflow.schema.json');
    expect(readFileSync(join(at, 'workflow.schema.json'), 'utf8')).toContain('count_words');

    // As `npm install` would, but for the registry.
    mkdirSync(join(at, 'node_modules'));
    symlinkSync(CHECKOUT, join(at, 'node_modules/dagwright'));
    const env = { HOME: folder, DATABASE_URL: database.url };
    const ran = await spawnCli(['run', 'workflows/hello.yaml', '--json', '--tenant', 'default'], {
      cwd: at,
      env,
    });
    expect(JSON.parse(ran.stdout)).toMatchObject({
      status: 'completed',
      output: { greeting: 'Hello, world, from a workflow that survives a crash', words: 9 },
    });
    const bad = await spawnCli(['validate', 'workflows/hello.yaml', '--json'], { cwd: at, env });
    expect(JSON.parse(bad.stdout).files).toMatchObject([{ valid: true, warnings: [] }]);
  });

  it('writes nothing where one of its files is there already, and names them all', async () => {
    const at = project('mine');
    mkdirSync(join(at, 'tasks'), { recursive: true });
    writeFileSync(join(at, '.env'), 'SECRET=1');
    writeFileSync(join(at, 'tasks/count-words.js'), 'mine');
    // A link that leads nowhere is there as well: through it a file elsewhere would be written.
    symlinkSync(join(folder, 'elsewhere'), join(at, 'README.md'));
    const { code, stderr } = await init('mine');
    expect(code).toBe(1);
    expect(stderr).toMatch(/mine\/\.env is there already, and nothing is overwritten \[exists\]/);
    expect(stderr).toMatch(/tasks\/count-words\.js is there already/);
    expect(stderr).toMatch(/mine\/README\.md is there already/);
    expect(readdirSync(at).sort()).toEqual(['.env', 'README.md', 'tasks']);
    expect(readFileSync(join(at, '.env'), 'utf8')).toBe('SECRET=1');
  });

  it.each<[string, string | null, string]>([
    ['a registry', 'https://registry.npmjs.org/dagwright/-/dagwright-1.2.3.tgz', '^1.2.3'],
    ['a registry of its own', 'http://localhost:4873/dagwright/-/dagwright-1.2.3.tgz', '^1.2.3'],
    ['a file', 'file:../packed/dagwright-1.2.3.tgz', 'file:../packed/dagwright-1.2.3.tgz'],
    [
      'a repository',
      'git+ssh://git@example.com/dagwright.git#abc',
      'git+ssh://git@example.com/dagwright.git#abc',
    ],
    ['an address', 'https://example.com/dagwright-1.2.3.tgz', 'https://example.com/dagwright-1.2.3.tgz'],
    ['what says nothing', null, '^1.2.3'],
  ])('a project names what installs: from %s', (_, resolved, dependency) => {
    const host = mkdtempSync(join(folder, 'host-'));
    const home = join(host, 'node_modules/dagwright');
    mkdirSync(home, { recursive: true });
    const own = { version: '1.2.3', ...(resolved !== null && { resolved }) };
    const lock = { lockfileVersion: 3, packages: { 'node_modules/dagwright': own } };
    writeFileSync(join(host, 'node_modules/.package-lock.json'), JSON.stringify(lock));
    expect(findOrigin(home, join(folder, 'new'), '1.2.3')).toEqual({ dependency, before: null });
    rmSync(join(host, 'node_modules/.package-lock.json'));
    expect(findOrigin(home, join(folder, 'new'), '1.2.3').dependency).toBe('^1.2.3');
  });

  it('a project of a checkout that is not built says that it is to be', () => {
    const home = mkdtempSync(join(folder, 'checkout-'));
    mkdirSync(join(home, 'src/cli'), { recursive: true });
    writeFileSync(join(home, 'src/cli/main.ts'), '');
    expect(findOrigin(home, join(folder, 'new'), '1.2.3')).toEqual({
      dependency: `file:../${basename(home)}`,
      before: `npm run build --prefix '${home}'`,
    });
  });
});
