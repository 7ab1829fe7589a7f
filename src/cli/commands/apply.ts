// dagwright apply: saves definitions; nothing is saved unless all are valid.
import type { ValidDefinition } from '../../core/definition/validate.ts';
import type { Problem } from '../../core/errors.ts';
import { applyWorkflow, triggerLines } from '../apply-workflow.ts';
import type { CommandContext } from '../context.ts';
import { checkFile } from '../definition-file.ts';
import { problemLines, Refusal } from '../refusal.ts';
import { loadTaskTypes } from '../system.ts';

export async function applyFiles(context: CommandContext, files: readonly string[]): Promise<number> {
  const { rules } = await loadTaskTypes(context.config);
  const valid: { readonly file: string; readonly checked: ValidDefinition }[] = [];
  const problems: Problem[] = [];
  for (const file of files) {
    const checked = await checkFile(file, rules, context.tenant);
    if (checked.ok) valid.push({ file, checked: checked.valid });
    else
      problems.push(
        ...checked.problems.map((problem) => ({ ...problem, pointer: `${file}#${problem.pointer}` })),
      );
  }
  if (problems.length > 0) throw new Refusal(problems);
  return await context.withSystem(async (system) => {
    const items: Awaited<ReturnType<typeof applyWorkflow>>[] = [];
    for (const { file, checked } of valid) {
      if (checked.warnings.length > 0) context.note(problemLines(checked.warnings, 'warning'));
      const applied = await applyWorkflow(system, checked.definition, file);
      items.push(applied);
      const { workflowId, revision, outcome, status } = applied;
      context.say(
        `${workflowId} revision ${revision} (${outcome})${status === 'active' ? '' : `; it is ${status}, so nothing starts it: dagwright workflows activate ${workflowId}`}`,
      );
      for (const line of triggerLines(applied.triggers, system)) context.say(line);
    }
    context.printJson({ items });
    return 0;
  });
}
