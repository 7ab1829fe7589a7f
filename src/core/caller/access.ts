// What a key may do: scopes are `<resource>:read` and `<resource>:write` (CONTRACT 6), roles are lists of them.

/** First segments of the paths under /v1 that take a key. */
export const RESOURCES = [
  'workflows',
  'executions',
  'reviews',
  'schedules',
  'webhooks',
  'events',
  'variables',
  'credentials',
  'service-limits',
  'pricing',
  'stats',
  'tenants',
  'api-keys',
  'audit',
] as const;
export type Resource = (typeof RESOURCES)[number];

/** `write` does not hold `read`. `actors:assert`: may say by X-Actor in whose name it acts; no role brings it. */
export type KeyScope = `${Resource}:read` | `${Resource}:write` | 'actors:assert';

const readOf = (resource: Resource): KeyScope => `${resource}:read`;
const writeOf = (resource: Resource): KeyScope => `${resource}:write`;

export const SCOPES: readonly KeyScope[] = [
  ...RESOURCES.flatMap((resource) => [readOf(resource), writeOf(resource)]),
  'actors:assert',
];

export const KEY_ROLES = ['admin', 'editor', 'viewer', 'reviewer'] as const;
export type KeyRole = (typeof KEY_ROLES)[number];

const READ_BY_ALL = RESOURCES.filter((name) => name !== 'api-keys' && name !== 'audit').map(readOf);

/** What each role may do, within its tenant. What belongs to the installation takes the operator's key besides. */
export const SCOPES_OF_ROLE: Readonly<Record<KeyRole, readonly KeyScope[]>> = {
  admin: SCOPES.filter((scope) => scope !== 'actors:assert'),
  editor: [
    ...READ_BY_ALL,
    ...(['workflows', 'executions', 'schedules', 'webhooks', 'events', 'variables', 'reviews'] as const).map(
      writeOf,
    ),
  ],
  viewer: READ_BY_ALL,
  // Sees what it is asked about, and nothing of the execution around it.
  reviewer: ['reviews:read', 'reviews:write'],
};

/** All that roles and scopes grant together; words that this release does not know grant nothing. */
export function scopesOf(roles: readonly string[], scopes: readonly string[]): ReadonlySet<KeyScope> {
  const ofRoles = roles.filter(isKeyRole).flatMap((role) => SCOPES_OF_ROLE[role]);
  return new Set([...ofRoles, ...scopes.filter(isScope)]);
}

/** Whether any one of the wanted scopes is granted. */
export function isAllowed(granted: ReadonlySet<KeyScope>, wanted: KeyScope | readonly KeyScope[]): boolean {
  return typeof wanted === 'string' ? granted.has(wanted) : wanted.some((scope) => granted.has(scope));
}

export function isScope(text: string): text is KeyScope {
  return (SCOPES as readonly string[]).includes(text);
}

export function isKeyRole(text: string): text is KeyRole {
  return (KEY_ROLES as readonly string[]).includes(text);
}
