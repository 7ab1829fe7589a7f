// The command line loads what a command needs when it needs it: the list of commands is there at once.
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { runCli, spawnCli } from './support/run-cli.ts';

const ROOT = new URL('../../', import.meta.url).href;
const REPORTER = new URL('./support/report-modules.ts', import.meta.url).href;
const options = { env: {}, cwd: fileURLToPath(ROOT) };

/** The files of this package that a command line loads, and the packages. */
async function loadedBy(args: readonly string[]) {
  const { code, stderr } = await spawnCli(args, {
    ...options,
    env: { NODE_OPTIONS: `--import=${REPORTER}` },
  });
  expect(code).toBe(0);
  const files = stderr.split('\n').filter((url) => url.startsWith('file:'));
  const nameOf = (url: string) => /\/node_modules\/((@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  return {
    sources: files.filter((url) => url.startsWith(`${ROOT}src/`)).map((url) => url.slice(ROOT.length + 4)),
    packages: [...new Set(files.flatMap((url) => nameOf(url) ?? []))],
  };
}

describe('the command line', () => {
  it('loads no command, and nothing of a lower floor, to list the commands', async () => {
    const { sources, packages } = await loadedBy(['--help']);
    expect(sources).toContain('cli/program.ts');
    expect(sources.filter((file) => !/^cli\/[^/]+$/.test(file))).toEqual([]);
    expect(packages).toEqual(['commander']);
  });

  it('loads of the commands the one that is asked for', async () => {
    const { sources } = await loadedBy(['schedules', 'list', '--help']);
    const commands = sources.filter((file) => file.startsWith('cli/commands/'));
    expect(commands).toContain('cli/commands/schedules/schedules.ts');
    expect(commands.filter((file) => !file.startsWith('cli/commands/schedules/'))).toEqual([]);
  });
});

describe('each command of the list', () => {
  const silent = { write: () => {} };
  const { commands } = createProgram({
    stdout: silent,
    stderr: silent,
    environment: () => ({}),
    cwd: options.cwd,
    onSignal: () => () => {},
    onReaderGone: () => {},
    exit: (code) => {
      throw new Error(`the command ended the process with ${code}`);
    },
  });
  it.each(commands.map((command) => ({ command, name: command.name() })))(
    '$name is loaded by its name, wherever that stands',
    async ({ command, name }) => {
      const asked = await runCli([name, '--help'], options);
      expect(asked.code).toBe(0);
      // Of a group the list knows the name only: what it holds is in its file.
      const isGroup = command.options.length === 0;
      expect(/^Commands:$/m.test(asked.stdout)).toBe(isGroup);
      expect(await runCli(['help', name], options)).toEqual(asked);
      // Behind -- are operands only: a group lists its commands, as it does alone.
      if (isGroup) expect(await runCli(['--', name], options)).toEqual(await runCli([name], options));
    },
  );
});
