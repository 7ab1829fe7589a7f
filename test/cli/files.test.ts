// Files that arguments name: what is none, or never ends, is refused before it is read.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTextFile } from '../../src/cli/input/read-text.ts';
import { Refusal } from '../../src/cli/refusal.ts';
import { readHttpSettings } from '../../src/cli/settings/http-settings.ts';
import type { Problem } from '../../src/core/errors.ts';
import { runCli } from './support/run-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'dagwright files '));
const fifo = join(folder, 'fifo');
beforeAll(() => {
  execFileSync('mkfifo', [fifo]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const dagwright = (args: readonly string[]) =>
  runCli(args, { cwd: folder, env: { HOME: folder, LOG_LEVEL: 'warn' } });

async function codeOf(path: string): Promise<string> {
  try {
    return `${(await readTextFile(path)).length}`;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return error.problems[0]!.code;
  }
}

describe('a file that an argument names', () => {
  it.each([
    ['a device that never ends', '/dev/zero'],
    ['one that ends at once', '/dev/null'],
    ['a folder', folder],
    ['a fifo that nobody writes to', fifo],
  ])('that is %s is refused', async (_, path) => {
    expect(await codeOf(path)).toBe('not_a_file');
    const { code, stderr } = await dagwright(['validate', path]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('[not_a_file]')]);
  });

  it('that is too large is refused by its size', async () => {
    const path = join(folder, 'large.json');
    writeFileSync(path, Buffer.alloc(10_000_001, ' '));
    expect(await codeOf(path)).toBe('too_large');
    writeFileSync(path, Buffer.alloc(10_000_000, ' '));
    expect(await codeOf(path)).toBe('10000000');
  });

  it('whose size nobody knows is read no further than it may be', async () => {
    expect(await codeOf('/proc/self/status')).toMatch(/^[1-9]\d*$/);
  });

  it('that is not there is not found', async () => {
    expect(await codeOf(join(folder, 'nowhere'))).toBe('not_found');
  });

  it('is refused as @FILE by the name of its option', async () => {
    const { code, stderr } = await dagwright(['pricing', 'cost', '--usage', '@/dev/zero']);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/--usage.*device/)]);
  });

  it('may be a pipe of the shell', async () => {
    const reader = spawn(
      'bash',
      [
        '-c',
        `"$0" --no-warnings --input-type=module -e 'import { readTextFile } from "${new URL('../../src/cli/input/read-text.ts', import.meta.url).href}"; process.stdout.write(await readTextFile(process.argv[1]));' <(printf hello)`,
        process.execPath,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let text = '';
    for await (const chunk of reader.stdout) text += chunk;
    expect(text).toBe('hello');
  });

  it('holds a key: likewise', () => {
    for (const file of ['/dev/zero', fifo, folder]) {
      const problems: Problem[] = [];
      readHttpSettings({ DAGWRIGHT_ENCRYPTION_KEY_FILE: file }, problems, (_, fallback) => fallback);
      expect(problems).toEqual([
        expect.objectContaining({
          pointer: 'DAGWRIGHT_ENCRYPTION_KEY_FILE',
          message: expect.stringContaining('must be a file of at most'),
        }),
      ]);
    }
  });
});
