// What roles and scopes grant (CONTRACT 6).
import { describe, expect, test } from 'vitest';
import {
  isAllowed,
  KEY_ROLES,
  RESOURCES,
  SCOPES,
  SCOPES_OF_ROLE,
  scopesOf,
} from '../../src/core/caller/access.ts';
import { actsByHand, problemOfActor } from '../../src/core/caller/actor.ts';

test('every resource has a scope to read and one to write, and nothing else but actors:assert is one', () => {
  expect(SCOPES).toHaveLength(RESOURCES.length * 2 + 1);
  expect(new Set(SCOPES).size).toBe(SCOPES.length);
  for (const scope of SCOPES) expect(scope).toMatch(/^([a-z]+(-[a-z]+)*:(read|write)|actors:assert)$/);
});

test('roles grant what they say', () => {
  // Who may say in whose name it acts was asked whether it may.
  expect(new Set(SCOPES_OF_ROLE.admin)).toEqual(new Set(SCOPES.filter((scope) => scope !== 'actors:assert')));
  for (const role of ['editor', 'viewer'] as const)
    for (const scope of [
      'api-keys:read',
      'api-keys:write',
      'audit:read',
      'tenants:write',
      'pricing:write',
      'actors:assert',
    ] as const)
      expect([role, scope, SCOPES_OF_ROLE[role].includes(scope)]).toEqual([role, scope, false]);
  expect(SCOPES_OF_ROLE.viewer.filter((scope) => !scope.endsWith(':read'))).toEqual([]);
  expect(SCOPES_OF_ROLE.editor.filter((scope) => scope.endsWith(':write')).sort()).toEqual(
    ['events', 'executions', 'reviews', 'schedules', 'variables', 'webhooks', 'workflows'].map(
      (resource) => `${resource}:write`,
    ),
  );
  expect(SCOPES_OF_ROLE.reviewer).toEqual(['reviews:read', 'reviews:write']);
  for (const role of KEY_ROLES) expect(new Set(SCOPES_OF_ROLE[role]).size).toBe(SCOPES_OF_ROLE[role].length);
});

test('roles and scopes add up; words that are none grant nothing', () => {
  expect([...scopesOf(['reviewer'], ['audit:read'])].sort()).toEqual([
    'audit:read',
    'reviews:read',
    'reviews:write',
  ]);
  for (const word of ['owner', 'admin ', 'constructor', '__proto__', 'toString'])
    expect([word, ...scopesOf([word], [word])]).toEqual([word]);
});

test('write does not hold read, and one of several wanted scopes is enough', () => {
  const granted = scopesOf([], ['executions:write']);
  expect(isAllowed(granted, 'executions:read')).toBe(false);
  expect(isAllowed(granted, ['workflows:write', 'executions:write'])).toBe(true);
  expect(isAllowed(granted, [])).toBe(false);
});

test('who is named acts by hand; programs and what starts by itself do not', () => {
  for (const actor of ['user:alice', 'service:shop', 'key:admin', 'cli', 'schedule:mine'])
    expect([actor, actsByHand(actor)]).toEqual([actor, true]);
  for (const actor of ['key:01a1fa0b-a5f8-786d-8779-39134096f0eb', 'local', 'system', 'callback', 'sql:app'])
    expect([actor, actsByHand(actor)]).toEqual([actor, false]);
});

describe('the name of an actor', () => {
  test.for(['alice', 'user:alice', 'Zoë Ångström', '名前', 'a', 'x'.repeat(200), 'systematic', 'keyholder'])(
    'may be "%s"',
    (name) => expect(problemOfActor(name)).toBeNull(),
  );
  test.for([
    '',
    ' ',
    ' alice',
    'alice ',
    'a\nb',
    'a\u0000b',
    'a\u200bb',
    'a\u2028b',
    '\ud800',
    'x'.repeat(201),
    'key:1',
    'KEY:1',
    'sql:postgres',
    'system',
    'System',
    'callback',
    'cli',
    'local',
  ])('may not be %j', (name) => expect(problemOfActor(name)).not.toBeNull());
});
