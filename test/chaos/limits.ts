// Holds a process to little memory or little of a core: by a cgroup (version 1, as root) where that is allowed, else by the
// heap's limit and by stopping it nine tenths of the time.
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = '/sys/fs/cgroup';

export interface Limit {
  /** How it is held. */
  readonly means: string;
  /** A shell command that begins a process within the limit, or undefined. */
  readonly shell?: string;
  readonly nodeOptions?: readonly string[];
  /** Holds a process that runs already. */
  hold(pid: number): void;
  /** A number that the kernel counts: how often the memory limit was met, or periods in which the process was throttled. */
  count(): number;
  release(): void;
}

function makeGroup(controller: string, settings: Readonly<Record<string, string>>): string | null {
  const folder = join(ROOT, controller, `dagwright-chaos-${process.pid}`);
  try {
    mkdirSync(folder);
    for (const [name, value] of Object.entries(settings)) writeFileSync(join(folder, name), value);
    return folder;
  } catch {
    return null;
  }
}

const removeGroup = (folder: string) => {
  try {
    rmdirSync(folder);
  } catch {
    // A process is in it still; it is empty of meaning once that has ended.
  }
};

export function memoryLimit(megabytes: number): Limit {
  const folder = makeGroup('memory', { 'memory.limit_in_bytes': String(megabytes * 1024 * 1024) });
  if (folder === null)
    return {
      means: `--max-old-space-size=${Math.round(megabytes * 0.6)}`,
      nodeOptions: [`--max-old-space-size=${Math.round(megabytes * 0.6)}`],
      hold() {},
      count: () => 0,
      release() {},
    };
  return {
    means: `cgroup, ${megabytes} MB`,
    shell: `echo $$ > ${join(folder, 'cgroup.procs')} && exec "$@"`,
    hold() {},
    count: () =>
      Number(/oom_kill (\d+)/.exec(readFileSync(join(folder, 'memory.oom_control'), 'utf8'))?.[1] ?? 0),
    release: () => removeGroup(folder),
  };
}

const PERIOD_US = 100_000;

export function processorLimit(share: number): Limit {
  const folder = makeGroup('cpu', {
    'cpu.cfs_period_us': String(PERIOD_US),
    'cpu.cfs_quota_us': String(PERIOD_US * share),
  });
  if (folder !== null)
    return {
      means: `cgroup, ${share * 100} % of a core`,
      hold: (pid) => writeFileSync(join(folder, 'cgroup.procs'), String(pid)),
      count: () =>
        Number(/nr_throttled (\d+)/.exec(readFileSync(join(folder, 'cpu.stat'), 'utf8'))?.[1] ?? 0),
      release: () => removeGroup(folder),
    };
  let timer: NodeJS.Timeout | undefined;
  let held = 0;
  let rounds = 0;
  return {
    means: `stopped ${(1 - share) * 100} % of the time`,
    hold(pid) {
      held = pid;
      timer = setInterval(() => {
        rounds++;
        signal(pid, 'SIGCONT');
        setTimeout(signal, (PERIOD_US / 1000) * share, pid, 'SIGSTOP');
      }, PERIOD_US / 1000);
    },
    count: () => rounds,
    release() {
      clearInterval(timer);
      signal(held, 'SIGCONT');
    },
  };
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended.
  }
}
