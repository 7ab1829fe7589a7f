// dagwright validate: definitions checked without a database, here or by a service.

import { explainPlan } from '../../core/definition/explain.ts';
import { drawPlan } from '../../core/definition/mermaid.ts';
import { type Validation, validationOf } from '../../resources/definitions/check-document.ts';
import { listAction } from '../action.ts';
import type { Command } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { checkFile } from '../input/definition-file.ts';
import { problemLines, refuse } from '../refusal.ts';
import { loadTaskTypes } from '../system.ts';

export function defineCommand(command: Command): void {
  command
    .option('--explain', 'say in words when each task runs, and what it has by defaults')
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
  const check = await checkerOf(context, options);
  const results: ({ readonly file: string; readonly mermaid?: string } & Validation)[] = [];
  for (const file of files) {
    const { told, tasks, mermaid } = await check(file);
    results.push({ file, ...told, ...(mermaid === undefined ? {} : { mermaid }) });
    if (told.valid) {
      const size = tasks === null ? '' : `, ${tasks} tasks`;
      context.say(`${context.paint('green', '✔')} ${file}: ${told.workflowId}${size}`);
    } else context.say(`${context.paint('red', '✘')} ${file}\n${problemLines(told.errors)}`);
    if (told.warnings.length > 0) context.say(problemLines(told.warnings, 'warning'));
    if (told.explanation !== undefined) context.say(told.explanation);
    if (mermaid !== undefined) context.say(mermaid);
  }
  const errors = results.flatMap((result) => result.errors);
  context.printJson(errors.length > 0 ? { errors, files: results } : { files: results });
  return errors.length > 0 ? 1 : 0;
}

interface Checked {
  readonly told: Validation;
  readonly tasks: number | null;
  readonly mermaid?: string;
}

type Check = (file: string) => Promise<Checked>;

// By this installation's task types, or by a service: with its own types, and those that its workers have.
async function checkerOf(
  { server, config, tenant }: CommandContext,
  { explain = false, mermaid = false }: ValidateOptions,
): Promise<Check> {
  if (server !== null) {
    if (mermaid)
      throw refuse(
        'usage',
        '--mermaid: a picture is drawn here, by the task types of this installation',
        'leave --server out',
      );
    const { checkRemotely } = await import('../remote/definitions.ts');
    return async (file) => ({
      told: (await checkRemotely(server, file, { explain })).validation,
      tasks: null,
    });
  }
  const { rules } = await loadTaskTypes(config);
  return async (file) => {
    const checked = await checkFile(file, rules, tenant);
    const explanation = checked.ok && explain ? explainPlan(checked.plan, checked.definition) : undefined;
    return {
      told: validationOf(checked, explanation),
      tasks: checked.ok ? checked.definition.nodes.length : null,
      ...(checked.ok && mermaid ? { mermaid: drawPlan(checked.plan) } : {}),
    };
  };
}
