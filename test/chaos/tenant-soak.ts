// A tenant's clients beside those of another with the same names: they write, read everything that there is to read, also by ids and
// cursors of the other, and judge each answer.
import type { Arena } from './arena.ts';
import { createAgent, type Exchange, exchange } from './http-client.ts';
import { OPERATOR_KEY, type ServiceSlot } from './services.ts';

const HOOK_SECRET = 'the-same-secret-of-both-tenants';
const NODES = [{ taskId: 'a', taskType: 'transformation', config: { output: '{{ input.mark }}' } }];

/** Ids of what a tenant has, by kind: `/v1/schedules/{schedule}`. */
type Held = Record<'execution' | 'schedule' | 'webhook' | 'delivery' | 'event', string[]>;

export interface Tenant {
  readonly id: string;
  readonly key: string;
  /** Stands in everything that it writes. */
  readonly mark: string;
  readonly held: Held;
  readonly cursors: Map<string, string>;
}

const LISTS = [
  ...['/v1/executions', '/v1/workflows', '/v1/workflows/same/revisions', '/v1/schedules', '/v1/webhooks'],
  ...['/v1/events', '/v1/variables', '/v1/audit', '/v1/api-keys'],
];
/** Every read of a tenant. */
export const READS = [
  ...LISTS,
  ...['/v1/executions/{execution}', '/v1/executions/{execution}/tasks', '/v1/executions/{execution}/logs'],
  ...['/v1/executions/{execution}/why', '/v1/executions/{execution}/events', '/v1/workflows/same'],
  ...['/v1/schedules/{schedule}', '/v1/schedules/{schedule}/ticks', '/v1/schedules/{schedule}/preview'],
  ...['/v1/webhooks/{webhook}', '/v1/webhooks/{webhook}/events', '/v1/webhooks/{webhook}/events/{delivery}'],
  ...['/v1/events/{event}', '/v1/variables/same', '/v1/stats'],
];

/** What was asked and told, and what of it must not be. */
export class Soak {
  readonly #arena: Arena;
  readonly #slot: ServiceSlot;
  readonly #agent = createAgent();
  readonly #readable: readonly string[];
  readonly foreign: string[] = [];
  readonly strange: string[] = [];
  /** Answers of 200, by what was read. */
  readonly read = new Map<string, number>();
  readonly met = {
    answers: 0,
    rows: 0,
    written: 0,
    unavailable: 0,
    refused: 0,
    sql: 0,
    sqlRows: 0,
    /** Answers with the caller's own mark. */
    own: 0,
  };
  isOver = false;

  constructor(arena: Arena, slot: ServiceSlot, readable: readonly string[]) {
    this.#arena = arena;
    this.#slot = slot;
    this.#readable = readable;
  }

