// The rounds: every workload, every contender in turn, then again. So what disturbs the machine for a while disturbs all
// of them alike, and ratios within one run mean something.
import { CONTENDERS, type ContenderName } from './contender.ts';
import type { ContenderProcess } from './contender-process.ts';
import { inUnit, type Workload } from './workloads.ts';

export interface Cell {
  readonly median: number;
  /** By round. */
  readonly values: readonly number[];
}

export interface WorkloadResult {
  readonly workload: Workload;
  readonly cells: Readonly<Record<ContenderName, Cell>>;
}

export interface RoundsOptions {
  readonly workloads: readonly Workload[];
  readonly rounds: number;
  readonly isQuick: boolean;
  readonly processes: Readonly<Record<ContenderName, ContenderProcess>>;
  readonly note: (text: string) => void;
}

/** How long a contender runs before the clock starts, and how long with it. */
export const timesOf = (isQuick: boolean) =>
  isQuick ? { warmUpMs: 150, measureMs: 500 } : { warmUpMs: 1_000, measureMs: 3_000 };

export async function runRounds(options: RoundsOptions): Promise<WorkloadResult[]> {
  const { workloads, rounds, isQuick, processes, note } = options;
  const samples = new Map<string, number[]>();
  for (let round = 1; round <= rounds; round++) {
    for (const workload of workloads) {
      const values: string[] = [];
      for (const name of CONTENDERS) {
        const value = await measureOne(processes[name], workload, isQuick);
        const key = `${workload.name}/${name}`;
        samples.set(key, [...(samples.get(key) ?? []), value]);
        values.push(`${name} ${formatValue(value)}`);
      }
      note(`round ${round}/${rounds}  ${workload.name} (${workload.unit}): ${values.join(', ')}`);
    }
  }
  return workloads.map((workload) => ({
    workload,
    cells: Object.fromEntries(
      CONTENDERS.map((name) => [name, cellOf(samples.get(`${workload.name}/${name}`)!)]),
    ) as Record<ContenderName, Cell>,
  }));
}

async function measureOne(
  contender: ContenderProcess,
  workload: Workload,
  isQuick: boolean,
): Promise<number> {
  const { measured } = await contender.measure({
    workload: workload.name,
    isQuick,
    isProfiling: false,
    ...timesOf(isQuick),
  });
  // A commit is a step, or a run of one.
  return inUnit(workload.unit, measured);
}

function cellOf(values: readonly number[]): Cell {
  return { median: medianOf(values), values };
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** Three figures or more: 0.512, 14.2, 12873. */
export function formatValue(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(3);
}
