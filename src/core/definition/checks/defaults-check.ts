// Checks `defaults` as far as no node is needed for it: the types and fields that they name, and what filling them in costs.
import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import { refusalOf, refusedConfigField } from '../../not-supported.ts';
import { joinPointer } from '../pointer.ts';
import { quoteText } from '../quote-text.ts';
import type { Reporter } from '../reporter.ts';
import type { TaskTypeRule } from '../task-type.ts';
import { configOf } from './config-check.ts';
import { checkRetry } from './retry-check.ts';

/** Values that defaults may put into all tasks together: each has a copy of its own. */
const MAX_FILLED_VALUES = 1_000_000;

/** Reports what is wrong with them; false: they are too large to be filled in. */
export function checkDefaults(
  document: JsonObject,
  taskTypes: ReadonlyMap<string, TaskTypeRule>,
  reporter: Reporter,
): boolean {
  if (!isJsonObject(document.defaults)) return true;
  const uses = usesByType(document);
  let filled = 0;
  for (const [type, shared] of Object.entries(document.defaults)) {
    const at = joinPointer('/defaults', type);
    if (type !== '*' && !type.startsWith('x-') && !taskTypes.has(type))
      reporter.error(
        at,
        'unknown_type',
        `there is no task type "${type.slice(0, 80)}"`,
        reporter.didYouMean(type, ['*', ...taskTypes.keys()]),
      );
    if (!isJsonObject(shared)) continue;
    checkRetry(shared.retry, joinPointer(at, 'retry'), reporter);
    const rule = taskTypes.get(type);
    if (rule !== undefined) checkNames(configOf(shared), joinPointer(at, 'config'), rule, reporter);
    filled += countValues(configOf(shared)) * (uses.get(type) ?? 0);
    if (filled <= MAX_FILLED_VALUES) continue;
    reporter.error(
      joinPointer(at, 'config'),
      'too_large',
      `defaults may put ${MAX_FILLED_VALUES} values into the tasks together`,
    );
    return false;
  }
  return true;
}

// Also where no node is of the type: a typo would wait for the first one. The others are checked where they are filled in.
function checkNames(config: JsonObject, at: string, rule: TaskTypeRule, reporter: Reporter): void {
  const { properties, additionalProperties } = rule.configSchema;
  for (const name of Object.keys(config)) {
    const refused = refusedConfigField(rule.type, name);
    if (refused !== null) reporter.errors([{ pointer: joinPointer(at, name), ...refusalOf(refused) }]);
    else if (
      additionalProperties === false &&
      isJsonObject(properties) &&
      !Object.hasOwn(properties, name) &&
      !name.startsWith('x-')
    )
      reporter.error(
        joinPointer(at, name),
        'unknown_field',
        `${quoteText(name)} is not a field here`,
        reporter.didYouMean(name, Object.keys(properties)),
      );
  }
}

/** Tasks that each entry of `defaults` reaches: nodes, parts and tools. */
function usesByType({ nodes }: JsonObject): ReadonlyMap<string, number> {
  const uses = new Map<string, number>();
  const count = (task: Json | undefined): void => {
    if (!isJsonObject(task)) return;
    for (const name of ['*', String(task.taskType)]) uses.set(name, (uses.get(name) ?? 0) + 1);
    const { branches, task: part, tools } = configOf(task);
    count(part);
    if (isJsonObject(branches)) for (const branch of Object.values(branches)) count(branch);
    if (Array.isArray(tools))
      for (const tool of tools as readonly Json[]) if (isJsonObject(tool)) count(tool.task);
  };
  if (Array.isArray(nodes)) for (const node of nodes as readonly Json[]) count(node);
  return uses;
}

function countValues(value: Json): number {
  if (typeof value !== 'object' || value === null) return 1;
  let total = 1;
  for (const member of Object.values(value)) total += countValues(member as Json);
  return total;
}
