// Two tenants that have everything, under the same names: what each may see of the other is nothing. Every text that one
// could show says whose it is (`canary-acme`).
import { expect } from 'vitest';
import { applyDefinition } from '../../../src/db/resources/definitions.ts';
import { openService as openBreaker } from '../../../src/db/resources/services.ts';
import { graph, until } from '../../support/engine.ts';
import type { CallAnswer, TestService } from '../../support/service.ts';
import type { Operation } from './openapi-requests.ts';

export interface Seeded {
  readonly name: string;
  readonly id: string;
  readonly key: string;
  /** Cursors that its lists gave, by path. */
  readonly cursors: ReadonlyMap<string, string>;
  /** URLs of what its lists hold, by path: `/v1/webhooks/{id}` -> `/v1/webhooks/0197…`. */
  readonly places: ReadonlyMap<string, readonly string[]>;
  /** Ids of its rows, and texts, that nobody else may see. */
  readonly marks: ReadonlySet<string>;
}

export const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const SECRET = 'the-same-secret-of-both-tenants';

/** Makes a tenant with something in every list. */
export async function seedTenant(
  service: TestService,
  name: string,
): Promise<Omit<Seeded, 'marks' | 'cursors' | 'places'>> {
  const { id, key } = await service.tenant(name);
  const mark = `canary-${name}`;
  for (const taskId of ['x', 'y'])
    service.engine!.bodies[taskId] = ({ log, input }) => {
      log.info(JSON.stringify(input));
      return input;
    };
  const call = async (method: string, path: string, body?: unknown, headers = {}): Promise<CallAnswer> => {
    const answer = await service.call(method, path, {
      key,
      headers: { 'user-agent': mark, ...headers },
      ...(body === undefined ? {} : { body }),
    });
    expect([method, path, answer.status < 300, answer.body]).toEqual([method, path, true, answer.body]);
    return answer;
  };
  await openBreaker(service.database.engine, `${mark}@${id}`, { forMs: 3_600_000, code: 'http_503' });
  const sameKey = { 'idempotency-key': 'same-key' };
  const definition = {
    workflowId: 'same',
    name: mark,
    nodes: [{ taskId: 'a', taskType: 'transformation', config: { output: { mark } } }],
    triggers: [{ type: 'event', name: 'same', event: 'same', when: '$.event.payload.x == 1' }],
  };
  await call('PUT', '/v1/workflows/same', { ...definition, name: `${mark} first` });
  await call('PUT', '/v1/workflows/same', definition);
  const speaking = { inputMapping: { mark } };
  const spoken = graph('x -> y', { tasks: { x: speaking, y: speaking }, more: { workflowId: 'spoken' } });
  await applyDefinition(service.database, id, spoken, 'test');
  await call('POST', '/v1/workflows/spoken/executions', { input: { mark } });
  await call('POST', '/v1/variables', { name: 'same', value: mark, description: mark }, sameKey);
  await call('POST', '/v1/variables', { name: 'same2', value: mark });
  for (const path of ['same', 'same/2']) {
    const { body } = await call('POST', '/v1/webhooks', {
      workflowId: 'same',
      path,
      authType: 'secret',
      secret: SECRET,
      filters: [{ fieldPath: '$.body.mark', operator: 'equals', value: mark }],
    });
    for (let i = 0; i < 2; i++)
      await service.call('POST', `/hooks/${body.path}`, {
        body: { mark, i },
        headers: { 'x-webhook-secret': SECRET },
      });
  }
  for (const schedule of ['same', 'same2']) {
    const { body } = await call('POST', '/v1/schedules', {
      workflowId: 'same',
      name: schedule,
      cronExpression: '0 9 * * *',
      timezone: 'UTC',
      input: { mark },
    });
    await call('POST', `/v1/schedules/${body.id}/run`);
    await call('POST', `/v1/schedules/${body.id}/backfill`, {
      from: '2026-01-01T00:00:00Z',
      to: '2026-01-04T00:00:00Z',
    });
  }
  for (let i = 0; i < 2; i++) {
    await call('POST', '/v1/events', { type: 'same', payload: { mark } }, { 'idempotency-key': `same-${i}` });
    await call('POST', '/v1/api-keys', { name: mark, roles: ['viewer'], subject: `user:${mark}` });
    await call(
      'POST',
      '/v1/workflows/same/executions',
      { input: { mark }, metadata: { mark } },
      { 'idempotency-key': `same-${i}` },
    );
  }
  await seedReviews(call, mark);
  return { name, id, key };
}

