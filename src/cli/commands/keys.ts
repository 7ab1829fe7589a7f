// dagwright keys: keys of the API, of the tenant of --tenant. Who holds the database may grant everything.

import { beginsWithDay } from '../../core/calendar-day.ts';
import { isKeyRole, isScope, KEY_ROLES, RESOURCES, SCOPES } from '../../core/caller/access.ts';
import type { KeyView } from '../../db/resources/api-keys.ts';
import { checkKey, createKey, KEY_NAME, listKeys, revokeKey } from '../../resources/api-keys.ts';
import { action } from '../action.ts';
import { at } from '../at.ts';
import { type Command, command } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { paged, textWithin } from '../input/arguments.ts';
import { printedPage, requireUuid } from '../input/lists.ts';
import { table } from '../output/terminal.ts';
import { outcomeToRefusal, type RefusalWords, refuse } from '../refusal.ts';
import { oneLine } from '../safe-output.ts';

export function defineCommand(keys: Command): void {
  paged(command(keys, 'list', 'newest first; never the keys themselves')).action(action(listAllKeys));
  command(keys, 'create', 'make a key and print it, once')
    .argument('<name>', 'what it is for', textWithin(KEY_NAME))
    .option('--roles <list>', 'admin, editor, viewer, reviewer; with commas between')
    .option('--scopes <list>', 'executions:read, executions:write, …; with commas between')
    .option('--subject <actor>', 'for whom it acts, such as user:alice; else for itself')
    .option('--expires-at <instant>', 'from then on it is refused')
    .action(action(createOneKey));
  command(keys, 'revoke', 'refuse a key for good, everywhere within 5 s')
    .argument('<id>')
    .action(action(revokeOneKey));
}

const WORDS: RefusalWords = {
  arguments: { '/subject': '--subject', '/expiresAt': '--expires-at' },
  texts: { '/roles': ['a key needs --roles or --scopes', '--roles editor'] },
  hints: { not_found: 'dagwright keys list' },
  isUsage: true,
};

interface KeyOptions {
  readonly roles?: string;
  readonly scopes?: string;
  readonly subject?: string;
  readonly expiresAt?: string;
}

/** Prints the key, once; nothing can print it again. */
async function createOneKey(context: CommandContext, options: KeyOptions, name: string): Promise<number> {
  const roles = wordsOf(options.roles);
  const scopes = wordsOf(options.scopes);
  const [wrongRole, wrongScope] = [
    roles.find((role) => !isKeyRole(role)),
    scopes.find((scope) => !isScope(scope)),
  ];
  if (wrongRole !== undefined)
    throw refuse('usage', `--roles: "${wrongRole}" is no role`, KEY_ROLES.join(', '));
  if (wrongScope !== undefined)
    throw refuse(
      'usage',
      `--scopes: "${wrongScope}" is no scope`,
      `actors:assert, or :read and :write of ${RESOURCES.join(', ')}`,
    );
  const { subject } = options;
  const expiresAt = options.expiresAt === undefined ? null : instantOf(options.expiresAt);
  const given = { name, subject, roles, scopes, expiresAt };
  const refusal = checkKey(given);
  if (refusal !== null) outcomeToRefusal(refusal, WORDS);
  return await context.withTenant(async (client, acting) => {
    // Who holds the database may grant everything.
    const maker = { ...acting, scopes: new Set(SCOPES), keyId: null };
    const made = outcomeToRefusal(await at(createKey)(client, maker, given), WORDS);
    context.printJson(made);
    context.say(made.key);
    if (!context.isJson)
      context.note(
        'shown only now; send it as: Authorization: Bearer …  (with the first key the service is not open any more)',
      );
    return 0;
  });
}

async function listAllKeys(
  context: CommandContext,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string },
): Promise<number> {
  const before = requireUuid(cursor, '--cursor');
  return await context.withTenant(async (client, acting) => {
    const page = printedPage(await at(listKeys)(client, acting, { limit, before }), ({ id }) => id);
    const { items, nextCursor } = page;
    context.printJson(page);
    const header = ['id', 'name', 'for', 'grants', 'state', 'last used'].map((cell) =>
      context.paint('bold', cell),
    );
    const rows = items.map((key) => [
      key.id,
      key.name,
      key.subject ?? '',
      [...key.roles, ...key.scopes].join(','),
      stateOf(key),
      key.lastUsedAt ?? 'never',
    ]);
    context.say(items.length === 0 ? `no keys in tenant ${context.tenant}` : table([header, ...rows]));
    if (nextCursor !== null) context.say(`more: --cursor ${nextCursor}`);
    return 0;
  });
}

async function revokeOneKey(context: CommandContext, _options: object, id: string): Promise<number> {
  const keyId = requireUuid(id, 'the id of a key');
  return await context.withTenant(async (client, acting) => {
    const key = outcomeToRefusal(await at(revokeKey)(client, acting, keyId), WORDS);
    context.printJson(key);
    context.say(`${oneLine(key.name)} is revoked: refused everywhere within 5 s`);
    return 0;
  });
}

function stateOf({ revokedAt, expiresAt }: KeyView): string {
  if (revokedAt !== null) return `revoked ${revokedAt}`;
  if (expiresAt === null) return 'valid';
  return Date.parse(expiresAt) > Date.now() ? `until ${expiresAt}` : `expired ${expiresAt}`;
}

const wordsOf = (text: string | undefined) => [
  ...new Set(
    (text ?? '')
      .split(',')
      .map((word) => word.trim())
      .filter((word) => word !== ''),
  ),
];

function instantOf(text: string): string {
  const ms = Date.parse(text);
  if (!beginsWithDay(text) || Number.isNaN(ms))
    throw refuse('usage', `--expires-at: "${text}" is no instant`, '2030-01-01T00:00:00Z');
  return new Date(ms).toISOString();
}
