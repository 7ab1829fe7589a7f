// What is measured: five shapes of no-op steps. A shape is a list of layers; each node of a layer has so many parents in
// the layer before, taken in rotation, so that every node has a child and the last one is reached from all.
//   chain10_c64   10-step chains, 64 at a time        chain100_c1  one 100-step chain at a time
//   fan1000       one run: root, 998 in parallel, join   single_c64   one-step runs, 64 at a time
//   dag10000      one run: 10,000 nodes, 28,000 edges, a join of 6,000 parents
export type Unit = 'steps/s' | 'runs/s' | 'ms/step';

export interface Layer {
  readonly size: number;
  readonly parents: number;
}

export interface Workload {
  readonly name: string;
  readonly unit: Unit;
  /** Runs at a time. */
  readonly concurrency: number;
  readonly layers: readonly Layer[];
}

const chain = (length: number): Layer[] =>
  Array.from({ length }, (_, i) => ({ size: 1, parents: i === 0 ? 0 : 1 }));

export const WORKLOADS: readonly Workload[] = [
  { name: 'chain10_c64', unit: 'steps/s', concurrency: 64, layers: chain(10) },
  {
    name: 'fan1000',
    unit: 'steps/s',
    concurrency: 1,
    layers: [
      { size: 1, parents: 0 },
      { size: 998, parents: 1 },
      { size: 1, parents: 998 },
    ],
  },
  { name: 'single_c64', unit: 'runs/s', concurrency: 64, layers: chain(1) },
  { name: 'chain100_c1', unit: 'ms/step', concurrency: 1, layers: chain(100) },
  {
    name: 'dag10000',
    unit: 'steps/s',
    concurrency: 1,
    layers: [
      { size: 1, parents: 0 },
      { size: 997, parents: 1 },
      { size: 1_000, parents: 3 },
      { size: 1_000, parents: 3 },
      { size: 1_001, parents: 3 },
      { size: 6_000, parents: 2 },
      { size: 1, parents: 6_000 },
    ],
  },
];

/** The workload of that name; an unknown one is a broken promise between parent and child. */
export function workloadNamed(name: string): Workload {
  const found = WORKLOADS.find((workload) => workload.name === name);
  if (found === undefined) throw new Error(`there is no workload "${name}"`);
  return found;
}

export function countSteps(workload: Workload): number {
  return workload.layers.reduce((sum, { size }) => sum + size, 0);
}

/** One after another, a step at a time. */
export function isChain(workload: Workload): boolean {
  return workload.layers.every(({ size }) => size === 1);
}

export interface Node {
  readonly taskId: string;
  readonly dependsOn: readonly string[];
}

/** The shape as nodes with their parents. */
export function nodesOf({ layers }: Workload): Node[] {
  const taskId = (layer: number, i: number) => `t${layer}_${i}`;
  return layers.flatMap(({ size, parents }, layer) =>
    Array.from({ length: size }, (_, i) => ({
      taskId: taskId(layer, i),
      dependsOn: Array.from({ length: parents }, (_, k) =>
        taskId(layer - 1, (i * parents + k) % layers[layer - 1]!.size),
      ),
    })),
  );
}

/** The value in the workload's unit, from what a measurement counted. */
export function inUnit(
  unit: Unit,
  { runs, steps, ms }: { readonly runs: number; readonly steps: number; readonly ms: number },
): number {
  if (unit === 'ms/step') return ms / steps;
  return ((unit === 'runs/s' ? runs : steps) / ms) * 1000;
}
