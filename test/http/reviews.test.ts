// Reviews over HTTP (LANGUAGE H2, H3, H7, H9): who may decide, what fits, what is seen.
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { insertKey } from '../../src/db/resources/api-keys.ts';
import { until } from '../support/engine.ts';
import { ADMIN_KEY, type CallAnswer, openService, type TestService } from '../support/service.ts';

let service: TestService;
let acme: { readonly id: string; readonly key: string };
const keys: Record<string, string> = {};
let made = 0;

async function keyOf(
  name: string,
  subject: string | null,
  roles: string[],
  scopes: string[] = [],
): Promise<string> {
  const key = await service.database.withTenant(acme.id, (client) =>
    insertKey(client, acme.id, { name, subject, roles, scopes, createdBy: 'test', expiresAt: null }),
  );
  return key!.key;
}

interface Opened {
  readonly executionId: string;
  readonly id: string;
  readonly fence: number;
}

const FORM = {
  type: 'object',
  required: ['title'],
  properties: { title: { type: 'string', maxLength: 5 } },
  additionalProperties: false,
};

/** A review that `user:alice` has started, unless another key does. */
async function open(
  config: JsonObject = {},
  { key = keys.alice!, input = { n: 1 } as JsonObject } = {},
): Promise<Opened> {
  const workflowId = `review${made++}`;
  const nodes = [
    { taskId: 'r', taskType: 'human_review', config },
    { taskId: 'yes', taskType: 'transformation', dependsOn: ['r'], config: { output: 1 } },
  ];
  await service.call('PUT', `/v1/workflows/${workflowId}`, { key: keys.admin!, body: { workflowId, nodes } });
  const started = await service.call('POST', `/v1/workflows/${workflowId}/executions`, {
    key,
    body: { input },
  });
  expect(started.status).toBe(201);
  const review = await until(async () => {
    const query = { executionId: started.body.id };
    return (await service.call('GET', '/v1/reviews', { key: keys.admin!, query })).body.items[0];
  });
  return { executionId: started.body.id, id: review.id, fence: review.fence };
}

interface Caller {
  readonly key?: string;
  readonly headers?: Record<string, string>;
  readonly tenantId?: string;
}

const decide = (id: string, caller: Caller, body: unknown = { decision: 'approved' }): Promise<CallAnswer> =>
  service.call('POST', `/v1/reviews/${id}/decision`, { ...caller, body });
const ended = (id: string) =>
  until(async () => {
    const { body } = await service.call('GET', `/v1/executions/${id}`, { key: keys.admin! });
    return body.status === 'completed' || body.status === 'failed' ? body : null;
  });
const codeOf = ({ status, body }: CallAnswer) => (status === 200 ? body.status : body.code);

beforeAll(async () => {
  service = await openService({ worker: true, withKeys: true });
  acme = await service.tenant('acme');
  keys.admin = acme.key;
  keys.alice = await keyOf('alice', 'user:alice', ['editor']);
  keys.alice2 = await keyOf('alice again', 'alice', ['admin', 'reviewer']);
  keys.bob = await keyOf('bob', 'user:bob', ['reviewer']);
  keys.carol = await keyOf('carol', 'user:carol', [], ['reviews:read', 'reviews:write']);
  keys.asserting = await keyOf('gateway', null, [], ['reviews:write', 'actors:assert']);
});
afterAll(async () => {
  await service.engine!.expectSound();
  await service.close();
});

