// What a program on a Node that is too old is told.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { nodeProblem } from '../../src/library/node-version.ts';

const HOME = fileURLToPath(new URL('../../', import.meta.url));
const { engines } = JSON.parse(readFileSync(`${HOME}package.json`, 'utf8'));

test('the least Node is that of package.json', () => {
  const least = engines.node.replace('>=', '');
  expect([`${least}.0`, '22.20.1', '24.0.0'].map(nodeProblem)).toEqual([null, null, null]);
  for (const old of ['20.19.5', '22.18.0', '18.0.0'])
    expect(nodeProblem(old)).toBe(`dagwright needs Node ${engines.node}; this is ${old}`);
});

const OLD =
  "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.11.0' } });";
test.each([
  ['import', ['--input-type=module', '-e', `${OLD} await import('./src/index.ts')`]],
  ['require', ['-e', `${OLD} require('./entry/index.cjs')`]],
])('%s says it before anything else fails', (_, args) => {
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: HOME, encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stderr).toContain(`Error: dagwright needs Node ${engines.node}; this is 20.11.0`);
  // Nothing else of the package, or of what it needs, was begun.
  expect(stderr).not.toMatch(/undici|library\/dagwright\.ts/);
});

test('the entry asks before it imports anything else', () => {
  const imports = readFileSync(`${HOME}src/index.ts`, 'utf8').match(/^(?:import|export) .*$/gm);
  expect(imports?.[0]).toBe("import './library/node-version.ts';");
});
