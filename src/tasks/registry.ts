// Every task type that a worker can run, by name: the built-in ones below, and those of DAGWRIGHT_TASKS.
import { dagwrightError } from '../core/dagwright-error.ts';
import { aggregation } from './aggregation.ts';
import { condition } from './condition.ts';
import { externalApi } from './external-api/external-api.ts';
import { failTask } from './fail.ts';
import { humanReview } from './human-review.ts';
import { modelInference } from './model/model-inference.ts';
import { parallel } from './parallel.ts';
import type { TaskType } from './task-type.ts';
import { terminate } from './terminate.ts';
import { transformation } from './transformation.ts';
import { wait } from './wait.ts';

const BUILT_IN: readonly TaskType[] = [
  aggregation,
  condition,
  externalApi,
  failTask,
  humanReview,
  modelInference,
  parallel,
  terminate,
  transformation,
  wait,
];

/** Throws where two types have one name. */
export function createRegistry(custom: readonly TaskType[] = []): ReadonlyMap<string, TaskType> {
  const registry = new Map<string, TaskType>();
  for (const taskType of [...BUILT_IN, ...custom]) {
    if (registry.has(taskType.type))
      throw dagwrightError('validation', `the task type "${taskType.type}" is defined twice`, {
        hint: 'name each type once among tasks, or in DAGWRIGHT_TASKS',
      });
    registry.set(taskType.type, taskType);
  }
  return registry;
}
