// dagwright variables: values of the tenant of --tenant, read by its definitions.
import type { Json } from '../../core/json.ts';
import {
  deleteVariable,
  findVariable,
  listVariables,
  putVariable,
  VARIABLE_NAME,
  variableProblem,
} from '../../db/resources/variables.ts';
import { CLI_ACTOR } from '../actor.ts';
import type { CommandContext } from '../context.ts';
import { readJsonArgument, readTextArgument } from '../input/json-argument.ts';
import { shorten, table } from '../output/terminal.ts';
import { Refusal, refuse } from '../refusal.ts';

const SHOWN_CHARS = 60;
const VALUE = '<value>';

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
  if (isText) return await readTextArgument(given, VALUE);
  try {
    return await readJsonArgument(given, VALUE);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const hint = 'for text: --text, or quotes within quotes, \'"eu"\'';
    throw new Refusal(error.problems.map((problem) => ({ hint, ...problem })));
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
