// What a run of the fuzz found: figures for people, and what is wrong.
import { duration, most, percentile } from '../chaos/statistics.ts';
import { ALLOCATOR } from './allocator.ts';
import type { Journal } from './journal.ts';
import type { Suspect } from './suspects.ts';
import type { Memory, Turn } from './turns.ts';
import type { Asked } from './watcher.ts';

export interface Findings {
  readonly seed: number;
  readonly isQuick: boolean;
  readonly journal: Journal;
  /** Questions before anything was sent, and while it was. */
  readonly quiet: readonly Asked[];
  readonly asked: readonly Asked[];
  readonly turns: readonly Turn[];
  readonly suspects: readonly Suspect[];
  readonly memory: {
    readonly before: Memory;
    readonly highestMb: number;
    /** Of the process when all had ended, as it was, and after it had collected. */
    readonly idleMb: number;
    readonly after: Memory;
  };
  /** Of the service's process. */
  readonly restarts: number;
  readonly unaskedExits: readonly (number | string)[];
  /** Warnings and errors of its log, with counts. */
  readonly complaints: Readonly<Record<string, number>>;
  /** Lines of its log of the level `error`. */
  readonly errors: readonly string[];
  readonly recoveries: number;
  readonly orphans: number;
  /** Executions that had not ended a minute after the last input. */
  readonly stillOpen: number;
}

export interface Bars {
  readonly healthzMs: number;
  /** Of one input's longest turn, in time of the main thread. */
  readonly turnMs: number;
  readonly memoryMb: number;
}

const WAIT_MS = 500;
const MEMORY_MB = 100;
/**
 * A quick run shares the machine with other work, where nobody's turn came for 2.8 s: only what is far beyond is wrong there. Time of
 * the main thread itself is longer too, by less. And it does not wait until V8 has given all pages back.
 */
const QUICK_WAIT_TIMES = 20;
const QUICK_TURN_TIMES = 4;
const QUICK_MEMORY_MB = 300;
const QUIET_TIMES = 5;
const LOST_LEASE = /declared dead|took over tasks of a dead worker|stale write/;
/** What a tenant can cause by a wrong setting, and is told the operator for that. */
const NO_DEFECT = /names a secret that is not set/;
const MAX_SHOWN = 10;
const MB = 2 ** 20;

export const waitsOf = (asked: readonly Asked[], name: Asked['name']) =>
  asked.filter((one) => one.name === name).map(({ waitMs }) => waitMs);

export function barsOf({ isQuick, quiet }: Pick<Findings, 'isQuick' | 'quiet'>): Bars {
  if (!isQuick) return { healthzMs: WAIT_MS, turnMs: WAIT_MS, memoryMb: MEMORY_MB };
  return {
    healthzMs: Math.max(QUICK_WAIT_TIMES * WAIT_MS, QUIET_TIMES * most(waitsOf(quiet, 'healthz'))),
    turnMs: QUICK_TURN_TIMES * WAIT_MS,
    memoryMb: QUICK_MEMORY_MB,
  };
}

/** What is wrong; nothing where the run passes. */
export function problemsOf(found: Findings): string[] {
  const bars = barsOf(found);
  const { journal, memory, suspects, isQuick } = found;
  const longest = most(waitsOf(found.asked, 'healthz'));
  // A machine that is busy with other things lets even a database wait for too long: 503 says so, and is shown.
  const refused = found.asked.filter(({ status }) => status !== 200 && !(isQuick && status === 503));
  const grownMb = (memory.after.rss - memory.before.rss) / MB;
  return [
    ...journal.failures,
    ...found.errors
      .filter((line) => !NO_DEFECT.test(line))
      .map((line) => `the log says: ${line.slice(0, 1_500)}`),
    ...(longest < bars.healthzMs
      ? []
      : [`/healthz waited ${duration(longest)}; at most ${duration(bars.healthzMs)}`]),
    ...suspects
      .filter(({ cpuMs }) => cpuMs >= bars.turnMs)
      .map(
        ({ n, kind, cpuMs }) =>
          `input ${n} (${kind}) alone holds the main loop for ${duration(cpuMs)}; at most ${duration(bars.turnMs)}`,
      ),
    ...refused
      .slice(0, MAX_SHOWN)
      .map(({ name, status, at }) => `${name} was answered ${status} at ${new Date(at).toISOString()}`),
    ...(grownMb < bars.memoryMb
      ? []
      : [`memory stays ${Math.round(grownMb)} MB higher; at most ${bars.memoryMb} MB`]),
    ...(found.restarts === 0
      ? []
      : [`the service ended and was started again ${found.restarts} times: ${found.unaskedExits.join()}`]),
    ...Object.entries(found.complaints)
      .filter(([message]) => LOST_LEASE.test(message))
      .map(([message, times]) => `a lease was lost: ${times} x ${message}`),
    ...(found.recoveries === 0 ? [] : [`${found.recoveries} tasks were taken over`]),
    ...(found.orphans === 0 ? [] : [`${found.orphans} orphans`]),
    ...(found.stillOpen === 0 ? [] : [`${found.stillOpen} executions have not ended`]),
    ...(found.asked.length > 0 ? [] : ['nothing was asked']),
  ];
}

const countsText = (counts: Iterable<readonly [string, number]>) =>
  [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([name, n]) => `${name} ${n}`)
    .join(', ') || 'none';

export function reportOf(found: Findings): string {
  const { journal, memory, turns } = found;
  const bars = barsOf(found);
  const waits = (asked: readonly Asked[], name: Asked['name']) => {
    const all = waitsOf(asked, name);
    return `${[0.5, 0.99, 1].map((share) => duration(percentile(all, share))).join(' / ')} of ${all.length}`;
  };
  const mb = (bytes: number) => `${Math.round(bytes / MB)} MB`;
  const heap = ({ rss, heapUsed, heapTotal, external }: Memory) =>
    `${mb(rss)} (heap ${mb(heapUsed)} of ${mb(heapTotal)}, external ${mb(external)})`;
  return [
    `seed ${found.seed}; inputs: ${countsText(journal.inputs)}`,
    `answers: ${countsText(journal.statuses)}; 503 with Retry-After by code: ${countsText(journal.busy)}`,
    `/healthz p50 / p99 / longest wait: ${waits(found.asked, 'healthz')} (bar ${duration(bars.healthzMs)}); before: ${waits(found.quiet, 'healthz')}`,
    `neighbour's list: ${waits(found.asked, 'neighbour')}, ${found.asked.filter(({ name, status }) => name === 'neighbour' && status === 503).length} of them told to come again; before: ${waits(found.quiet, 'neighbour')}`,
    `turns of the main loop above 100 / 250 / 500 ms of its own time: ${[100, 250, 500].map((ms) => turns.filter(({ cpuMs }) => cpuMs > ms).length).join(' / ')}, longest ${duration(most(turns.map(({ cpuMs }) => cpuMs)))}`,
    `tried alone: ${
      found.suspects
        .slice(0, MAX_SHOWN)
        .map(({ n, kind, cpuMs }) => `${n} (${kind}) ${cpuMs} ms`)
        .join(', ') || 'none'
    }`,
    `memory before: ${heap(memory.before)}; highest ${Math.round(memory.highestMb)} MB; idle again ${Math.round(memory.idleMb)} MB; after it collected: ${heap(memory.after)}; allocator: ${ALLOCATOR}`,
    `restarts: ${found.restarts}; tasks taken over: ${found.recoveries}; orphans: ${found.orphans}; executions still open: ${found.stillOpen}`,
    `the service's log: ${countsText(Object.entries(found.complaints))}`,
  ].join('\n');
}
