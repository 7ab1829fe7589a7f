// A workload for engines whose workflows are functions: layers one after the other, the steps of a layer at once. What is
// pure is code of the workflow function, which they run again after a crash: nothing is recorded for it.
import { bodyLayersOf, countBodies, countSteps, type Workload } from '../workloads.ts';

export interface LayeredRun {
  /** Steps of each layer. */
  readonly layers: readonly number[];
  readonly stepsPerRun: number;
  readonly bodiesPerRun: number;
  /** Layers of a run that warms up, where one like those measured takes too long. */
  readonly warmUp: readonly number[] | null;
}

/** A run of so many steps is warmed up with a shorter one, and a quick benchmark runs only so many of it. */
const LONG_STEPS = 2_000;
const WARM_UP_STEPS = 200;

export function layeredRunOf(workload: Workload, isQuick: boolean): LayeredRun {
  const whole = layersOf(workload);
  const layers = isQuick ? shorten(whole, LONG_STEPS) : whole;
  const bodies = countOf(layers);
  return {
    layers,
    stepsPerRun: bodies + countSteps(workload) - countBodies(workload),
    bodiesPerRun: bodies,
    warmUp: bodies < LONG_STEPS ? null : shorten(layers, WARM_UP_STEPS),
  };
}

// The steps of the fan-out all start at once: a workflow function needs none to wait for the others.
function layersOf(workload: Workload): number[] {
  const sizes = bodyLayersOf(workload);
  return workload.name === 'fan1000' ? [countOf(sizes)] : sizes;
}

function shorten(layers: readonly number[], most: number): number[] {
  const kept: number[] = [];
  let left = most;
  for (const size of layers) {
    if (left === 0) break;
    kept.push(Math.min(size, left));
    left -= kept.at(-1)!;
  }
  return kept;
}

const countOf = (layers: readonly number[]) => layers.reduce((sum, size) => sum + size, 0);
