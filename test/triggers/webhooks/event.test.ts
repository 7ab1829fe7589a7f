// What filters and mappings see of an event, and which headers they never see.
import { describe, expect, it } from 'vitest';
import type { Json } from '../../../src/core/json.ts';
import { WEBHOOK_AUTH_TYPES, WEBHOOK_VERIFIERS } from '../../../src/core/trigger/webhook.ts';
import { checkSecret, newSecret } from '../../../src/resources/webhooks/secret-rule.ts';
import {
  eventScope,
  triggerOf,
  type WebhookEvent,
} from '../../../src/triggers/webhooks/event/event-scope.ts';
import { compileInputMapping } from '../../../src/triggers/webhooks/event/mapping.ts';
import { senderHeaders, senderQuery } from '../../../src/triggers/webhooks/verification/sender-headers.ts';

const EVENT: WebhookEvent = {
  eventId: '0199-event',
  receivedAt: '2026-11-20T17:00:00.000Z',
  method: 'POST',
  headers: { 'x-github-event': 'push' },
  query: { tag: ['a', 'b'] },
  body: { action: 'opened', issue: { id: 7 }, list: [{ id: 1 }, { id: 2 }] },
};

function map(mapping: Json | undefined, event: WebhookEvent = EVENT): unknown {
  const compiled = compileInputMapping(mapping);
  if (!compiled.ok)
    return {
      refused: compiled.problems.map(({ pointer, message, hint }) => [pointer, message, hint].join(' | ')),
    };
  const result = compiled.value(eventScope(event));
  return result.ok
    ? result.value
    : { failed: result.problems.map(({ code, message }) => `${code}: ${message}`) };
}

describe('a mapping', () => {
  it.each<[Json, unknown]>([
    ['$.body.action', 'opened'],
    ['{{ body.issue.id }}', 7],
    [
      { id: '{{ trigger.body.issue.id }}', at: '{{ trigger.at }}', type: '$.trigger.type' },
      { id: 7, at: EVENT.receivedAt, type: 'webhook' },
    ],
    ["{{ headers['x-github-event'] }} by {{ method }}", 'push by POST'],
    [
      ['$.query.tag[1]', 1, null],
      ['b', 1, null],
    ],
    ['$..id', [7, 1, 2]],
    ['{{ now() }}', EVENT.receivedAt],
    ['{{ body.none ?? "x" }}', 'x'],
    [{}, {}],
    ['plain', 'plain'],
  ])('%j', (mapping, expected) => expect(map(mapping)).toEqual(expected));

  it('is by default the body if that is an object, else { body }', () => {
    expect(map(undefined)).toEqual(EVENT.body);
    expect(map(null)).toEqual(EVENT.body);
    for (const body of [null, 'text', 7, [1]]) expect(map(undefined, { ...EVENT, body })).toEqual({ body });
  });

  it('knows its names before any event: all problems at once', () => {
    const refused = map({
      a: '$.tasks.x',
      b: '{{ secrets.key }}',
      c: '{{ input.a }}',
      d: '{{ bdy.a }}',
      e: "{{ headers['X-GitHub-Event'] }}",
      f: '{{ trigger.scheduledAt }}',
      g: "{{ trigger.headers['X-A'] ?? 1 }}",
      h: '{{ body. }}',
    }) as { refused: string[] };
    expect(refused.refused.map((text) => text.split(' | ')[0])).toEqual(
      ['a', 'b', 'c', 'd', 'h'].map((key) => `/inputMapping/${key}`),
    );
    expect(refused.refused[3]).toMatch(/did you mean body/);
    const reads = map({
      e: "{{ headers['X-GitHub-Event'] }}",
      f: '{{ trigger.hedaers }}',
      g: "{{ trigger.headers['X-A'] ?? 1 }}",
    }) as { refused: string[] };
    expect(reads.refused.map((text) => text.split(' | ')[0])).toEqual(
      ['e', 'f', 'g'].map((key) => `/inputMapping/${key}`),
    );
    expect(reads.refused[0]).toMatch(/lower-case.*headers\["x-github-event"\]/);
    expect(reads.refused[1]).toMatch(/did you mean headers/);
  });

  it('that reads a header which may be a credential is refused, since it is never shown', () => {
    const reads = map({
      a: '{{ headers.authorization }}',
      b: "{{ trigger.headers['x-api-key'] ?? 1 }}",
    }) as { refused: string[] };
    expect(reads.refused).toHaveLength(2);
    for (const text of reads.refused) expect(text).toMatch(/may hold a credential/);
    expect(map("{{ headers['x-author-id'] ?? 'nobody' }}")).toBe('nobody');
  });

  it('that cannot be evaluated or stored is a problem, never an exception', () => {
    expect(map('$.body.none')).toEqual({
      failed: [expect.stringMatching(/^missing_path: \$\.body\.none is missing/)],
    });
    expect(map('{{ body.action * 2 }}')).toEqual({ failed: [expect.stringMatching(/^expression: /)] });
    expect(map('{{ parseJson(body) }}', { ...EVENT, body: '"\\ud800"' })).toEqual({
      failed: [expect.stringMatching(/^unstorable_output/)],
    });
    expect(map(['$.body', '$.body'], { ...EVENT, body: 'x'.repeat(600_000) })).toEqual({
      failed: [expect.stringMatching(/^payload_too_large/)],
    });
  });

  it('uuid() is fixed by the event, and differs between places and events', () => {
    const ids = map(['{{ uuid() }}', '{{ uuid() }}']) as string[];
    expect(ids).toEqual(map(['{{ uuid() }}', '{{ uuid() }}']));
    expect(
      new Set([...ids, ...(map(['{{ uuid() }}'], { ...EVENT, eventId: 'other' }) as string[])]).size,
    ).toBe(3);
  });

  it('the trigger of the execution is what trigger reads', () => {
    expect(
      map({ ...Object.fromEntries(Object.keys(triggerOf(EVENT)).map((key) => [key, `$.trigger.${key}`])) }),
    ).toEqual(triggerOf(EVENT));
  });
});

