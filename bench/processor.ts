// Processor time of a server: its first process and all that descend from it, those that have ended included. Read from
// /proc, so on Linux only; elsewhere it is null, and reports say that it is not available.
import { readdirSync, readFileSync } from 'node:fs';
import type pg from 'pg';

/** The kernel reports in hundredths of a second, whatever its own clock. */
const MS_PER_TICK = 10;

export interface ProcessTimes {
  readonly name: string;
  readonly parent: number;
  readonly threads: number;
  /** Its own. */
  readonly ownMs: number;
  /** Of its children that have ended and were waited for. */
  readonly endedMs: number;
}

/** Of the processes that descend from `pid`, and its own; null where there is no such process, or no /proc. */
export function treeCpuMs(pid: number | null): number | null {
  if (pid === null) return null;
  const processes = readProcesses();
  return processes.has(pid) ? sumTree(processes, pid, preciseMs) : null;
}

/** A line of /proc/PID/stat. The name is in parentheses and may hold spaces and parentheses itself. */
export function parseStat(line: string): ProcessTimes {
  const end = line.lastIndexOf(')');
  // From `state` on: ppid, then utime, stime, cutime, cstime, and the number of threads.
  const fields = line
    .slice(end + 2)
    .split(' ')
    .map(Number);
  const msOf = (user: number, system: number) => (fields[user]! + fields[system]!) * MS_PER_TICK;
  return {
    name: line.slice(line.indexOf('(') + 1, end),
    parent: fields[1]!,
    threads: fields[17]!,
    ownMs: msOf(11, 12),
    endedMs: msOf(13, 14),
  };
}

/** `preciseOf` may know a process' own time better. */
export function sumTree(
  processes: ReadonlyMap<number, ProcessTimes>,
  root: number,
  preciseOf: (pid: number, times: ProcessTimes) => number | null,
): number {
  const children = new Map<number, number[]>();
  for (const [pid, { parent }] of processes) children.set(parent, [...(children.get(parent) ?? []), pid]);
  const sum = (pid: number): number => {
    const times = processes.get(pid)!;
    const own = (preciseOf(pid, times) ?? times.ownMs) + times.endedMs;
    return (children.get(pid) ?? []).reduce((total, child) => total + sum(child), own);
  };
  return sum(root);
}

// Hundredths of a second, rounded down, would hide what many backends do in half a second. The scheduler counts nanoseconds,
// for each thread by itself, so this serves for processes of one thread, as PostgreSQL's are.
function preciseMs(pid: number, { threads }: ProcessTimes): number | null {
  if (threads !== 1) return null;
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return null;
  }
}

/** The first process of the server that `client` is connected to; null if it is not on this machine, or cannot be known. */
export async function findPostmaster(client: pg.Client): Promise<number | null> {
  const { rows } = await client.query<{ pid: number; local: boolean }>(
    `select pg_backend_pid() as pid,
       inet_server_addr() is null or inet_server_addr() <<= '127.0.0.0/8' or inet_server_addr() <<= '::1' as local`,
  );
  const { pid, local } = rows[0]!;
  // The number alone could be another process': that of a container, or of a server elsewhere.
  const backend = local ? readStat(pid) : null;
  if (backend === null || !backend.name.startsWith('postgres')) return null;
  return readStat(backend.parent)?.name.startsWith('postgres') ? backend.parent : null;
}

function readProcesses(): Map<number, ProcessTimes> {
  const found = new Map<number, ProcessTimes>();
  for (const entry of listProcesses()) {
    const times = readStat(entry);
    if (times !== null) found.set(entry, times);
  }
  return found;
}

function listProcesses(): number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

function readStat(pid: number): ProcessTimes | null {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    // It has ended meanwhile.
    return null;
  }
}
