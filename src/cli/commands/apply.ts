// dagwright apply: saves definitions; nothing is saved unless all are valid.
import type { ValidDefinition } from '../../core/definition/validate.ts';
import type { Problem } from '../../core/errors.ts';
import { type Applied, applyDefinition } from '../../db/definitions.ts';
import type { CommandContext } from '../context.ts';
import { checkFile } from '../definition-file.ts';
import { problemLines, Refusal } from '../refusal.ts';
import { loadTaskTypes } from '../system.ts';

export async function applyFiles(context: CommandContext, files: readonly string[]): Promise<number> {
  const { rules } = await loadTaskTypes(context.config);
  const valid: ValidDefinition[] = [];
  const problems: Problem[] = [];
  for (const file of files) {
    const checked = await checkFile(file, rules);
    if (checked.ok) valid.push(checked.valid);
    else
      problems.push(
        ...checked.problems.map((problem) => ({ ...problem, pointer: `${file}#${problem.pointer}` })),
      );
  }
  if (problems.length > 0) throw new Refusal(problems);
  return await context.withSystem(async (system) => {
    const items: Applied[] = [];
    for (const { definition, warnings } of valid) {
      if (warnings.length > 0) context.note(problemLines(warnings, 'warning'));
      const applied = await applyDefinition(system.database, system.tenantId, definition, 'cli');
      items.push(applied);
      context.say(`${applied.workflowId} revision ${applied.revision} (${applied.outcome})`);
    }
    context.printJson({ items });
    return 0;
  });
}
