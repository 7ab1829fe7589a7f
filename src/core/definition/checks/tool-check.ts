// Which tasks may be tools of a model, or tell people of a review: those that complete at once, within the attempt of the task around
// them.
import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import { joinPointer } from '../pointer.ts';
import { quoteText } from '../quote-text.ts';
import type { Reporter } from '../reporter.ts';

/** Built-in types that may not; those that authors register may. */
const NO_TOOLS: readonly string[] = [
  'condition',
  'parallel',
  'aggregation',
  'wait',
  'fail',
  'terminate',
  'human_review',
  'sub_workflow',
];
/** What belongs to the model_inference around it. */
const NOT_OF_TOOLS = ['conditionExpression', 'inputMapping', 'timeoutSeconds', 'retry', 'optional', 'cache'];

/** Reports what keeps a task from being a tool. `task` is sound in structure. */
export function checkTool(task: JsonObject, pointer: string, reporter: Reporter): void {
  const type = String(task.taskType);
  const config: { readonly [name: string]: Json | undefined } = isJsonObject(task.config) ? task.config : {};
  if (NO_TOOLS.includes(type))
    reporter.error(
      joinPointer(pointer, 'taskType'),
      'not_a_tool',
      `a task of type ${quoteText(type)} cannot be a tool: it does not complete at once`,
      'tools are external_api, transformation, model_inference without tools, or types of your own',
    );
  if (type === 'external_api' && config.callback !== undefined)
    reporter.error(
      joinPointer(pointer, 'config', 'callback'),
      'not_a_tool',
      'a tool cannot wait for a callback',
    );
  if (type === 'model_inference' && config.tools !== undefined)
    reporter.error(
      joinPointer(pointer, 'config', 'tools'),
      'not_a_tool',
      'a model that is a tool has no tools of its own',
    );
  for (const field of NOT_OF_TOOLS)
    if (task[field] !== undefined)
      reporter.error(
        joinPointer(pointer, field),
        'not_a_tool',
        `a tool has no "${field}" of its own: its input are the arguments, and the model_inference is what times out and is retried`,
      );
}
