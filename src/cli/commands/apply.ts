// dagwright apply: saves definitions, all or none.
import type { TaskTypeRule } from '../../core/definition/task-type.ts';
import type { ValidDefinition } from '../../core/definition/validate.ts';
import type { Problem } from '../../core/errors.ts';
import type { SavedWorkflow } from '../../resources/definitions/save-workflows.ts';
import { listAction } from '../action.ts';
import { applyWorkflows, triggerLines } from '../apply-workflow.ts';
import type { Command } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { checkFile } from '../input/definition-file.ts';
import { checkByKnownTypes } from '../known-types.ts';
import { problemLines, Refusal } from '../refusal.ts';
import type { RemoteDefinition } from '../remote/definitions.ts';
import type { RemoteService } from '../remote/service.ts';
import { guessNote } from '../settings/webhook-host.ts';

export function defineCommand(command: Command): void {
  command.action(listAction((context, _options, files) => applyFiles(context, files)));
}

interface ValidFile {
  readonly file: string;
  readonly checked: ValidDefinition;
}

async function applyFiles(context: CommandContext, files: readonly string[]): Promise<number> {
  if (context.server !== null) return await applyRemotely(context, context.server, files);
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
  return { result: valid, problems: [...problems, ...doubledWorkflows(valid.map(namedOf))] };
}

async function saveFiles(context: CommandContext, valid: readonly ValidFile[]): Promise<number> {
  return await context.withSystem(async (system) => {
    for (const { checked } of valid)
      if (checked.warnings.length > 0) context.note(problemLines(checked.warnings, 'warning'));
    const items = await applyWorkflows(
      system,
      valid.map(({ file, checked }) => ({ file, definition: checked.definition })),
    );
    const guessed = items.some(({ triggers }) => triggers.webhooks.length > 0)
      ? guessNote(context.config)
      : null;
    if (guessed !== null) context.note(guessed);
    return tellSaved(context, items);
  });
}

async function applyRemotely(
  context: CommandContext,
  server: RemoteService,
  files: readonly string[],
): Promise<number> {
  const { checkRemotely, saveRemotely } = await import('../remote/definitions.ts');
  const checked: RemoteDefinition[] = [];
  for (const file of files) checked.push(await checkRemotely(server, file));
  const problems = checked.flatMap(({ file, validation }) =>
    validation.errors.map((problem) => ({ ...problem, pointer: `${file}#${problem.pointer}` })),
  );
  const named = checked.flatMap(({ file, validation: { workflowId } }) =>
    workflowId === undefined ? [] : { file, workflowId },
  );
  problems.push(...doubledWorkflows(named));
  if (problems.length > 0) throw new Refusal(problems);
  for (const { validation } of checked)
    if (validation.warnings.length > 0) context.note(problemLines(validation.warnings, 'warning'));
  return tellSaved(context, await saveRemotely(server, checked));
}

function tellSaved(context: CommandContext, items: readonly SavedWorkflow[]): number {
  for (const { workflowId, revision, outcome, status, triggers } of items) {
    context.say(
      `${workflowId} revision ${revision} (${outcome})${status === 'active' ? '' : `; it is ${status}, so nothing starts it: dagwright workflows activate ${workflowId}`}`,
    );
    for (const line of triggerLines(triggers)) context.say(line);
  }
  context.printJson({ items });
  return 0;
}

interface NamedFile {
  readonly file: string;
  readonly workflowId: string;
}

const namedOf = ({ file, checked }: ValidFile): NamedFile => ({
  file,
  workflowId: checked.definition.workflowId,
});

// Which of them counts must not depend on the order in which a shell lists files.
function doubledWorkflows(files: readonly NamedFile[]): Problem[] {
  return files.flatMap(({ file, workflowId }, i) => {
    const first = files.findIndex((other) => other.workflowId === workflowId);
    if (first === i) return [];
    const message = `${files[first]!.file} is of the workflow "${workflowId}" too`;
    return [{ pointer: `${file}#/workflowId`, code: 'duplicate', message }];
  });
}
