// The rounds: every workload, every contender in turn, then again. So what disturbs the machine for a while disturbs all
// of them alike, and ratios within one run mean something.
import { CONTENDERS, type ContenderName, canRun } from './contender.ts';
import type { ContenderProcess } from './contender-process.ts';
import { inUnit, type Workload } from './workloads.ts';

/** One contender on one workload: medians, and what each round gave. */
export interface Cell {
  readonly median: number;
  /** By round. */
  readonly values: readonly number[];
  /** Processor time per step, in microseconds, of the contender's process. */
  readonly processUs: number;
  /** Of its database server or server; null where it cannot be read. */
  readonly serverUs: number | null;
}

export interface WorkloadResult {
  readonly workload: Workload;
  /** Of the contenders that were measured on it. */
  readonly cells: Readonly<Partial<Record<ContenderName, Cell>>>;
}

export interface RoundsOptions {
  readonly workloads: readonly Workload[];
  readonly rounds: number;
  readonly isQuick: boolean;
  /** Of the contenders that are here. */
  readonly processes: Readonly<Partial<Record<ContenderName, ContenderProcess>>>;
  readonly note: (text: string) => void;
}

interface Sample {
  readonly value: number;
  readonly processUs: number;
  readonly serverUs: number | null;
}

/** How long a contender runs before the clock starts, and how long with it. */
export const timesOf = (isQuick: boolean) =>
  isQuick ? { warmUpMs: 150, measureMs: 500 } : { warmUpMs: 1_000, measureMs: 3_000 };

export async function runRounds(options: RoundsOptions): Promise<WorkloadResult[]> {
  const { workloads, rounds, isQuick, processes, note } = options;
  const samples = new Map(workloads.map(({ name }) => [name, new Map<ContenderName, Sample[]>()]));
  for (let round = 1; round <= rounds; round++) {
    for (const workload of workloads) {
      const values: string[] = [];
      const ofWorkload = samples.get(workload.name)!;
      for (const name of CONTENDERS) {
        const contender = processes[name];
        if (contender === undefined || !canRun(name, workload)) continue;
        const sample = await measureOne(contender, workload, isQuick);
        ofWorkload.set(name, [...(ofWorkload.get(name) ?? []), sample]);
        values.push(`${name} ${formatValue(sample.value)}`);
      }
      note(`round ${round}/${rounds}  ${workload.name} (${workload.unit}): ${values.join(', ')}`);
    }
  }
  return workloads.map((workload) => ({
    workload,
    cells: Object.fromEntries([...samples.get(workload.name)!].map(([name, list]) => [name, cellOf(list)])),
  }));
}

async function measureOne(
  contender: ContenderProcess,
  workload: Workload,
  isQuick: boolean,
): Promise<Sample> {
  const { measured } = await contender.measure({
    workload: workload.name,
    isQuick,
    isProfiling: false,
    ...timesOf(isQuick),
  });
  const { steps, cpuMs, serverCpuMs } = measured;
  return {
    // A commit is a step, or a run of one.
    value: inUnit(workload.unit, measured),
    processUs: (cpuMs * 1000) / steps,
    serverUs: serverCpuMs === null ? null : (serverCpuMs * 1000) / steps,
  };
}

function cellOf(samples: readonly Sample[]): Cell {
  const values = samples.map(({ value }) => value);
  const serverUs = samples.flatMap((sample) => sample.serverUs ?? []);
  return {
    median: medianOf(values),
    values,
    processUs: medianOf(samples.map(({ processUs }) => processUs)),
    serverUs: serverUs.length < samples.length ? null : medianOf(serverUs),
  };
}

export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** Three figures or more: 0.512, 14.2, 12873. */
export function formatValue(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(3);
}
