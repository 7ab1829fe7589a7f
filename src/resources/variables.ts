// Variables of a tenant: what people do with them, and what a name and a value may be. `client` is in a transaction of the
// tenant's role.
import type pg from 'pg';
import { type Json, toStorableJson } from '../core/json.ts';
import type { BoundedPage } from '../db/connection/byte-bounded.ts';
import type { Acting } from '../db/connection/connection.ts';
import type { Variable, VariableChange } from '../db/resources/variables.ts';
import * as rows from '../db/resources/variables.ts';
import { done, invalid, notFound, type Outcome, type Refused, refused } from './outcome.ts';
import type { TextRule } from './text-rule.ts';

/** `__proto__` is no name anywhere. */
export const VARIABLE_NAME = {
  pattern: /^(?!__proto__$)[A-Za-z_][A-Za-z0-9_]{0,99}$/,
  expected: 'letters, digits and "_", not beginning with a digit, at most 100',
} as const satisfies TextRule;
/** Bytes (UTF-8 JSON) of one value. */
const MAX_VALUE_BYTES = 256 * 1024;
/** Characters of a description. */
export const MAX_DESCRIPTION = 1_000;

/** By name; `after` is the name to go on after. */
export function listVariables(
  client: pg.ClientBase,
  { tenantId }: Acting,
  page: { readonly limit: number; readonly after: string | null },
): Promise<BoundedPage<Variable>> {
  return rows.findVariables(client, tenantId, page);
}

export async function showVariable(
  client: pg.ClientBase,
  { tenantId }: Acting,
  name: string,
): Promise<Outcome<Variable>> {
  const found = await rows.findVariable(client, tenantId, name);
  return found === null ? unknown(name) : done(found);
}

export async function createVariable(
  client: pg.ClientBase,
  { tenantId, actor }: Acting,
  given: VariableChange,
): Promise<Outcome<Variable>> {
  const refusal = checkValue(given.value);
  if (refusal !== null) return refusal;
  const made = await rows.insertVariable(client, tenantId, given, actor);
  if (made !== null) return done(made);
  return refused(
    'name_taken',
    { pointer: '/name', code: 'name_taken', message: 'there is one already', hint: 'PUT changes it' },
    `there is a variable "${given.name}" already`,
  );
}

/** Creates it or changes its value; a description that is not named stays. */
export async function setVariable(
  client: pg.ClientBase,
  { tenantId, actor }: Acting,
  given: VariableChange,
): Promise<Outcome<{ readonly variable: Variable; readonly isNew: boolean }>> {
  const refusal = checkValue(given.value);
  return refusal ?? done(await rows.upsertVariable(client, tenantId, given, actor));
}

/** Tasks that still need it fail with `missing_path`. */
export async function deleteVariable(
  client: pg.ClientBase,
  { tenantId }: Acting,
  name: string,
): Promise<Outcome<{ readonly name: string }>> {
  return (await rows.deleteVariable(client, tenantId, name)) ? done({ name }) : unknown(name);
}

/** Why a value cannot be one; null: it can. Needs no database. */
export function checkValue(value: Json): Refused | null {
  const judged = toStorableJson(value, MAX_VALUE_BYTES);
  if (judged.ok) return null;
  return invalid([{ pointer: '/value', code: 'unstorable', message: `the value ${judged.message}` }]);
}

const unknown = (name: string) => notFound('variable', `there is no variable "${name}"`);
