// dagwright variables: values of the tenant of --tenant, read by its definitions.
import { readFile } from 'node:fs/promises';
import { parseDocument } from '../../core/definition/parse.ts';
import type { Json } from '../../core/json.ts';
import {
  deleteVariable,
  findVariable,
  listVariables,
  putVariable,
  VARIABLE_NAME,
  variableProblem,
} from '../../db/variables.ts';
import { CLI_ACTOR } from '../actor.ts';
import type { CommandContext } from '../context.ts';
import { Refusal, refuse } from '../refusal.ts';
import { shorten, table } from '../terminal.ts';

const SHOWN_CHARS = 60;

export async function listAllVariables(
  context: CommandContext,
  { limit, cursor = null }: { readonly limit: number; readonly cursor?: string | null },
): Promise<number> {
  if (cursor !== null) requireName(cursor, '--cursor');
  return await context.withSystem(async ({ database, tenantId }) => {
    const found = await database.withTenant(tenantId, (client) =>
      listVariables(client, tenantId, { limit: limit + 1, after: cursor }),
    );
    const items = found.slice(0, limit);
    const nextCursor = found.length > limit ? items.at(-1)!.name : null;
    context.printJson({ items, nextCursor });
    const header = ['name', 'value', 'updated'].map((cell) => context.paint('bold', cell));
    const rows = items.map(({ name, value, updatedAt }) => [
      name,
      shorten(JSON.stringify(value), SHOWN_CHARS),
      updatedAt,
    ]);
    context.say(table([header, ...rows]));
    if (nextCursor !== null) context.say(`more: --cursor ${nextCursor}`);
    return 0;
  });
}

export async function getVariable(context: CommandContext, _options: object, name: string): Promise<number> {
  return await context.withSystem(async ({ database, tenantId }) => {
    const found = await database.withTenant(tenantId, (client) => findVariable(client, tenantId, name));
    if (found === null) throw unknown(name);
    context.printJson(found);
    context.say(JSON.stringify(found.value));
    return 0;
  });
}

export async function setVariable(
  context: CommandContext,
  { text, description }: { readonly text?: boolean; readonly description?: string },
  name: string,
  given: string,
): Promise<number> {
  requireName(name, '<name>');
  const value = await readValue(given, text === true);
  const problem = variableProblem(value);
  if (problem !== null) throw refuse('unstorable', `the value ${problem}`);
  return await context.withSystem(async ({ database, tenantId }) => {
    const { variable, isNew } = await database.withTenant({ tenantId, ...CLI_ACTOR }, (client) =>
      putVariable(client, tenantId, { name, value, description }, CLI_ACTOR.actor),
    );
    context.printJson(variable);
    context.say(`${name} ${isNew ? 'is made' : 'is set'}`);
    return 0;
  });
}

export async function deleteOneVariable(
  context: CommandContext,
  _options: object,
  name: string,
): Promise<number> {
  return await context.withSystem(async ({ database, tenantId }) => {
    const isDeleted = await database.withTenant({ tenantId, ...CLI_ACTOR }, (client) =>
      deleteVariable(client, tenantId, name),
    );
    if (!isDeleted) throw unknown(name);
    context.printJson({ name, deleted: true });
    context.say(`${name} is deleted`);
    return 0;
  });
}

async function readValue(given: string, isText: boolean): Promise<Json> {
  const source = given.startsWith('@') ? await readSource(given.slice(1)) : given;
  if (isText) return source;
  const parsed = parseDocument(source, 'json');
  if (parsed.ok) return parsed.value as Json;
  throw new Refusal(
    parsed.problems.map((problem) => ({
      ...problem,
      pointer: `<value>${problem.pointer}`,
      hint: problem.hint ?? 'for text: --text, or quotes within quotes, \'"eu"\'',
    })),
  );
}

async function readSource(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw refuse('not_found', `cannot read ${path}: ${(error as Error).message}`);
  }
}

function requireName(name: string, what: string): void {
  if (!VARIABLE_NAME.test(name))
    throw refuse(
      'usage',
      `${what}: a name is letters, digits and "_", not beginning with a digit, at most 100; got "${shorten(name, 100)}"`,
    );
}

const unknown = (name: string) =>
  refuse('not_found', `there is no variable "${shorten(name, 100)}"`, 'dagwright variables list');
