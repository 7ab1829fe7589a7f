// dagwright validate: definitions checked without a database.

import { explainJoins } from '../../core/definition/explain.ts';
import { drawPlan } from '../../core/definition/mermaid.ts';
import { type Validation, validationOf } from '../../resources/definitions/check-document.ts';
import { listAction } from '../action.ts';
import type { Command } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { checkFile } from '../input/definition-file.ts';
import { problemLines } from '../refusal.ts';
import { loadTaskTypes } from '../system.ts';

export function defineCommand(command: Command): void {
  command
    .option('--explain', 'say in words how each join is understood')
    .option('--mermaid', 'draw it: the text of a Mermaid flowchart')
    .action(listAction<ValidateOptions>(validateFiles));
}

interface ValidateOptions {
  readonly explain?: boolean;
  readonly mermaid?: boolean;
}

async function validateFiles(
  context: CommandContext,
  options: ValidateOptions,
  files: readonly string[],
): Promise<number> {
  const { rules } = await loadTaskTypes(context.config);
  const results: ({ readonly file: string; readonly mermaid?: string } & Validation)[] = [];
  for (const file of files) {
    const checked = await checkFile(file, rules, context.tenant);
    const told = validationOf(
      checked,
      checked.ok && options.explain ? explainJoins(checked.plan) : undefined,
    );
    const picture = checked.ok && options.mermaid ? { mermaid: drawPlan(checked.plan) } : {};
    results.push({ file, ...told, ...picture });
    if (checked.ok) {
      const { workflowId, nodes } = checked.definition;
      context.say(`${context.paint('green', '✔')} ${file}: ${workflowId}, ${nodes.length} tasks`);
    } else context.say(`${context.paint('red', '✘')} ${file}\n${problemLines(told.errors)}`);
    if (told.warnings.length > 0) context.say(problemLines(told.warnings, 'warning'));
    if (told.explanation !== undefined) context.say(told.explanation);
    if (picture.mermaid !== undefined) context.say(picture.mermaid);
  }
  const errors = results.flatMap((result) => result.errors);
  context.printJson(errors.length > 0 ? { errors, files: results } : { files: results });
  return errors.length > 0 ? 1 : 0;
}
