// Which tasks may have a `cache`, and which of them must say their key themselves.
import { isJsonObject, type JsonObject } from '../../json.ts';
import { joinPointer } from '../pointer.ts';
import { quoteText } from '../quote-text.ts';
import type { Reporter } from '../reporter.ts';
import { configOf } from './config-check.ts';

/** Types whose work is done at once, or is that of other tasks: there is nothing to save. */
const NOT_CACHEABLE: readonly string[] = [
  'transformation',
  'condition',
  'parallel',
  'aggregation',
  'wait',
  'fail',
  'terminate',
  'human_review',
  'sub_workflow',
];

export const isCacheable = (taskType: string): boolean => !NOT_CACHEABLE.includes(taskType);

/** `task` is sound in structure. */
export function checkCache(task: JsonObject, pointer: string, reporter: Reporter): void {
  const { cache } = task;
  if (!isJsonObject(cache)) return;
  const type = String(task.taskType);
  const at = joinPointer(pointer, 'cache');
  if (!isCacheable(type)) {
    reporter.error(
      at,
      'unknown_field',
      `${quoteText(type)} takes no cache`,
      'it is for tasks that ask something outside: model_inference, external_api and types of your own; in a parallel, the task of a part may have one',
    );
    return;
  }
  const open = ['tools', 'callback'].find((field) => configOf(task)[field] !== undefined);
  if (open !== undefined && cache.key === undefined)
    reporter.error(
      joinPointer(at, 'key'),
      'required',
      `a cache of a task with "${open}" needs a key`,
      'by default the key is made of all that the task is asked; here not all of it is known before it is asked',
    );
}