  async call(
    tenant: Tenant | null,
    method: string,
    path: string,
    body?: object,
    more = {},
  ): Promise<Exchange> {
    return await exchange(this.#agent, this.#slot.url, {
      ...{ method, path },
      headers: {
        authorization: `Bearer ${tenant?.key ?? OPERATOR_KEY}`,
        'user-agent': tenant?.mark ?? 'chaos',
        ...more,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async #made(tenant: Tenant | null, path: string, body: object, more = {}): Promise<Record<string, string>> {
    const seen = await this.call(tenant, 'POST', path, body, more);
    if (seen.kind !== 'answer' || seen.status >= 300) throw new Error(`${path}: ${JSON.stringify(seen)}`);
    return JSON.parse(seen.text);
  }

  /** A tenant with something in every list. */
  async seed(name: string): Promise<Tenant> {
    const mark = `canary-${name}-${Math.floor(this.#arena.chance.next() * 1e9)}`;
    const { id } = await this.#made(null, '/v1/tenants', { name });
    const made = await this.#made(
      null,
      '/v1/api-keys',
      { name: mark, roles: ['admin'] },
      { 'x-tenant-id': id! },
    );
    const held: Held = { execution: [], schedule: [], webhook: [], delivery: [], event: [] };
    const tenant: Tenant = { id: id!, key: made.key!, mark, held, cursors: new Map() };
    for (const first of [true, false])
      await this.call(tenant, 'PUT', '/v1/workflows/same', {
        ...{ name: first ? `${mark} first` : mark, nodes: NODES },
        triggers: [{ type: 'event', name: 'same', event: 'same', inputMapping: { mark } }],
      });
    await this.#made(tenant, '/v1/variables', { name: 'same', value: mark });
    await this.#made(tenant, '/v1/variables', { name: 'same2', value: mark });
    for (const n of ['same', 'same2']) {
      const webhook = await this.#made(tenant, '/v1/webhooks', {
        ...{ workflowId: 'same', path: n, authType: 'secret', secret: HOOK_SECRET },
      });
      held.webhook.push(webhook.id!);
      for (let i = 0; i < 2; i++) {
        const event = await this.#made(
          tenant,
          `/hooks/${webhook.path}`,
          { mark },
          { 'x-webhook-secret': HOOK_SECRET },
        );
        if (n === 'same') held.delivery.push(event.eventId!);
      }
      const schedule = await this.#made(tenant, '/v1/schedules', {
        ...{ workflowId: 'same', name: n, cronExpression: '0 9 * * *', input: { mark } },
      });
      held.schedule.push(schedule.id!);
      await this.#made(tenant, `/v1/schedules/${schedule.id}/run`, {});
    }
    for (let i = 0; i < 5; i++) await this.#write(tenant);
    return tenant;
  }

  async #write(me: Tenant): Promise<Exchange> {
    const { chance } = this.#arena;
    const { mark } = me;
    // Both use the same keys.
    const once = chance.next() < 0.5 ? { 'idempotency-key': `same-${Math.floor(chance.next() * 1e6)}` } : {};
    if (chance.next() < 0.25) {
      const seen = await this.call(me, 'POST', '/v1/events', { type: 'same', payload: { mark } }, once);
      if (seen.kind === 'answer' && seen.status < 300) me.held.event.push(JSON.parse(seen.text).id);
      return seen;
    }
    if (chance.next() < 0.2)
      return await this.call(me, 'PUT', '/v1/variables/same', { value: mark, description: mark });
    const seen = await this.call(
      ...([
        me,
        'POST',
        '/v1/workflows/same/executions',
        { input: { mark }, metadata: { mark } },
        once,
      ] as const),
    );
    if (seen.kind === 'answer' && seen.status === 201) me.held.execution.push(JSON.parse(seen.text).id);
    return seen;
  }

  /** Reads and writes as one tenant until `isOver`. */
  async client(me: Tenant, other: Tenant): Promise<void> {
    const { chance } = this.#arena;
    while (!this.isOver) {
      const what = chance.next();
      if (what < 0.2) {
        this.met.written++;
        this.#judge('write', await this.#write(me), me, other, false);
      } else if (what < 0.3) await this.#bySql(me, other);
      else await this.#readOne(me, other);
    }
  }

  async #readOne(me: Tenant, other: Tenant): Promise<void> {
    const { chance } = this.#arena;
    const route = chance.pick(READS);
    const whose = chance.next() < 0.3 ? other : me;
    let isForeign = false;
    let path = route.replace(/\{(\w+)\}/g, (_, kind: keyof Held) => {
      isForeign = whose === other;
      // The second webhook has deliveries of its own.
      return kind === 'webhook' ? whose.held.webhook[0]! : chance.pick(whose.held[kind]);
    });
    const cursor = LISTS.includes(route) && chance.next() < 0.3 ? whose.cursors.get(route) : undefined;
    if (LISTS.includes(route)) path += `?limit=${chance.pick([1, 5, 50])}`;
    if (cursor !== undefined) path += `&cursor=${encodeURIComponent(cursor)}`;
    const seen = await this.call(
      me,
      'GET',
      path,
      undefined,
      chance.next() < 0.1 ? { 'x-tenant-id': other.id } : {},
    );
    this.#judge(route, seen, me, other, isForeign);
    if (seen.kind === 'answer' && seen.status === 200 && LISTS.includes(route) && whose === me) {
      const { nextCursor } = JSON.parse(seen.text) as { nextCursor?: string | null };
      if (typeof nextCursor === 'string') me.cursors.set(route, nextCursor);
    }
  }

  #judge(route: string, seen: Exchange, me: Tenant, other: Tenant, isForeign: boolean): void {
    if (seen.kind !== 'answer') {
      this.strange.push(`${route}: ${JSON.stringify(seen)}`);
      return;
    }
    this.met.answers++;
    const { status, text } = seen;
    const told = text + JSON.stringify(seen.headers);
    if (told.includes(me.mark)) this.met.own++;
    if (told.includes(other.mark) || told.includes(other.id) || (isForeign && status < 300))
      this.foreign.push(`${route} as ${me.mark}: ${status} ${text.slice(0, 300)}`);
    if (status === 503) this.met.unavailable++;
    else if (status >= 500) this.strange.push(`${route}: ${status} ${text.slice(0, 300)}`);
    else if (status >= 300) this.met.refused++;
    else {
      this.read.set(route, (this.read.get(route) ?? 0) + 1);
      this.met.rows += text.startsWith('{"items"') ? (JSON.parse(text).items as unknown[]).length : 1;
    }
  }

  // In a tenant's name, over connections that both share, in transactions that are given up in several ways.
  async #bySql(me: Tenant, other: Tenant): Promise<void> {
    const { chance, database } = this.#arena;
    const name = chance.pick(this.#readable);
    const end = chance.next();
    await database
      .withTenant(me.id, async (client) => {
        const { rows } = await client.query<{ text: string }>(
          `select t::text as text from dagwright.${name} t limit 500`,
        );
        this.met.sql++;
        this.met.sqlRows += rows.length;
        for (const { text } of rows)
          if (text.includes(other.mark) || text.includes(other.id))
            this.foreign.push(`${name} as ${me.mark}: ${text}`);
        if (end < 0.3) throw new Error('given up');
        if (end < 0.6) await client.query('select 1 / 0');
        if (end < 0.7) await client.query('select pg_terminate_backend(pg_backend_pid())').catch(() => {});
      })
      .catch(() => {});
  }
}
