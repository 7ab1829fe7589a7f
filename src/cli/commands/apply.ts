// dagwright apply: saves definitions, all or none.
import type { ValidDefinition } from '../../core/definition/validate.ts';
import type { Problem } from '../../core/errors.ts';
import { listAction } from '../action.ts';
import { applyWorkflows, triggerLines } from '../apply-workflow.ts';
import type { Command } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { checkFile } from '../input/definition-file.ts';
import { problemLines, Refusal } from '../refusal.ts';
import { guessNote } from '../settings/webhook-host.ts';
import { loadTaskTypes } from '../system.ts';

export function defineCommand(command: Command): void {
  command.action(listAction((context, _options, files) => applyFiles(context, files)));
}

interface ValidFile {
  readonly file: string;
  readonly checked: ValidDefinition;
}

async function applyFiles(context: CommandContext, files: readonly string[]): Promise<number> {
  const { rules } = await loadTaskTypes(context.config);
  const valid: ValidFile[] = [];
  const problems: Problem[] = [];
  for (const file of files) {
    const checked = await checkFile(file, rules, context.tenant);
    if (checked.ok) valid.push({ file, checked });
    else
      problems.push(
        ...checked.problems.map((problem) => ({ ...problem, pointer: `${file}#${problem.pointer}` })),
      );
  }
  problems.push(...doubledWorkflows(valid));
  if (problems.length > 0) throw new Refusal(problems);
  return await context.withSystem(async (system) => {
    for (const { checked } of valid)
      if (checked.warnings.length > 0) context.note(problemLines(checked.warnings, 'warning'));
    const items = await applyWorkflows(
      system,
      valid.map(({ file, checked }) => ({ file, definition: checked.definition })),
    );
    for (const { workflowId, revision, outcome, status, triggers } of items) {
      context.say(
        `${workflowId} revision ${revision} (${outcome})${status === 'active' ? '' : `; it is ${status}, so nothing starts it: dagwright workflows activate ${workflowId}`}`,
      );
      for (const line of triggerLines(triggers)) context.say(line);
    }
    const guessed = items.some(({ triggers }) => triggers.webhooks.length > 0)
      ? guessNote(context.config)
      : null;
    if (guessed !== null) context.note(guessed);
    context.printJson({ items });
    return 0;
  });
}

// Which of them counts must not depend on the order in which a shell lists files.
function doubledWorkflows(valid: readonly ValidFile[]): Problem[] {
  const idOf = ({ checked }: ValidFile) => checked.definition.workflowId;
  return valid.flatMap((one, i) => {
    const first = valid.findIndex((other) => idOf(other) === idOf(one));
    if (first === i) return [];
    const message = `${valid[first]!.file} is of the workflow "${idOf(one)}" too`;
    return [{ pointer: `${one.file}#/workflowId`, code: 'duplicate', message }];
  });
}
