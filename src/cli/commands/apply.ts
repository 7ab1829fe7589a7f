// dagwright apply: saves definitions, all or none.
import type { TaskTypeRule } from '../../core/definition/task-type.ts';
import type { ValidDefinition } from '../../core/definition/validate.ts';
import type { Problem } from '../../core/errors.ts';
import { listAction } from '../action.ts';
import { applyWorkflows, triggerLines } from '../apply-workflow.ts';
import type { Command } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { checkFile } from '../input/definition-file.ts';
import { checkByKnownTypes } from '../known-types.ts';
import { problemLines, Refusal } from '../refusal.ts';

export function defineCommand(command: Command): void {
  command.action(listAction((context, _options, files) => applyFiles(context, files)));
}

interface ValidFile {
  readonly file: string;
  readonly checked: ValidDefinition;
}

async function applyFiles(context: CommandContext, files: readonly string[]): Promise<number> {
  const { result: valid, problems } = await checkByKnownTypes(context, (rules) =>
    checkFiles(files, rules, context.tenant),
  );
  if (problems.length > 0) throw new Refusal(problems);
  return await saveFiles(context, valid);
}

async function checkFiles(
  files: readonly string[],
  rules: ReadonlyMap<string, TaskTypeRule>,
  tenant: string,
): Promise<{ readonly result: readonly ValidFile[]; readonly problems: readonly Problem[] }> {
  const valid: ValidFile[] = [];
  const problems: Problem[] = [];
  for (const file of files) {
    const checked = await checkFile(file, rules, tenant);
    if (checked.ok) valid.push({ file, checked });
    else
      problems.push(
        ...checked.problems.map((problem) => ({ ...problem, pointer: `${file}#${problem.pointer}` })),
      );
  }
  return { result: valid, problems: [...problems, ...doubledWorkflows(valid)] };
}

async function saveFiles(context: CommandContext, valid: readonly ValidFile[]): Promise<number> {
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
