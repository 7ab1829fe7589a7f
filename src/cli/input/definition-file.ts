// Reads a definition from a file and validates it, its triggers too. What is wrong with it is told with its line and column.
import { parseDocument } from '../../core/definition/reading/parse.ts';
import { positionsIn } from '../../core/definition/reading/positions.ts';
import type { TaskTypeRule } from '../../core/definition/task-type.ts';
import type { Problem } from '../../core/errors.ts';
import { type CheckedDocument, checkDocument } from '../../resources/definitions/check-document.ts';
import type { PlacedProblem } from '../refusal.ts';
import { readTextFile } from './read-text.ts';

/** Parses and validates one file, as a definition of the tenant of this name. */
export async function checkFile(
  path: string,
  taskTypes: ReadonlyMap<string, TaskTypeRule>,
  tenantName: string,
): Promise<CheckedDocument> {
  const text = await readTextFile(path);
  const parsed = parseDocument(
    text,
    /\.json$/i.test(path) ? 'json' : /\.ya?ml$/i.test(path) ? 'yaml' : 'auto',
  );
  const place = placing(path, text);
  if (!parsed.ok) return { ok: false, problems: place(parsed.problems), warnings: [] };
  const checked = await checkDocument(parsed.value, { taskTypes, tenantName });
  const warnings = place(checked.warnings);
  return checked.ok ? { ...checked, warnings } : { ok: false, problems: place(checked.problems), warnings };
}

function placing(file: string, text: string): (problems: readonly Problem[]) => readonly Problem[] {
  const locate = positionsIn(text);
  return (problems) =>
    problems.map((problem) => {
      const position = locate(problem);
      return position === null ? problem : ({ ...problem, file, ...position } satisfies PlacedProblem);
    });
}
