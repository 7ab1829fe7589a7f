// Reads a definition from a file and validates it, its triggers too.
import { parseDocument } from '../../core/definition/reading/parse.ts';
import type { TaskTypeRule } from '../../core/definition/task-type.ts';
import { type CheckedDocument, checkDocument } from '../../resources/definitions/check-document.ts';
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
  if (!parsed.ok) return { ...parsed, warnings: [] };
  return checkDocument(parsed.value, { taskTypes, tenantName });
}