describe("the sender's headers", () => {
  it('are kept in lower case without any credential', () => {
    const secret = [
      'Authorization',
      'Proxy-Authorization',
      'Cookie',
      'Set-Cookie',
      'X-Webhook-Secret',
      'X-Hub-Signature',
      'X-Hub-Signature-256',
      'Stripe-Signature',
      'X-Slack-Signature',
      'Webhook-Signature',
      'X-Signature',
      'X-Shopify-Hmac-Sha256',
      'X-Gitlab-Token',
      'X-Api-Key',
      'ApiKey',
      'X-Forwarded-Access-Token',
      'X-Auth-Request-Email',
      'X-Amzn-Oidc-Data',
      'Cf-Access-Jwt-Assertion',
      'X-Forwarded-Client-Cert',
      'X-Telegram-Bot-Api-Secret-Token',
      'X-Sig',
      'X-Session-Id',
      'X-Password',
      'X-Mine',
      'X-Own-Proof',
    ];
    const kept = {
      'x-github-event': 'push',
      'x-github-delivery': 'd',
      'content-type': 'application/json',
      'user-agent': 'GitHub-Hookshot/1',
      'webhook-id': 'm',
      'webhook-timestamp': '1',
      'idempotency-key': 'i',
      'x-design': 'd',
      host: 'h',
    };
    const sent = {
      ...Object.fromEntries(secret.map((name) => [name, 'SECRET'])),
      ...kept,
      'X-Two': ['a', 'b'],
    };
    const headers = senderHeaders(sent, { signatureHeader: 'X-Mine', secretHeader: 'x-own-proof' });
    expect(headers).toEqual({ ...kept, 'x-two': 'a, b' });
  });
  it('and the query are what can be stored', () => {
    expect(senderHeaders({ a: 'x\u0000\ud800', 'b\u0000': 'y', __proto__: 'z' }, {})).toEqual({
      a: 'x\uFFFD\uFFFD',
    });
    expect((senderHeaders({ a: 'x'.repeat(100_000) }, {}).a as string).length).toBeLessThan(9_000);
    expect(senderQuery({ a: '1', b: ['2', '3'], c: undefined })).toEqual({
      ok: true,
      value: { a: '1', b: ['2', '3'] },
    });
    const refused = senderQuery({ a: '\u0000', b: ['x', '\ud800'], 'c\u0000': '1', d: 'ok' });
    expect(refused.ok ? [] : refused.problems.map(({ pointer }) => pointer)).toEqual([
      '/query/a',
      '/query/b',
      '/query/c\uFFFD',
    ]);
  });
});

describe('a secret', () => {
  it('that was made here fits wherever it is for, and is never the same', () => {
    // Discord's is the public half of its own key.
    for (const verifier of [null, ...WEBHOOK_VERIFIERS].filter((one) => one !== 'discord'))
      for (const authType of WEBHOOK_AUTH_TYPES) {
        if (verifier === 'standard_webhooks' && authType === 'basic') continue;
        const secret = newSecret(verifier, authType);
        expect(checkSecret(verifier, authType, secret), `${verifier} ${authType}`).toEqual([]);
        expect(newSecret(verifier, authType)).not.toBe(secret);
      }
    expect(newSecret('standard_webhooks')).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  });
  it.each([
    ['github', 'none', ''],
    ['github', 'none', '1234567'],
    ['hmac', 'none', 'x'.repeat(501)],
    ['slack', 'none', 'a secret\n'],
    ['stripe', 'none', ' a secret'],
    ['github', 'none', 'nul\u0000 in it'],
    ['hmac', 'none', 'lone \ud800 one'],
    [null, 'secret', 'has a space'],
    [null, 'bearer', 'not ASCII é'],
    [null, 'basic', 'nocolonhere'],
    [null, 'basic', 'username:'],
    [null, 'basic', ':hunter22'],
    ['standard_webhooks', 'none', 'whsec_short'],
    ['standard_webhooks', 'none', 'not base64 at all, but long enough'],
    ['standard_webhooks', 'basic', 'alice:hunter22'],
  ] as const)('of %s %s may not be %j, and no message shows it', (verifier, authType, secret) => {
    const problems = checkSecret(verifier, authType, secret);
    expect(problems.map(({ pointer }) => pointer)).toContain('/secret');
    if (secret.length > 6) expect(JSON.stringify(problems)).not.toContain(secret);
  });
  it('of the published examples is taken', () => {
    expect(checkSecret('github', 'none', "It's a Secret to Everybody")).toEqual([]);
    expect(checkSecret('standard_webhooks', 'none', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')).toEqual([]);
    expect(checkSecret('slack', 'none', '8f742231b10e8888abcd99yyyzzz85a5')).toEqual([]);
    expect(checkSecret(null, 'basic', 'user:päss wörd')).toEqual([]);
    expect(checkSecret(null, 'none', '')).toEqual([]);
  });
});
