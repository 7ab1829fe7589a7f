// Reads a definition from a file and validates it with the task types of this installation.
import { readFile } from 'node:fs/promises';
import { parseDocument } from '../core/definition/parse.ts';
import type { TaskTypeRule } from '../core/definition/task-type.ts';
import { type ValidDefinition, validateDefinition } from '../core/definition/validate.ts';
import type { Problem } from '../core/errors.ts';
import { Refusal, refuse } from './refusal.ts';

export type CheckedFile =
  | { readonly ok: true; readonly valid: ValidDefinition }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Parses and validates one file. */
export async function checkFile(
  path: string,
  taskTypes: ReadonlyMap<string, TaskTypeRule>,
): Promise<CheckedFile> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw refuse('not_found', `cannot read ${path}: ${(error as Error).message}`);
  }
  const parsed = parseDocument(
    text,
    /\.json$/i.test(path) ? 'json' : /\.ya?ml$/i.test(path) ? 'yaml' : 'auto',
  );
  if (!parsed.ok) return parsed;
  const result = validateDefinition(parsed.value, { taskTypes });
  return result.ok ? { ok: true, valid: result.value } : { ok: false, problems: result.problems };
}

/** The valid definition of a file, or a Refusal. */
export async function readDefinition(
  path: string,
  taskTypes: ReadonlyMap<string, TaskTypeRule>,
): Promise<ValidDefinition> {
  const checked = await checkFile(path, taskTypes);
  if (checked.ok) return checked.valid;
  throw new Refusal(checked.problems);
}
