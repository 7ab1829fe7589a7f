// What every contender offers, and how it is measured: a closed loop of so many runs at a time, for so long, until the
// last run has ended. The clock runs from the first start to the last end.
import type { Workload } from './workloads.ts';

export const CONTENDERS = ['dagwright', 'dbos', 'graphile', 'commits'] as const;
export type ContenderName = (typeof CONTENDERS)[number];

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
  /** Share of the time in which the main thread was busy. */
  readonly busy: number;
}

/** Measures for at least `forMs`; whole runs only. */
export async function measure(session: Session, forMs: number): Promise<Measured> {
  const before = { cpu: process.cpuUsage(), loop: performance.eventLoopUtilization(), n: session.executed() };
  const startedAt = performance.now();
  const runs = await runFor(session, forMs);
  const ms = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(before.cpu);
  const { utilization: busy } = performance.eventLoopUtilization(before.loop);
  const bodies = runs * session.bodiesPerRun;
  const executed = session.executed() - before.n;
  if (executed !== bodies)
    throw new Error(`${executed} step bodies ran in ${runs} runs of ${session.bodiesPerRun} bodies`);
  return { runs, steps: runs * session.stepsPerRun, ms, cpuMs: (user + system) / 1000, busy };
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
