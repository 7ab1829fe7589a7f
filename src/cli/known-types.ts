// Definitions checked by the types of this installation and, where one is unknown to it, by those that workers have registered.
import type { TaskTypeRule } from '../core/definition/task-type.ts';
import type { ValidDefinition } from '../core/definition/validate.ts';
import type { Problem } from '../core/errors.ts';
import type { CommandContext } from './context.ts';
import { checkFile } from './input/definition-file.ts';
import { Refusal } from './refusal.ts';
import { loadTaskTypes } from './system.ts';

type Rules = ReadonlyMap<string, TaskTypeRule>;

/** Checks by own types first: what is wrong with a file is told without a database, unless that may know the type. */
export async function checkByKnownTypes<T>(
  context: CommandContext,
  check: (rules: Rules) => Promise<{ readonly result: T; readonly problems: readonly Problem[] }>,
): Promise<{ readonly result: T; readonly problems: readonly Problem[] }> {
  const { rules } = await loadTaskTypes(context.config);
  const checked = await check(rules);
  const isUnknown = checked.problems.some(({ code }) => code === 'unknown_type');
  if (!isUnknown || context.isEphemeral) return checked;
  const { knownTaskTypes } = await import('../resources/definitions/task-types.ts');
  const known = await context.withSystem(({ database }) => knownTaskTypes(database.engine, rules));
  return known.size === rules.size ? checked : await check(known);
}

/** The valid definition of a file, or a Refusal. */
export async function readDefinition(context: CommandContext, path: string): Promise<ValidDefinition> {
  const { result, problems } = await checkByKnownTypes(context, async (rules) => {
    const checked = await checkFile(path, rules, context.tenant);
    return { result: checked, problems: checked.ok ? [] : checked.problems };
  });
  if (result.ok) return result;
  throw new Refusal(problems);
}
