// dagwright keys: keys of the API, of the tenant of --tenant. Who holds the database may grant everything.

import { beginsWithDay } from '../../core/calendar-day.ts';
import { isKeyRole, isScope, KEY_ROLES, RESOURCES } from '../../core/caller/access.ts';
import { problemOfActor } from '../../core/caller/actor.ts';
import { createKey, type KeyView, listKeys, revokeKey } from '../../db/resources/api-keys.ts';
import { CLI_ACTOR } from '../actor.ts';
import type { CommandContext } from '../context.ts';
import { requireUuid } from '../input/lists.ts';
import { table } from '../output/terminal.ts';
import { refuse } from '../refusal.ts';

export interface KeyOptions {
  readonly roles?: string;
  readonly scopes?: string;
  readonly subject?: string;
  readonly expiresAt?: string;
}

/** Prints the key, once; nothing can print it again. */
export async function createOneKey(
  context: CommandContext,
  options: KeyOptions,
  name: string,
): Promise<number> {
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
  if (roles.length + scopes.length === 0)
    throw refuse('usage', 'a key needs --roles or --scopes', '--roles editor');
  if (name.length < 1 || name.length > 200) throw refuse('usage', 'a key has a name of 1 to 200 characters');
  const problem = options.subject === undefined ? null : problemOfActor(options.subject);
  if (problem !== null) throw refuse('usage', `--subject ${problem}`);
  const expiresAt = options.expiresAt === undefined ? null : instantOf(options.expiresAt);
  return await context.withSystem(async ({ database, tenantId }) => {
    const made = await database.withTenant({ tenantId, ...CLI_ACTOR }, (client) =>
      createKey(client, tenantId, {
        name,
        subject: options.subject ?? null,
        roles,
        scopes,
        createdBy: CLI_ACTOR.actor,
        expiresAt,
      }),
    );
    if (made === null) throw refuse('usage', '--expires-at must be in the future');
    context.printJson({ ...made.view, key: made.key });
    context.say(made.key);
    if (!context.isJson)
      context.note(
        'shown only now; send it as: Authorization: Bearer …  (with the first key the service is not open any more)',
      );
    return 0;
  });
}

export async function listAllKeys(
  context: CommandContext,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string },
): Promise<number> {
  const before = requireUuid(cursor, '--cursor');
  return await context.withSystem(async ({ database, tenantId }) => {
    const found = await database.withTenant({ tenantId, ...CLI_ACTOR }, (client) =>
      listKeys(client, tenantId, { limit: limit + 1, before }),
    );
    const items = found.slice(0, limit);
    const nextCursor = found.length > limit ? items.at(-1)!.id : null;
    context.printJson({ items, nextCursor });
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

export async function revokeOneKey(context: CommandContext, _options: object, id: string): Promise<number> {
  const keyId = requireUuid(id, 'the id of a key')!;
  return await context.withSystem(async ({ database, tenantId }) => {
    const key = await database.withTenant({ tenantId, ...CLI_ACTOR }, (client) =>
      revokeKey(client, tenantId, keyId),
    );
    if (key === null) throw refuse('not_found', `there is no key ${id}`, 'dagwright keys list');
    context.printJson(key);
    context.say(`${key.name} is revoked: refused everywhere within 5 s`);
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
