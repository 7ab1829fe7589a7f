// Links for people without a key (LANGUAGE H4): the page shows, POST decides, once, as the person that the link was made for.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { insertKey } from '../../src/db/resources/api-keys.ts';
import { until } from '../support/engine.ts';
import { type CallAnswer, openService, type TestService } from '../support/service.ts';

let service: TestService;
let acme: { readonly id: string; readonly key: string };
let alice: string;
let made = 0;
/** Where notices go, and what came. */
let outside: Server;
const told: { readonly to: string; readonly url: string; readonly reason: string }[] = [];

const FORM = {
  type: 'object',
  required: ['size', 'kind'],
  properties: {
    size: { type: 'integer', title: 'Size <in cm>' },
    kind: { enum: ['a', 'b'] },
    fragile: { type: 'boolean' },
    note: { type: 'string' },
  },
};

async function open(config: JsonObject = {}, input: JsonObject = {}): Promise<string> {
  const workflowId = `linked${made++}`;
  const nodes = [{ taskId: 'r', taskType: 'human_review', config }];
  await service.call('PUT', `/v1/workflows/${workflowId}`, { key: acme.key, body: { workflowId, nodes } });
  const started = await service.call('POST', `/v1/workflows/${workflowId}/executions`, {
    key: alice,
    body: { input },
  });
  return await until(async () => {
    const query = { executionId: started.body.id };
    return (await service.call('GET', '/v1/reviews', { key: acme.key, query })).body.items[0]?.id;
  });
}

const linkFor = async (id: string, who = 'bob', more: JsonObject = {}): Promise<CallAnswer> =>
  service.call('POST', `/v1/reviews/${id}/links`, {
    key: acme.key,
    body: { assignee: { type: 'user', id: who }, ...more },
  });
