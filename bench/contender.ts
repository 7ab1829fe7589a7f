// What every contender offers, and how it is measured: a closed loop of so many runs at a time, for so long, until the
// last run has ended. The clock runs from the first start to the last end.
import { treeCpuMs } from './processor.ts';
import type { Workload } from './workloads.ts';

export const CONTENDERS = ['dagwright', 'dbos', 'restate', 'openworkflow', 'graphile', 'commits'] as const;
export type ContenderName = (typeof CONTENDERS)[number];

/** Engines that users may choose instead of this one. */
export const PEERS = ['dbos', 'restate', 'openworkflow'] as const satisfies readonly ContenderName[];
export type PeerName = (typeof PEERS)[number];

/** Workloads that would not measure what their name says. */
const LEFT_OUT: Partial<Readonly<Record<ContenderName, readonly string[]>>> = {
  // It polls for runs, up to a second apart, and a run has 1,000 steps at most: with one run at a time its pauses would be measured.
  openworkflow: ['fan1000', 'chain100_c1', 'dag10000', 'fanpure'],
  // It has jobs, and nothing pure between them.
  graphile: ['mixed10_c64', 'fanpure'],
};

export const canRun = (name: ContenderName, workload: Workload): boolean =>
  !LEFT_OUT[name]?.includes(workload.name);

export interface SessionOptions {
  readonly workload: Workload;
  readonly isQuick: boolean;
}

/** A contender at work on one workload: its worker runs from `open` to `close`. */
export interface Session {
  /** Runs at a time. */
  readonly concurrency: number;
  readonly stepsPerRun: number;
  /** Of these, how many have a body; the others are pure. */
  readonly bodiesPerRun: number;
  /** Process of its server, where that is not the PostgreSQL that all share. */
  readonly serverPid?: number;
  /** One run, from its start until its end is committed. */
  run(): Promise<void>;
  /** Instead of runs like the measured ones, where those take too long. */
  warmUp?(): Promise<void>;
  /** How many step bodies have run. */
  executed(): number;
  /** Stops the worker and closes all connections; throws where a run did not end well. */
  close(): Promise<void>;
}

export type Contender = (url: string, options: SessionOptions) => Promise<Session>;

export interface Measured {
  readonly runs: number;
  readonly steps: number;
  readonly ms: number;
  /** Processor time of the contender's process, all its threads. */
  readonly cpuMs: number;
  /** Processor time of its server, all its processes; null where it cannot be read. */
  readonly serverCpuMs: number | null;
  /** Share of the time in which the main thread was busy. */
  readonly busy: number;
}

/** Measures for at least `forMs`; whole runs only. `serverPid`: the server's first process, if it is on this machine. */
export async function measure(session: Session, forMs: number, serverPid: number | null): Promise<Measured> {
  const n = session.executed();
  const serverCpu = treeCpuMs(serverPid);
  const before = { cpu: process.cpuUsage(), loop: performance.eventLoopUtilization() };
  const startedAt = performance.now();
  const runs = await runFor(session, forMs);
  const ms = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(before.cpu);
  const { utilization: busy } = performance.eventLoopUtilization(before.loop);
  const serverCpuAfter = treeCpuMs(serverPid);
  const bodies = runs * session.bodiesPerRun;
  const executed = session.executed() - n;
  if (executed !== bodies)
    throw new Error(`${executed} step bodies ran in ${runs} runs of ${session.bodiesPerRun} bodies`);
  return {
    runs,
    steps: runs * session.stepsPerRun,
    ms,
    cpuMs: (user + system) / 1000,
    serverCpuMs: serverCpu === null || serverCpuAfter === null ? null : serverCpuAfter - serverCpu,
    busy,
  };
}

/** The runs that were done. Each lane does at least one. */
export async function runFor(session: Session, forMs: number): Promise<number> {
  const startedAt = performance.now();
  let runs = 0;
  const lane = async () => {
    do {
      await session.run();
      runs++;
    } while (performance.now() - startedAt < forMs);
  };
  await Promise.all(Array.from({ length: session.concurrency }, lane));
  return runs;
}
