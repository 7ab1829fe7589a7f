// `dagwright demo` kills its own worker, for real, and its run ends as if nothing had happened.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { spawnCli } from '../cli/support/run-cli.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';

const folder = mkdtempSync(join(tmpdir(), 'dagwright-demo-'));
let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await database.drop();
});

test('the demo goes on after kill -9, and repeats nothing that had ended', async () => {
  const { code, stdout, stderr } = await spawnCli(['demo'], {
    cwd: folder,
    env: { HOME: folder },
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/kill -9 \d+: the demo has killed its own worker, in the middle of deep_dive\./);
  expect(stdout).toMatch(/^ {2}\d+ results and \$0\.\d+ spent are in PostgreSQL\./m);
  expect(stdout).toMatch(
    /After kill -9: none of the \d+ results from before ran again; deep_dive was done by attempt 2/,
  );
  expect(stdout).toMatch(/^completed in [\d.]+ s, cost \$0\.\d+/m);
});
