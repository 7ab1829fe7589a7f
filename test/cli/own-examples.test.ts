// The examples of the package, where a stranger types their names as README has them.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { ownExample } from '../../src/cli/own-examples.ts';

const HOME = fileURLToPath(new URL('../../', import.meta.url));
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'dagwright-examples-')));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const NAME = 'ticket-triage.yaml';
const run = (...args: string[]) =>
  spawnSync(process.execPath, [join(HOME, 'entry/dagwright.js'), ...args], { cwd: folder, encoding: 'utf8' });

test('they have the shortest name that leads to them', () => {
  expect(ownExample(NAME, HOME)).toBe(`examples/${NAME}`);
  expect(ownExample(NAME, folder)).toBe(join(HOME, 'examples', NAME));
  const installed = join(folder, 'node_modules/dagwright/examples');
  expect(ownExample(NAME, folder, installed)).toBe(`node_modules/dagwright/examples/${NAME}`);
  // Linked from elsewhere, as workspaces do it.
  mkdirSync(installed, { recursive: true });
  writeFileSync(join(installed, NAME), '');
  expect(ownExample(NAME, folder)).toBe(`node_modules/dagwright/examples/${NAME}`);
  rmSync(join(folder, 'node_modules'), { recursive: true });
});

test('a command that does not find one says where it is, and help names one that is there', () => {
  const missing = run('validate', `examples/${NAME}`);
  expect([missing.status, missing.stderr]).toEqual([
    1,
    expect.stringContaining(`hint: it is an example of this package: ${join(HOME, 'examples', NAME)}`),
  ]);
  expect(run('validate', 'examples/nothing.yaml').stderr).not.toContain('hint');
  expect(run('--help').stdout).toContain(
    `dagwright run ${join(HOME, 'examples/research-brief.yaml')} --input`,
  );
});
