// JSON given on the command line, as it is or in a file: `--options '{…}'`, `--options @FILE`.
import { readFile } from 'node:fs/promises';
import { parseDocument } from '../core/definition/parse.ts';
import type { Json } from '../core/json.ts';
import { Refusal, refuse } from './refusal.ts';

/** The value; a Refusal names the option. */
export async function readJsonArgument(text: string, option: string): Promise<Json> {
  const parsed = parseDocument(await readTextArgument(text, option), 'json');
  if (parsed.ok) return parsed.value as Json;
  throw new Refusal(
    parsed.problems.map((problem) => ({ ...problem, pointer: `${option}${problem.pointer}` })),
  );
}

/** The text itself, or that of `@FILE`. */
export async function readTextArgument(text: string, option: string): Promise<string> {
  if (!text.startsWith('@')) return text;
  try {
    return await readFile(text.slice(1), 'utf8');
  } catch (error) {
    throw refuse('not_found', `cannot read ${text.slice(1)}: ${(error as Error).message}`, undefined, option);
  }
}
