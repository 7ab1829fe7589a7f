// Two checkouts of this project, A and B, measured in turn: in each round A, B, B, A, so that a drift of the machine counts
// for both alike. Each has a throw-away server of its own, with its own schema, and each runs its own code: its bench/child.ts.
import { type Checkout, openCheckout } from './checkout.ts';
import { ContenderProcess } from './contender-process.ts';
import { UsageError } from './options.ts';
import { findPostmaster, treeCpuMs } from './processor.ts';
import { timesOf } from './rounds.ts';
import { type BenchServer, withClient } from './server.ts';
import type { Workload } from './workloads.ts';

export type SideName = 'a' | 'b';
const ORDER: readonly SideName[] = ['a', 'b', 'b', 'a'];

/** What a step of one side took in one round. */
export interface StepCost {
  readonly wallUs: number;
  /** Processor time of the Node process. */
  readonly processUs: number;
  /** Processor time of PostgreSQL; null where it cannot be read. */
  readonly serverUs: number | null;
}

export interface PairResult {
  readonly workload: Workload;
  readonly rounds: readonly Readonly<Record<SideName, StepCost>>[];
}

export interface Comparison {
  readonly checkouts: Readonly<Record<SideName, Checkout>>;
  readonly server: BenchServer;
  readonly results: readonly PairResult[];
}

export interface PairsRun {
  readonly folders: readonly [string, string];
  readonly workloads: readonly Workload[];
  readonly rounds: number;
  readonly isQuick: boolean;
  readonly note: (text: string) => void;
  readonly signal: AbortSignal;
}

/** A side at work: its server, and the process that runs its code. */
interface Side {
  readonly checkout: Checkout;
  readonly server: BenchServer;
  readonly serverPid: number | null;
  readonly process: ContenderProcess;
}

/** One measurement. The server's time is that of the measured steps, or of the whole session in a checkout that does not say it. */
interface Sample {
  readonly steps: number;
  readonly ms: number;
  readonly cpuMs: number;
  readonly serverCpuMs: number | null;
  readonly sessionSteps: number;
  readonly sessionServerCpuMs: number | null;
}

export async function comparePairs(run: PairsRun): Promise<Comparison> {
  const { note, signal } = run;
  const [a, b] = await Promise.all(run.folders.map(requireCheckout));
  const opened: Side[] = [];
  const endAll = () => Promise.all(opened.map((side) => side.process.end()));
  signal.addEventListener('abort', () => void endAll());
  try {
    for (const checkout of [a!, b!]) {
      opened.push(await openSide(checkout, note));
      signal.throwIfAborted();
    }
    const sides = { a: opened[0]!, b: opened[1]! };
    const results: PairResult[] = [];
    for (const workload of run.workloads) {
      const lacking = opened.find(({ checkout }) => !checkout.workloads.includes(workload.name));
      if (lacking === undefined) results.push(await measureWorkload(run, sides, workload));
      else note(`${workload.name} is left out: ${lacking.checkout.folder} has no such workload`);
    }
    return { checkouts: { a: a!, b: b! }, server: sides.b.server, results };
  } finally {
    await endAll();
    for (const { server } of opened) await server.close();
  }
}

async function requireCheckout(folder: string): Promise<Checkout> {
  const checkout = await openCheckout(folder);
  if (checkout === null) throw new UsageError(`"${folder}" is no checkout of this project with a benchmark`);
  return checkout;
}

async function openSide(checkout: Checkout, note: (text: string) => void): Promise<Side> {
  const server = await checkout.openServer(undefined, note);
  const url = server.urls.dagwright;
  const serverPid = await withClient(url, findPostmaster);
  const process = new ContenderProcess({ name: 'dagwright', url, serverPid, root: checkout.root });
  return { checkout, server, serverPid, process };
}

async function measureWorkload(
  { rounds, isQuick, note }: PairsRun,
  sides: Readonly<Record<SideName, Side>>,
  workload: Workload,
): Promise<PairResult> {
  const measured: Record<SideName, Sample[]>[] = [];
  for (let round = 1; round <= rounds; round++) {
    const samples: Record<SideName, Sample[]> = { a: [], b: [] };
    for (const name of ORDER) samples[name].push(await measureOnce(sides[name], workload, isQuick));
    measured.push(samples);
    const { a, b } = costsOf([samples])[0]!;
    note(
      `round ${round}/${rounds}  ${workload.name}: B is ${(a.wallUs / b.wallUs).toFixed(3)} times as fast`,
    );
  }
  return { workload, rounds: costsOf(measured) };
}

async function measureOnce(side: Side, workload: Workload, isQuick: boolean): Promise<Sample> {
  const before = treeCpuMs(side.serverPid);
  const { measured, sessionSteps } = await side.process.measure({
    workload: workload.name,
    isQuick,
    isProfiling: false,
    ...timesOf(isQuick),
  });
  const after = treeCpuMs(side.serverPid);
  const { steps, ms, cpuMs, serverCpuMs = null } = measured;
  const sessionServerCpuMs = before === null || after === null ? null : after - before;
  return { steps, ms, cpuMs, serverCpuMs, sessionSteps, sessionServerCpuMs };
}

/** Per step, of the measurements of each round together. The server's time is taken in one way on both sides. */
export function costsOf(
  rounds: readonly Readonly<Record<SideName, readonly Sample[]>>[],
): Record<SideName, StepCost>[] {
  const all = rounds.flatMap(({ a, b }) => [...a, ...b]);
  const isSaidByAll = all.every(({ serverCpuMs }) => serverCpuMs !== null);
  const sum = (samples: readonly Sample[], costIn: (sample: Sample) => number | null) =>
    samples
      .map(costIn)
      .reduce((total, value) => (total === null || value === null ? null : total + value), 0);
  const costOf = (samples: readonly Sample[]): StepCost => {
    const steps = sum(samples, (sample) => sample.steps)!;
    const serverMs = sum(samples, (sample) => (isSaidByAll ? sample.serverCpuMs : sample.sessionServerCpuMs));
    const serverSteps = isSaidByAll ? steps : sum(samples, ({ sessionSteps }) => sessionSteps)!;
    return {
      wallUs: (sum(samples, ({ ms }) => ms)! * 1000) / steps,
      processUs: (sum(samples, ({ cpuMs }) => cpuMs)! * 1000) / steps,
      serverUs: serverMs === null ? null : (serverMs * 1000) / serverSteps,
    };
  };
  return rounds.map(({ a, b }) => ({ a: costOf(a), b: costOf(b) }));
}
