// Resident memory of a process, as the system tells it.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const EVERY_MS = 250;

/** MB; NaN where the process has gone. */
export function residentMb(pid: number): number {
  try {
    const status = `/proc/${pid}/status`;
    const kb = existsSync(status)
      ? /^VmRSS:\s+(\d+)/m.exec(readFileSync(status, 'utf8'))?.[1]
      : execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' });
    return Number(kb) / 1024;
  } catch {
    return Number.NaN;
  }
}

/** The most that a process has had, as far as looks at it tell. */
export class HighestMemory {
  readonly #timer: NodeJS.Timeout;
  mb = 0;

  constructor(pid: () => number) {
    this.#timer = setInterval(() => {
      const now = residentMb(pid());
      if (now > this.mb) this.mb = now;
    }, EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