const operator = (): Caller => ({ key: ADMIN_KEY, tenantId: acme.id });
const asserted = (actor: string): Caller => ({ key: keys.asserting!, headers: { 'x-actor': actor } });
const inSql = async (id: string, actor: string): Promise<string> => {
  try {
    return await service.database.withTenant({ tenantId: acme.id, actor }, async (client) => {
      const { rows } = await client.query(`select dagwright.decide_review($1, 'approved') as status`, [id]);
      return rows[0].status;
    });
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('nobody decides what he started', () => {
  const ways: Record<string, (id: string) => Promise<string>> = {
    'the key that started it': async (id) => codeOf(await decide(id, { key: keys.alice! })),
    'a second key of the same subject': async (id) => codeOf(await decide(id, { key: keys.alice2! })),
    'X-Actor': async (id) => codeOf(await decide(id, asserted('user:alice'))),
    'X-Actor, written otherwise': async (id) => codeOf(await decide(id, asserted('alice'))),
    SQL: (id) => inSql(id, 'user:alice'),
    'an override that is not his to ask for': async (id) =>
      codeOf(await decide(id, { key: keys.alice2! }, { decision: 'approved', override: true })),
  };
  const codes: Record<string, string> = {
    SQL: '42501',
    'an override that is not his to ask for': 'not_assignee',
  };

  it.each(Object.keys(ways))('%s', async (way) => {
    const { id } = await open();
    expect(await ways[way]!(id)).toBe(codes[way] ?? 'self_approval');
    // Not kept for later either.
    expect((await service.call('GET', `/v1/reviews/${id}`, { key: keys.bob! })).body).toMatchObject({
      status: 'open',
      responses: [],
    });
  });

  it.each(Object.keys(ways).slice(0, 5))('%s, where the review allows it', async (way) => {
    const { id } = await open({ selfApproval: true });
    expect(await ways[way]!(id)).toBe('approved');
  });

  it('the operator neither, unless he overrides, which the audit trail says', async () => {
    const started = await service.call('POST', '/v1/workflows/review0/executions', {
      ...operator(),
      body: {},
    });
    const review = await until(async () => {
      const query = { executionId: started.body.id };
      return (await service.call('GET', '/v1/reviews', { key: keys.admin!, query })).body.items[0];
    });
    expect(codeOf(await decide(review.id, operator()))).toBe('self_approval');
    expect(codeOf(await decide(review.id, operator(), { decision: 'approved', override: true }))).toBe(
      'approved',
    );
    const { body } = await service.call('GET', '/v1/audit', {
      key: keys.admin!,
      query: { resourceType: 'reviews', resourceId: review.id },
    });
    expect(body.items).toMatchObject([
      { actor: 'key:admin', action: 'reviews.decide', newValues: { override: true, decision: 'approved' } },
    ]);
  });
});

test('each act leaves one row in the audit trail, with who did it', async () => {
  const { id } = await open();
  const acts: [string, string, string, unknown][] = [
    ['claim', 'POST', 'claim', undefined],
    ['release', 'POST', 'release', undefined],
    ['comment', 'POST', 'comments', { comment: 'Who is it?' }],
    ['update', 'PATCH', '', { priority: 9 }],
    ['assign', 'POST', 'assign', { assignees: [{ type: 'user', id: 'bob' }] }],
    ['link', 'POST', 'links', { assignee: { type: 'user', id: 'bob' } }],
    ['revoke', 'DELETE', 'links', undefined],
    ['decide', 'POST', 'decision', { decision: 'approved' }],
  ];
  for (const [act, method, path, body] of acts) {
    const answer = await service.call(method, `/v1/reviews/${id}${path && `/${path}`}`, {
      key: act === 'assign' || act === 'update' || act.match(/link|revoke/) ? keys.admin! : keys.bob!,
      ...(body !== undefined && { body }),
    });
    expect([act, answer.status, answer.body]).toEqual([
      act,
      expect.toSatisfy((n: number) => n < 300),
      answer.body,
    ]);
  }
  const query = { resourceType: 'reviews', resourceId: id };
  const { body } = await service.call('GET', '/v1/audit', { key: keys.admin!, query });
  const rows = (body.items as { action: string; actor: string }[]).toReversed();
  expect(rows.map(({ action }) => action)).toEqual(acts.map(([act]) => `reviews.${act}`));
  expect(rows.at(-1)!.actor).toBe('user:bob');
});

describe('whom a review is for', () => {
  const forBob = { assignees: [{ type: 'user', id: 'bob' }] };
  const forReviewers = { assignees: [{ type: 'role', id: 'reviewer' }] };

  test.each<[string, JsonObject, () => Caller, string]>([
    ['an assignee', forBob, () => ({ key: keys.bob! }), 'approved'],
    ['an assignee who is told by X-Actor', forBob, () => asserted('user:bob'), 'approved'],
    ['somebody else', forBob, () => ({ key: keys.carol! }), 'not_assignee'],
    ['the operator', forBob, operator, 'not_assignee'],
    ['who has the role', forReviewers, () => ({ key: keys.bob! }), 'approved'],
    ['who has the role, told by X-Actor', forReviewers, () => asserted('bob'), 'approved'],
    ['who has it not', forReviewers, () => ({ key: keys.carol! }), 'not_assignee'],
  ])('%s', async (_, config, caller, code) => {
    const { id } = await open(config);
    expect(codeOf(await decide(id, caller()))).toBe(code);
  });

  test('a former assignee may not, and another is asked', async () => {
    const { id } = await open(forBob);
    const assign = (key: string) =>
      service.call('POST', `/v1/reviews/${id}/assign`, {
        key,
        body: { assignees: [{ type: 'user', id: 'user:carol' }] },
      });
    expect((await assign(keys.carol!)).body.code).toBe('not_assignee');
    expect((await assign(keys.bob!)).body.assignees).toEqual([{ type: 'user', id: 'carol' }]);
    expect(codeOf(await decide(id, { key: keys.bob! }))).toBe('not_assignee');
    expect(codeOf(await decide(id, { key: keys.carol! }))).toBe('approved');
  });

  test('mine lists what is for me, by name and by role, and what I have decided', async () => {
    const [named, byRole, other] = [
      await open(forBob),
      await open(forReviewers),
      await open({ assignees: [{ type: 'user', id: 'dave' }] }),
    ];
    const mine = async (query: JsonObject = {}) => {
      const { body } = await service.call('GET', '/v1/reviews', {
        key: keys.bob!,
        query: { mine: true, ...query } as Record<string, boolean>,
      });
      return body.items.map(({ id }: { id: string }) => id) as string[];
    };
    const open_ = await mine({ status: 'open' });
    expect(open_).toEqual(expect.arrayContaining([named.id, byRole.id]));
    expect(open_).not.toContain(other.id);
    await decide(named.id, { key: keys.bob! });
    expect(await mine({ status: 'open' })).not.toContain(named.id);
    expect(await mine({ status: 'approved' })).toContain(named.id);
  });

  test('a reviewer sees what is asked, and not the execution', async () => {
    const { id, executionId } = await open({ title: 'Pay {{ input.n }}?', dueInSeconds: 60 });
    const shown = await service.call('GET', `/v1/reviews/${id}`, { key: keys.bob! });
    expect(shown.body).toMatchObject({ title: 'Pay 1?', payload: { n: 1 }, status: 'open' });
    expect((await service.call('GET', `/v1/executions/${executionId}`, { key: keys.bob! })).status).toBe(403);
    const due = async (at: number) => {
      const query = { executionId, due: new Date(at).toISOString() };
      return (await service.call('GET', '/v1/reviews', { key: keys.bob!, query })).body.items.length;
    };
    expect([await due(Date.now()), await due(Date.now() + 120_000)]).toEqual([0, 1]);
  });

  test('another tenant has none of them', async () => {
    const { id } = await open();
    const other = await service.tenant('other');
    expect((await service.call('GET', `/v1/reviews/${id}`, { key: other.key })).status).toBe(404);
    expect((await decide(id, { key: other.key })).status).toBe(404);
    expect((await service.call('GET', '/v1/reviews', { key: other.key })).body.items).toEqual([]);
  });
});

describe('a decision', () => {
  test('is answered with what the review is then; a second one with 409 and what it was', async () => {
    const { id, executionId, fence } = await open();
    expect(
      (await decide(id, { key: keys.bob! }, { decision: 'approved', fence: fence + 1 })).body,
    ).toMatchObject({
      status: 409,
      code: 'fence_mismatch',
    });
    const { body } = await decide(id, { key: keys.bob! }, { decision: 'approved', fence, comment: 'fine' });
    expect(body).toMatchObject({
      status: 'approved',
      decidedBy: 'user:bob',
      responses: [{ comment: 'fine' }],
    });
    const again = await decide(id, { key: keys.carol! }, { decision: 'rejected' });
    expect(again.body).toMatchObject({
      status: 409,
      code: 'already_decided',
      detail: expect.stringMatching(/^the review is approved by user:bob at \d{4}-/),
    });
    expect((await ended(executionId)).status).toBe('completed');
  });

  test.each<[string, JsonObject, JsonObject, string[]]>([
    ['a word that is none', {}, { decision: 'submitted' }, ['/decision']],
    ['data without a form', {}, { decision: 'approved', data: {} }, ['/data']],
    [
      'a rejection with data',
      { formSchema: FORM },
      { decision: 'rejected', data: { title: 'x' } },
      ['/data'],
    ],
    ['a form that is not filled in', { formSchema: FORM }, { decision: 'approved' }, ['/data']],
    [
      'an input without its form',
      { reviewType: 'input', formSchema: FORM },
      { decision: 'submitted' },
      ['/data'],
    ],
    [
      'a form that does not fit',
      { reviewType: 'input', formSchema: FORM },
      { decision: 'submitted', data: { title: 'too long', more: 1 } },
      ['/data/more', '/data/title'],
    ],
    [
      'changes that do not fit',
      { reviewType: 'review', formSchema: FORM },
      { decision: 'approved', data: { title: 1 } },
      ['/data/title'],
    ],
  ])('%s is 422 with its pointer', async (_, config, body, pointers) => {
    const { id } = await open(config);
    const refused = await decide(id, { key: keys.bob! }, body);
    expect(refused.status).toBe(422);
    expect(refused.body.errors.map(({ pointer }: { pointer: string }) => pointer).sort()).toEqual(pointers);
    expect((await service.call('GET', `/v1/reviews/${id}`, { key: keys.bob! })).body.status).toBe('open');
  });

  test('with changes keeps them beside what was shown', async () => {
    const { id, executionId } = await open(
      { reviewType: 'review', formSchema: FORM },
      { input: { title: 'draft' } },
    );
    await decide(id, { key: keys.bob! }, { decision: 'approved', data: { title: 'final' } });
    const { body } = await service.call('GET', `/v1/reviews/${id}`, { key: keys.bob! });
    expect(body).toMatchObject({ payload: { title: 'draft' }, responses: [{ data: { title: 'final' } }] });
    await ended(executionId);
    const tasks = await service.call('GET', `/v1/executions/${executionId}/tasks`, { key: keys.admin! });
    expect(tasks.body.items[0].output).toMatchObject({ decision: 'approved', data: { title: 'final' } });
  });

  test('what is open and due is counted', async () => {
    await open({ dueInSeconds: 3600 });
    const { body } = await service.call('GET', '/metrics');
    expect(body).toMatch(/^dagwright_reviews_open [1-9]/m);
    expect(body).toMatch(/^dagwright_reviews_due 0$/m);
  });

  test('comments, claim and due time are there for all who are asked', async () => {
    const { id } = await open();
    const post = (what: string, body?: unknown) =>
      service.call('POST', `/v1/reviews/${id}/${what}`, { key: keys.bob!, body });
    expect((await post('comments', { comment: 'who knows more?' })).body.responses).toMatchObject([
      { by: 'user:bob', decision: null, comment: 'who knows more?' },
    ]);
    expect((await post('claim')).body.claimedBy).toBe('user:bob');
    expect(codeOf(await decide(id, { key: keys.carol! }))).toBe('claimed');
    expect((await post('release')).body.claimedBy).toBe(null);
    const dueAt = '2040-01-01T00:00:00.000Z';
    const changed = await service.call('PATCH', `/v1/reviews/${id}`, {
      key: keys.bob!,
      body: { dueAt, priority: 9 },
    });
    expect(changed.body).toMatchObject({ dueAt, priority: 9 });
    expect((await service.call('PATCH', `/v1/reviews/${id}`, { key: keys.bob!, body: {} })).status).toBe(422);
  });
});
