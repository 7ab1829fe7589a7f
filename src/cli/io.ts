// What the command line touches of its process: a process has one, a test makes its own.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Environment } from './settings/config.ts';

export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  /** Lines of the terminal. */
  readonly rows?: number;
}

export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  /** What is set, and what `.env` in the current folder adds to it. */
  readonly environment: () => Environment;
  /** Where the paths in settings are looked for; files that arguments name are those of the process. */
  readonly cwd: string;
  /** Calls `act` at each SIGINT and SIGTERM until the returned function is called. */
  readonly onSignal: (act: (signal: string) => void) => () => void;
  /** Calls `act` when nobody reads stdout any more. */
  readonly onReaderGone: (act: () => void) => void;
  /** Asks whoever sits at the terminal; absent: nobody does. */
  readonly ask?: (question: string) => Promise<string>;
  /** Ends the process at once, whatever is under way. */
  readonly exit: (code: number) => never;
}

/** Of this process. */
export function processIo(): Io {
  const { stdout, stderr } = process;
  outliveClosedReaders();
  return {
    stdout,
    stderr,
    environment() {
      // Into the process itself: task modules and drivers read it there.
      const file = resolve(process.cwd(), '.env');
      if (existsSync(file)) process.loadEnvFile(file);
      return process.env;
    },
    cwd: process.cwd(),
    onSignal(act) {
      process.on('SIGINT', act).on('SIGTERM', act);
      return () => void process.off('SIGINT', act).off('SIGTERM', act);
    },
    onReaderGone: (act) => void stdout.once('error', act),
    ...(process.stdin.isTTY === true && stderr.isTTY === true ? { ask: askOnTerminal } : {}),
    exit: (code) => process.exit(code),
  };
}

async function askOnTerminal(question: string): Promise<string> {
  const { createInterface } = await import('node:readline/promises');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(question);
  } finally {
    lines.close();
  }
}

/** Aborted by the first SIGINT or SIGTERM; a second one ends the process as it would have. */
export function abortOnSignal(io: Pick<Io, 'onSignal'>): {
  readonly stop: AbortController;
  readonly done: () => void;
} {
  const stop = new AbortController();
  const done = io.onSignal(() => {
    stop.abort();
    done();
  });
  return { stop, done };
}

// Whoever reads the output may stop early (`dagwright schema | head`): what is written then goes nowhere, and the command
// ends as it would have. A service that runs on does not end because nobody reads its log.
function outliveClosedReaders(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
}
