// What is measured: seven shapes of steps that do nothing. A shape is a list of layers; each node of a layer has so many
// parents in the layer before, taken in rotation, so that every node has a child and the last one is reached from all.
//   chain10_c64   10-step chains, 64 at a time        chain100_c1  one 100-step chain at a time
//   fan1000       one run: root, 998 in parallel, join   single_c64   one-step runs, 64 at a time
//   dag10000      one run: 10,000 nodes, 28,000 edges, a join of 6,000 parents
//   mixed10_c64   10-node chains, 64 at a time, of which six nodes are pure
//   fanpure       one run: root, 333 items in parallel, a condition and a transformation behind each, an aggregation of all
export type Unit = 'steps/s' | 'runs/s' | 'ms/step';

/** What a node does. All but `step` are pure: an expression, and no body that could act on anything. */
export type NodeKind = 'step' | 'transformation' | 'condition' | 'aggregation';

export interface Layer {
  readonly size: number;
  readonly parents: number;
  readonly kind: NodeKind;
}

export interface Workload {
  readonly name: string;
  readonly unit: Unit;
  /** Runs at a time. */
  readonly concurrency: number;
  readonly layers: readonly Layer[];
}

const layer = (size: number, parents: number, kind: NodeKind = 'step'): Layer => ({ size, parents, kind });

const chainOf = (kinds: readonly NodeKind[]): Layer[] =>
  kinds.map((kind, i) => layer(1, i === 0 ? 0 : 1, kind));

const chain = (length: number): Layer[] => chainOf(Array.from({ length }, () => 'step'));

export const WORKLOADS: readonly Workload[] = [
  { name: 'chain10_c64', unit: 'steps/s', concurrency: 64, layers: chain(10) },
  {
    name: 'fan1000',
    unit: 'steps/s',
    concurrency: 1,
    layers: [layer(1, 0), layer(998, 1), layer(1, 998)],
  },
  { name: 'single_c64', unit: 'runs/s', concurrency: 64, layers: chain(1) },
  { name: 'chain100_c1', unit: 'ms/step', concurrency: 1, layers: chain(100) },
  {
    name: 'dag10000',
    unit: 'steps/s',
    concurrency: 1,
    layers: [
      layer(1, 0),
      layer(997, 1),
      layer(1_000, 3),
      layer(1_000, 3),
      layer(1_001, 3),
      layer(6_000, 2),
      layer(1, 6_000),
    ],
  },
  {
    name: 'mixed10_c64',
    unit: 'steps/s',
    concurrency: 64,
    layers: chainOf([
      ...(['step', 'transformation', 'condition', 'step', 'aggregation'] as const),
      ...(['transformation', 'step', 'condition', 'transformation', 'step'] as const),
    ]),
  },
  {
    name: 'fanpure',
    unit: 'steps/s',
    concurrency: 1,
    layers: [
      layer(1, 0),
      layer(333, 1),
      layer(333, 1, 'condition'),
      layer(333, 1, 'transformation'),
      layer(1, 333, 'aggregation'),
    ],
  },
];

/** The workload of that name; an unknown one is a broken promise between parent and child. */
export function workloadNamed(name: string): Workload {
  const found = WORKLOADS.find((workload) => workload.name === name);
  if (found === undefined) throw new Error(`there is no workload "${name}"`);
  return found;
}

/** All nodes, pure ones included. */
export function countSteps(workload: Workload): number {
  return workload.layers.reduce((sum, { size }) => sum + size, 0);
}

/** Sizes of the layers that have a body: for an engine of functions, pure nodes are code between its steps. */
export function bodyLayersOf({ layers }: Workload): number[] {
  return layers.filter(({ kind }) => kind === 'step').map(({ size }) => size);
}

/** Nodes with a body. */
export function countBodies(workload: Workload): number {
  return bodyLayersOf(workload).reduce((sum, size) => sum + size, 0);
}

/** One after another, a step at a time. */
export function isChain(workload: Workload): boolean {
  return workload.layers.every(({ size }) => size === 1);
}

export interface Node {
  readonly taskId: string;
  readonly kind: NodeKind;
  readonly parents: readonly { readonly taskId: string; readonly kind: NodeKind }[];
}

/** The shape as nodes with their parents. */
export function nodesOf({ layers }: Workload): Node[] {
  const node = (at: number, i: number) => ({ taskId: `t${at}_${i}`, kind: layers[at]!.kind });
  return layers.flatMap(({ size, parents }, at) =>
    Array.from({ length: size }, (_, i) => ({
      ...node(at, i),
      parents: Array.from({ length: parents }, (_, k) =>
        node(at - 1, (i * parents + k) % layers[at - 1]!.size),
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