async function pathOf(id: string, who = 'bob'): Promise<string> {
  const { body } = await linkFor(id, who);
  return new URL(body.url).pathname;
}
const post = (path: string, fields: Record<string, string>): Promise<CallAnswer> =>
  service.call('POST', path, {
    body: new URLSearchParams(fields).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
const shown = async (id: string) => (await service.call('GET', `/v1/reviews/${id}`, { key: acme.key })).body;

beforeAll(async () => {
  outside = createServer((request, response) => {
    let text = '';
    request.on('data', (bytes) => {
      text += bytes;
    });
    request.on('end', () => {
      told.push(JSON.parse(text));
      response.writeHead(202).end('{}');
    });
  });
  await new Promise<void>((resolve) => outside.listen(0, '127.0.0.1', resolve));
  const allowedHosts = [`127.0.0.1:${(outside.address() as AddressInfo).port}`];
  service = await openService({ worker: { outside: { allowedHosts } } as object, withKeys: true });
  acme = await service.tenant('acme');
  const made_ = await service.database.withTenant(acme.id, (client) =>
    insertKey(client, acme.id, {
      ...{ name: 'alice', subject: 'user:alice', roles: ['editor'], scopes: [] },
      ...{ createdBy: 'test', expiresAt: null },
    }),
  );
  alice = made_!.key;
});
afterAll(async () => {
  await service.engine!.expectSound();
  await service.close();
  outside.close();
});

describe('a link', () => {
  test('shows the review to whoever opens it, as often as he likes, and decides nothing', async () => {
    const id = await open({ title: 'Pay <b>{{ input.n }}</b>?' }, { n: 5, text: '</pre><script>' });
    const path = await pathOf(id);
    for (const method of ['GET', 'GET', 'HEAD']) {
      const page = await service.call(method, path);
      expect(page.status).toBe(200);
      expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
      expect(page.headers['content-security-policy']).toMatch(
        /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
      );
      if (method === 'HEAD') continue;
      expect(page.body).toContain('<h1>Pay &#60;b&#62;5&#60;/b&#62;?</h1>');
      expect(page.body).not.toContain('<script');
    }
    expect(await shown(id)).toMatchObject({ status: 'open', responses: [] });
  });

  test('decides once, as its person', async () => {
    const id = await open({ assignees: [{ type: 'user', id: 'bob' }], requiredApprovals: 1 });
    const path = await pathOf(id);
    const { fence } = await shown(id);
    expect(await post(path, { decision: 'approved', comment: 'fine', fence: String(fence) })).toMatchObject({
      status: 200,
      body: expect.stringContaining('This is approved.'),
    });
    expect(await shown(id)).toMatchObject({
      status: 'approved',
      decidedBy: 'user:bob',
      responses: [{ by: 'user:bob', comment: 'fine' }],
    });
    expect((await post(path, { decision: 'rejected' })).status).toBe(410);
    expect((await service.call('GET', path)).body).toContain('This is approved by user:bob');
  });

  test('is used up by a vote that does not decide yet', async () => {
    const id = await open({ requiredApprovals: 2 });
    const path = await pathOf(id);
    expect((await post(path, { decision: 'approved' })).body).toContain('Your vote counts');
    expect((await post(path, { decision: 'rejected' })).status).toBe(410);
    expect((await service.call('GET', path)).status).toBe(410);
    expect(await shown(id)).toMatchObject({ status: 'open', approvals: 1 });
  });

  test('of two at the same moment one counts', async () => {
    const id = await open({ requiredApprovals: 3 });
    const path = await pathOf(id);
    const answers = await Promise.all(Array.from({ length: 8 }, () => post(path, { decision: 'approved' })));
    expect(answers.map(({ status }) => status).sort()).toEqual([
      200,
      ...Array.from({ length: 7 }, () => 410),
    ]);
  });

  test('of whoever started it decides nothing; nor does that of a former assignee', async () => {
    const own = await open();
    expect((await post(await pathOf(own, 'alice'), { decision: 'approved' })).status).toBe(403);
    const handed = await open({ assignees: [{ type: 'user', id: 'bob' }] });
    const path = await pathOf(handed);
    await service.call('POST', `/v1/reviews/${handed}/assign`, {
      key: acme.key,
      body: { assignees: [{ type: 'user', id: 'carol' }] },
    });
    expect((await post(path, { decision: 'approved' })).status).toBe(403);
    expect((await linkFor(handed, 'mallory')).body.code).toBe('not_assignee');
    for (const id of [own, handed]) expect((await shown(id)).status).toBe('open');
  });

  test('expires, is taken back, and is not guessed', async () => {
    const id = await open();
    const [old, back] = [await pathOf(id), await pathOf(id, 'carol')];
    await service.query(
      `update dagwright.review_links set expires_at = now() - interval '1 s' where person = 'user:bob' and review_id = $1`,
      [id],
    );
    expect((await post(old, { decision: 'approved' })).body).toContain('expired');
    const revoked = await service.call('DELETE', `/v1/reviews/${id}/links`, { key: acme.key });
    expect(revoked.body.revoked).toBe(2);
    expect((await post(back, { decision: 'approved' })).status).toBe(410);
    for (const forged of [`${back.slice(0, -1)}_`, '/reviews/x', '/reviews/%00'])
      expect([404, 400]).toContain((await post(forged, { decision: 'approved' })).status);
    expect((await shown(id)).status).toBe('open');
  });

  test('keeps nothing of its token, and the audit trail says for whom it was made', async () => {
    const id = await open();
    const token = (await pathOf(id)).split('/')[2]!;
    const rows = await service.query('select l::text from dagwright.review_links l where review_id = $1', [
      id,
    ]);
    expect(JSON.stringify(rows)).not.toContain(token);
    const { body } = await service.call('GET', '/v1/audit', {
      key: acme.key,
      query: { resourceType: 'reviews', resourceId: id },
    });
    expect(body.items).toMatchObject([{ action: 'reviews.link', newValues: { person: 'user:bob' } }]);
    expect(JSON.stringify(body)).not.toContain(token);
  });
});

test('a notice brings each person his own link, which decides as him', async () => {
  const url = `http://127.0.0.1:${(outside.address() as AddressInfo).port}/mail`;
  const body = {
    to: '{{ task.input.assignee.id }}',
    reason: '{{ task.input.reason }}',
    url: '{{ task.reviewUrl }}',
  };
  const id = await open({
    assignees: ['bob', 'carol'].map((name) => ({ type: 'user', id: name })),
    requiredApprovals: 2,
    notify: { taskType: 'external_api', config: { method: 'POST', url, body } },
  });
  await until(async () => told.length === 2);
  expect(told.map(({ to, reason }) => `${to} ${reason}`)).toEqual(['bob opened', 'carol opened']);
  for (const notice of told)
    expect((await post(new URL(notice.url).pathname, { decision: 'approved' })).status).toBe(200);
  expect(await shown(id)).toMatchObject({
    status: 'approved',
    notifyError: null,
    responses: [{ by: 'user:bob' }, { by: 'user:carol' }],
  });
});

describe('its form', () => {
  test('has the fields of the schema, and what is filled in has their types', async () => {
    const id = await open({ reviewType: 'input', formSchema: FORM });
    const path = await pathOf(id);
    const page = (await service.call('GET', path)).body;
    for (const text of ['Size &#60;in cm&#62; *', 'name="data.kind"', 'type="checkbox"', 'value="submitted"'])
      expect(page).toContain(text);
    const wrong = await post(path, { decision: 'submitted', 'data.size': 'big', 'data.kind': 'c' });
    expect([wrong.status, wrong.body]).toEqual([422, expect.stringMatching(/size .*[\s\S]*kind /)]);
    const sent = { decision: 'submitted', 'data.size': '7', 'data.kind': 'b', 'data.fragile': 'true' };
    expect((await post(path, sent)).status).toBe(200);
    expect((await shown(id)).responses).toMatchObject([{ data: { size: 7, kind: 'b', fragile: true } }]);
  });

  test('of a draft without a schema is JSON, beginning with the draft', async () => {
    const id = await open({ reviewType: 'review' }, { title: 'draft' });
    const path = await pathOf(id);
    expect((await service.call('GET', path)).body).toContain('&#34;title&#34;: &#34;draft&#34;');
    expect((await post(path, { decision: 'approved', json: '{' })).status).toBe(422);
    expect((await post(path, { decision: 'approved', json: '{"title":"final"}' })).status).toBe(200);
    expect((await shown(id)).responses).toMatchObject([{ data: { title: 'final' } }]);
  });
});
