// What is said of a module of task types that Node does not load.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'dagwright-load-')));
const COMMAND = fileURLToPath(new URL('../../entry/dagwright.js', import.meta.url));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  ['syntax.ts', 'export {};\nconst x: = 2;', /Unexpected token .*\(\S*syntax\.ts:2\) \[setting\]/],
  ['throws.ts', 'export {};\nconst x = (undefined as any).foo;', /reading 'foo'\) \(\S*throws\.ts:2:\d+\)/],
  [
    'import.ts',
    "import './helper';",
    /hint: write '\.\/helper\.ts': Node finds modules by their whole names/,
  ],
  ['nowhere.ts', "import './nowhere-else';", /nowhere-else' imported from \S+ \[setting\]\n?$/],
])('%s', (name, text, said) => {
  writeFileSync(join(folder, 'helper.ts'), 'export {};');
  writeFileSync(join(folder, name), text);
  writeFileSync(
    join(folder, 'flow.yaml'),
    'workflowId: a\nnodes: [{ taskId: a, taskType: wait, config: { seconds: 1 } }]',
  );
  // A process of its own: here another loader than Node's would be asked.
  const { status, stderr } = spawnSync(process.execPath, [COMMAND, 'validate', 'flow.yaml'], {
    cwd: folder,
    env: { PATH: process.env.PATH, DAGWRIGHT_TASKS: `./${name}` },
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  expect(stderr).toMatch(said);
});
