// The demo's worker is a process of its own, and ends with the demo: also when that is killed and can say nothing.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it, vi } from 'vitest';
import { createDatabase } from '../support/database.ts';

const PARENT = fileURLToPath(new URL('./support/demo-parent.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'dagwright-demo-worker-'));
let parent: ChildProcess | undefined;
let workerPid = 0;
afterAll(() => {
  parent?.kill('SIGKILL');
  if (workerPid !== 0 && isThere(workerPid)) process.kill(workerPid, 'SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

it('the worker ends when the demo is killed', async () => {
  const database = await createDatabase();
  // Under npm any service minds its parent: none of its variables.
  parent = spawn(process.execPath, [PARENT, database.url], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: parent.stdout! }), 'line')) as [string];
  workerPid = Number(line);
  expect(isThere(workerPid)).toBe(true);
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  await vi.waitFor(() => expect(isThere(workerPid)).toBe(false), { timeout: 30_000 });
  await database.drop();
});

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
