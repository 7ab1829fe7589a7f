// dagwright variables: values of the tenant of --tenant, read by its definitions.
import type { Json } from '../../core/json.ts';
import {
  checkValue,
  deleteVariable,
  listVariables,
  MAX_DESCRIPTION,
  setVariable,
  showVariable,
  VARIABLE_NAME,
} from '../../resources/variables.ts';
import { action } from '../action.ts';
import { at } from '../at.ts';
import { type Command, command } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { paged, textWithin } from '../input/arguments.ts';
import { readJsonArgument, readTextArgument } from '../input/json-argument.ts';
import { printedPage, requireText } from '../input/lists.ts';
import { shorten, table } from '../output/terminal.ts';
import { outcomeToRefusal, Refusal } from '../refusal.ts';

export function defineCommand(variables: Command): void {
  paged(command(variables, 'list', 'by name'), { flag: '--cursor <name>' }).action(action(listAllVariables));
  command(variables, 'get', 'print its value, as JSON').argument('<name>').action(action(getVariable));
  command(variables, 'set', 'create or change one; the next attempt of a task sees it')
    .argument('<name>')
    .argument('<json|@file>', 'its value')
    .option('--text', 'the value is text, not JSON')
    .option('--description <text>', 'for people', textWithin({ minLength: 0, maxLength: MAX_DESCRIPTION }))
    .action(action(putVariable));
  command(variables, 'delete', 'tasks that still need it fail with missing_path')
    .argument('<name>')
    .action(action(removeVariable));
}

const SHOWN_CHARS = 60;
const VALUE = '<value>';
const WORDS = { arguments: { '/value': VALUE }, hints: { not_found: 'dagwright variables list' } };

async function listAllVariables(
  context: CommandContext,
  { limit, cursor = null }: { readonly limit: number; readonly cursor?: string | null },
): Promise<number> {
  if (cursor !== null) requireText(VARIABLE_NAME, cursor, '--cursor');
  return await context.withTenant(async (client, acting) => {
    const page = printedPage(
      await at(listVariables)(client, acting, { limit, after: cursor }),
      ({ name }) => name,
    );
    context.printJson(page);
    const header = ['name', 'value', 'updated'].map((cell) => context.paint('bold', cell));
    const rows = page.items.map(({ name, value, updatedAt }) => [
      name,
      shorten(JSON.stringify(value), SHOWN_CHARS),
      updatedAt,
    ]);
    context.say(table([header, ...rows]));
    if (page.nextCursor !== null) context.say(`more: --cursor ${page.nextCursor}`);
    return 0;
  });
}

async function getVariable(context: CommandContext, _options: object, name: string): Promise<number> {
  return await context.withTenant(async (client, acting) => {
    const found = outcomeToRefusal(await at(showVariable)(client, acting, name), WORDS);
    context.printJson(found);
    context.say(JSON.stringify(found.value));
    return 0;
  });
}

async function putVariable(
  context: CommandContext,
  { text, description }: { readonly text?: boolean; readonly description?: string },
  name: string,
  given: string,
): Promise<number> {
  requireText(VARIABLE_NAME, name, '<name>');
  const value = await readValue(given, text === true);
  const refusal = checkValue(value);
  if (refusal !== null) outcomeToRefusal(refusal, WORDS);
  return await context.withTenant(async (client, acting) => {
    const set = await at(setVariable)(client, acting, { name, value, description });
    const { variable, isNew } = outcomeToRefusal(set, WORDS);
    context.printJson(variable);
    context.say(`${name} ${isNew ? 'is made' : 'is set'}`);
    return 0;
  });
}

async function removeVariable(context: CommandContext, _options: object, name: string): Promise<number> {
  return await context.withTenant(async (client, acting) => {
    outcomeToRefusal(await at(deleteVariable)(client, acting, name), WORDS);
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
