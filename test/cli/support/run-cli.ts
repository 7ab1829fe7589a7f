// The command line in this process: a program with streams, an environment and signals of the test's own. What needs a real
// process (exit codes as a shell sees them, signals, pipes) spawns MAIN.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Io, Output } from '../../../src/cli/io.ts';
import { runProgram } from '../../../src/cli/program.ts';

export const MAIN = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** The streams are a terminal's. */
  readonly isTTY?: boolean;
}

/** Runs one command line to its end. */
export async function runCli(
  args: readonly string[],
  { env, cwd, isTTY = false }: CliOptions,
): Promise<Finished> {
  const stdout = collector(isTTY);
  const stderr = collector(isTTY);
  const io: Io = {
    stdout,
    stderr,
    environment: () => env,
    cwd,
    onSignal: () => () => {},
    onReaderGone: () => {},
    exit: (code) => {
      throw new Error(`the command ended the process with ${code}`);
    },
  };
  const code = await runProgram(io, args);
  return { code, stdout: stdout.text, stderr: stderr.text };
}

/** The same in a process of its own, which begins with `main`: its exit code is what a shell sees. */
export function spawnCli(
  args: readonly string[],
  { env, cwd, main = MAIN }: CliOptions & { readonly main?: string },
): Promise<Finished> {
  return new Promise((resolve) => {
    const options = { cwd, env: { PATH: process.env.PATH, ...env }, maxBuffer: 64_000_000 };
    const child = execFile(process.execPath, [main, ...args], options, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

function collector(isTTY: boolean): Output & { text: string } {
  return {
    isTTY,
    text: '',
    write(text) {
      this.text += text;
    },
  };
}
