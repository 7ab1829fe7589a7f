// Reads an answer that must be JSON of a schema, and says to the model what is wrong with it.

import { readJson } from '../../core/definition/reading/json-reader.ts';
import type { CompiledSchema } from '../../core/definition/schema/input-schema.ts';
import type { Problem } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import { findJsonValues } from './json-in-prose.ts';

/** Problems that are listed: enough to mend an answer by. */
const MAX_PROBLEMS = 20;
const FENCED = /^```(?:json)?\s*\n(.*)\n```$/s;

export type StructuredAnswer =
  | { readonly ok: true; readonly value: Json }
  | { readonly ok: false; readonly problems: readonly string[] };

/**
 * Takes the JSON out of a code fence, which some models put around it, or out of the words around it where there is one such
 * value, or only one that fits.
 */
export function readStructured(text: string, schema: CompiledSchema): StructuredAnswer {
  const trimmed = text.trim();
  const parsed = readJson(FENCED.exec(trimmed)?.[1] ?? trimmed);
  if (parsed.ok) return checked(parsed.value as Json, schema);
  const found = findJsonValues(trimmed).map((value) => checked(value, schema));
  const fitting = found.filter(({ ok }) => ok);
  if (fitting.length === 1) return fitting[0]!;
  return found.length === 1 ? found[0]! : { ok: false, problems: listed(parsed.problems, 'not JSON: ') };
}

function checked(value: Json, schema: CompiledSchema): StructuredAnswer {
  const problems = schema.validate(value);
  return problems.length === 0 ? { ok: true, value } : { ok: false, problems: listed(problems, '') };
}

/** The user's turn after an answer that does not fit. */
export function repairRequest(problems: readonly string[], schema: Json): string {
  return [
    'Your answer does not fit the JSON Schema that it must fit:',
    ...problems.map((problem) => `- ${problem}`),
    `The schema: ${JSON.stringify(schema)}`,
    'Answer again with the corrected JSON only.',
  ].join('\n');
}

function listed(problems: readonly Problem[], prefix: string): string[] {
  return problems
    .slice(0, MAX_PROBLEMS)
    .map(({ pointer, message }) =>
      `${pointer === '' ? 'the whole' : pointer}: ${prefix}${message}`.slice(0, 500),
    );
}
