// The parent's side of a contender's process: started on first use, asked for one measurement at a time, ended at once.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { MeasureAnswer, MeasureRequest } from './child.ts';
import type { ContenderName } from './contender.ts';

/** Nothing measured here takes nearly this long: who does hangs. */
const PATIENCE_MS = 300_000;

export interface ContenderOptions {
  readonly name: ContenderName;
  /** Of its database. */
  readonly url: string;
  readonly serverPid: number | null;
  /** The checkout whose code it runs; by default this one. */
  readonly root?: URL;
}

export class ContenderProcess {
  readonly #options: ContenderOptions;
  #child: ChildProcess | undefined;

  constructor(options: ContenderOptions) {
    this.#options = options;
  }

  /** One measurement. Rejects where the contender failed, ended or hangs. */
  async measure(
    request: Omit<MeasureRequest, 'url' | 'serverPid'>,
  ): Promise<MeasureAnswer & { kind: 'measured' }> {
    const { name, url, serverPid } = this.#options;
    const child = this.#start();
    const done = new AbortController();
    const { signal } = done;
    const timeout = AbortSignal.timeout(PATIENCE_MS);
    try {
      child.send({ url, serverPid, ...request } satisfies MeasureRequest);
      const answer = await Promise.race([
        once(child, 'message', { signal }).then(([message]) => message as MeasureAnswer),
        once(child, 'exit', { signal }).then(([code, by]) => failed(`its process ended (${by ?? code})`)),
        once(timeout, 'abort', { signal }).then(() => failed(`no answer after ${PATIENCE_MS / 1000} s`)),
      ]);
      if (answer.kind === 'measured') return answer;
      throw new Error(`${name}, ${request.workload}: ${answer.message}`);
    } finally {
      done.abort();
    }
  }

  /** Ends the process, whatever it does. */
  async end(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  #start(): ChildProcess {
    if (this.#child === undefined) {
      const { name, root = new URL('../', import.meta.url) } = this.#options;
      this.#child = fork(fileURLToPath(new URL('bench/child.ts', root)), [name], {
        execArgv: ['--no-warnings'],
        // What a contender prints must not get between the lines of --json.
        stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      });
      this.#child.stdout?.pipe(process.stderr, { end: false });
    }
    return this.#child;
  }
}

const failed = (message: string): MeasureAnswer => ({ kind: 'failed', message });
