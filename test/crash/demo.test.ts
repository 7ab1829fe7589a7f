// `dagwright demo` kills its own worker, for real, and its run ends as if nothing had happened.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { spawnCli } from '../cli/support/run-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'dagwright-demo-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the demo goes on after kill -9, and repeats nothing that had ended', async () => {
  // A server of its own, whatever DATABASE_URL names; this one is thrown away.
  const { code, stdout, stderr } = await spawnCli(['demo', '--ephemeral'], {
    cwd: folder,
    env: { HOME: folder, DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' },
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringMatching(/error|warn/i) });
  expect(stdout).toMatch(/kill -9 \d+: the demo has killed its own worker, in the middle of deep_dive\./);
  expect(stdout).toMatch(/^ {2}\d+ results and \$0\.\d+ spent are in PostgreSQL\./m);
  expect(stdout).toMatch(
    /After kill -9: none of the \d+ results from before ran again; deep_dive was done by attempt 2/,
  );
  expect(stdout).toMatch(/^completed in [\d.]+ s, cost \$0\.\d+/m);
});