/** Two reviews, decided: nothing of the tenant stays open. */
async function seedReviews(
  call: (method: string, path: string, body?: unknown) => Promise<CallAnswer>,
  mark: string,
): Promise<void> {
  const config = { title: mark, description: mark, selfApproval: true };
  const nodes = [{ taskId: 'r', taskType: 'human_review', config }];
  await call('PUT', '/v1/workflows/reviewed', { workflowId: 'reviewed', nodes });
  for (let i = 0; i < 2; i++) await call('POST', '/v1/workflows/reviewed/executions', { input: { mark } });
  const open = await until(async () => {
    const { items } = (await call('GET', '/v1/reviews?status=open')).body;
    return items.length === 2 && (items as readonly { readonly id: string }[]);
  });
  for (const { id } of open)
    await call('POST', `/v1/reviews/${id}/decision`, { decision: 'approved', comment: mark });
}

/** Walks all lists, those of what other lists hold included: where everything is, and a cursor of each. */
export async function exploreLists(
  service: TestService,
  key: string,
  operations: readonly Operation[],
): Promise<Pick<Seeded, 'cursors' | 'places'>> {
  const cursors = new Map<string, string>();
  const places = new Map<string, string[]>();
  const lists = operations
    .filter(({ method, query }) => method === 'GET' && query.some(({ name }) => name === 'cursor'))
    .sort((a, b) => a.pathNames.length - b.pathNames.length);
  for (const { path } of lists) {
    const [held = ''] = [...places.keys()]
      .filter((one) => path.startsWith(`${one}/`))
      .sort()
      .reverse();
    for (const base of held === ''
      ? [path]
      : (places.get(held) ?? []).map((url) => url + path.slice(held.length))) {
      const { body } = await service.call('GET', base, { key });
      const { body: first } = await service.call('GET', base, { key, query: { limit: 1 } });
      if (first.nextCursor) cursors.set(path, first.nextCursor);
      const member = operations.find(
        (one) => one.path.startsWith(`${path}/{`) && !one.path.slice(path.length + 1).includes('/'),
      );
      if (member === undefined) continue;
      const urls: string[] = (body.items ?? []).map(
        (item: Record<string, string>) => `${base}/${item[member.pathNames.at(-1)!] ?? item.id}`,
      );
      // Its own key is left out: it would be revoked by chance.
      const others = urls.filter((url) => !key.includes(url.slice(-36).replaceAll('-', '')));
      places.set(member.path, [...(places.get(member.path) ?? []), ...others]);
    }
  }
  return { cursors, places };
}

/** What must stand in no answer to another: ids of its rows, its canary, its keys. */
export async function marksOf(
  service: TestService,
  tenant: { readonly id: string; readonly name: string; readonly key: string },
) {
  const tables = await service.query<{ name: string }>(
    `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
     where c.relnamespace = 'dagwright'::regnamespace and c.relkind = 'r'`,
  );
  const [mine, others] = [new Set<string>(), new Set<string>()];
  for (const { name } of tables) {
    const rows = await service.query<{ isMine: boolean; text: string }>(
      `select coalesce(tenant_id = $1, false) as "isMine", t::text as text from dagwright.${name} t`,
      [tenant.id],
    );
    for (const { isMine, text } of rows)
      for (const id of text.match(UUID) ?? []) (isMine ? mine : others).add(id);
  }
  const marks = new Set([...mine].filter((id) => !others.has(id)));
  for (const text of [tenant.id, tenant.key, `canary-${tenant.name}`]) marks.add(text);
  return marks;
}

/** Every row of a tenant, for comparison. */
export async function rowsOf(service: TestService, tenantId: string): Promise<Record<string, string[]>> {
  const tables = await service.query<{ name: string }>(
    `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
     where c.relnamespace = 'dagwright'::regnamespace and c.relkind = 'r' order by 1`,
  );
  const all: Record<string, string[]> = {};
  for (const { name } of tables) {
    const rows = await service.query<{ text: string }>(
      `select t::text as text from dagwright.${name} t where tenant_id = $1 order by 1`,
      [tenantId],
    );
    all[name] = rows.map(({ text }) => text);
  }
  return all;
}
