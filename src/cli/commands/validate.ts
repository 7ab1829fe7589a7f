// dagwright validate and schema: definitions checked without a database.

import { explainJoins } from '../../core/definition/explain.ts';
import { BUILTIN_TASK_TYPES } from '../../core/definition/schema/builtin-types.ts';
import { definitionSchema } from '../../core/definition/schema/document.ts';
import type { Problem } from '../../core/errors.ts';
import type { CommandContext } from '../context.ts';
import { checkFile } from '../input/definition-file.ts';
import { problemLines } from '../refusal.ts';
import { loadTaskTypes } from '../system.ts';

export async function validateFiles(
  context: CommandContext,
  options: { readonly explain?: boolean },
  files: readonly string[],
): Promise<number> {
  const { rules } = await loadTaskTypes(context.config);
  const results: {
    file: string;
    valid: boolean;
    errors: readonly Problem[];
    warnings: readonly Problem[];
    explanation?: string;
  }[] = [];
  for (const file of files) {
    const checked = await checkFile(file, rules, context.tenant);
    const valid = checked.ok ? checked.valid : null;
    results.push({
      file,
      valid: valid !== null,
      errors: checked.ok ? [] : checked.problems,
      warnings: valid?.warnings ?? [],
      ...(options.explain && valid !== null ? { explanation: explainJoins(valid.plan) } : {}),
    });
    if (!checked.ok) context.say(`${context.paint('red', '✘')} ${file}\n${problemLines(checked.problems)}`);
    if (valid === null) continue;
    const { workflowId, nodes } = valid.definition;
    context.say(`${context.paint('green', '✔')} ${file}: ${workflowId}, ${nodes.length} tasks`);
    if (valid.warnings.length > 0) context.say(problemLines(valid.warnings, 'warning'));
    if (options.explain) context.say(explainJoins(valid.plan));
  }
  const errors = results.flatMap((result) => result.errors);
  context.printJson(errors.length > 0 ? { errors, files: results } : { files: results });
  return errors.length > 0 ? 1 : 0;
}

export async function printSchema(context: CommandContext): Promise<number> {
  const { rules } = await loadTaskTypes(context.config);
  const schema = definitionSchema(new Map([...BUILTIN_TASK_TYPES, ...rules]));
  context.say(JSON.stringify(schema, null, 2));
  context.printJson(schema);
  return 0;
}
