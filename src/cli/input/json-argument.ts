// JSON given on the command line, as it is or in a file: `--options '{…}'`, `--options @FILE`.
import { parseDocument } from '../../core/definition/reading/parse.ts';
import type { Problem } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import { Refusal } from '../refusal.ts';
import { readTextFile } from './read-text.ts';

/** The value; a Refusal names the option. */
export async function readJsonArgument(text: string, option: string): Promise<Json> {
  const parsed = parseDocument(await readTextArgument(text, option), 'json');
  if (parsed.ok) return parsed.value as Json;
  throw new Refusal(argumentProblems(parsed.problems, option, text));
}

/** Problems of what was given by `option`. What stands there and is no JSON is wrong usage; what stands in a file is not. */
export function argumentProblems(problems: readonly Problem[], option: string, given: string): Problem[] {
  return problems.map((problem) => {
    const pointer = `${option}${problem.pointer}`;
    if (problem.code !== 'syntax' || given.startsWith('@')) return { ...problem, pointer };
    return { ...problem, pointer, code: 'usage', message: `${option} is not JSON: ${problem.message}` };
  });
}

/** The text itself, or that of `@FILE`. */
export async function readTextArgument(text: string, option: string): Promise<string> {
  return text.startsWith('@') ? await readTextFile(text.slice(1), option) : text;
}
