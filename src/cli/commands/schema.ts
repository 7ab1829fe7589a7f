// dagwright schema: the JSON Schema of definitions, with the task types of this installation.
import { BUILTIN_TASK_TYPES } from '../../core/definition/schema/builtin-types.ts';
import { definitionSchema } from '../../core/definition/schema/document.ts';
import { action } from '../action.ts';
import type { Command } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { loadTaskTypes } from '../system.ts';

export function defineCommand(command: Command): void {
  command.action(action(printSchema));
}

async function printSchema(context: CommandContext): Promise<number> {
  const { rules } = await loadTaskTypes(context.config);
  const schema = definitionSchema(new Map([...BUILTIN_TASK_TYPES, ...rules]));
  context.say(JSON.stringify(schema, null, 2));
  context.printJson(schema);
  return 0;
}
