// Clients that start executions over HTTP: they wait for a moment or long, hang up in the middle, send to two processes at once,
// and send again under the same Idempotency-Key until they are told 201.
import { setTimeout as delay } from 'node:timers/promises';
import type { Arena } from './arena.ts';
import { Broken, createAgent, type Exchange, exchange } from './http-client.ts';
import type { ServiceSlot } from './services.ts';

/** 5,000 a minute. */
export const PER_SECOND = 5_000 / 60;
const CLIENTS = 60;

/** What the clients have seen. */
export class Seen {
  readonly ackedAs = new Map<string, string>();
  readonly waits: number[] = [];
  readonly unavailable: number[] = [];
  readonly broken = new Broken();
  readonly strange: string[] = [];
  readonly created: { readonly url: string; readonly from: number; readonly to: number }[] = [];
  sent = 0;
  left = 0;
  /** Answers that said that the start had been done before. */
  replayed = 0;

  /** The execution's id where it was acknowledged. */
  note(key: string, slot: ServiceSlot, seen: Exchange): string | null {
    this.sent++;
    if (seen.kind !== 'left' || seen.late) this.waits.push(seen.to - seen.from);
    if (seen.kind === 'left') this.left++;
    if (seen.kind === 'broken') this.broken.note(slot, seen);
    if (seen.kind !== 'answer') return null;
    if (seen.status === 503 && Number(seen.headers['retry-after']) > 0) {
      this.unavailable.push(seen.to);
      return null;
    }
    if (seen.status !== 201) {
      this.strange.push(`${seen.status} ${seen.text.slice(0, 300)}`);
      return null;
    }
    if (seen.headers['idempotency-replayed'] === 'true') this.replayed++;
    this.created.push({ url: slot.url, from: seen.from, to: seen.to });
    const { id } = JSON.parse(seen.text) as { id: string };
    const before = this.ackedAs.get(key);
    if (before !== undefined && before !== id) this.strange.push(`${key} was told ${before}, then ${id}`);
    this.ackedAs.set(key, id);
    return id;
  }
}

/** Sends keys at the wanted rate, each until it is acknowledged. */
export class Clients {
  readonly seen = new Seen();
  readonly #arena: Arena;
  readonly #slots: readonly ServiceSlot[];
  readonly #agent = createAgent();
  readonly #from = performance.now();
  #next = 0;
  #isOver = false;

  constructor(arena: Arena, slots: readonly ServiceSlot[]) {
    this.#arena = arena;
    this.#slots = slots;
  }

  get keys(): number {
    return this.#next;
  }

  /** Resolves when every key that was begun before `isOver` has been acknowledged. */
  async run(total: number): Promise<void> {
    await Promise.all(Array.from({ length: CLIENTS }, () => this.#client(total)));
    this.#agent.destroy();
  }

  giveUp(): void {
    this.#isOver = true;
  }

  async #client(total: number): Promise<void> {
    const { chance } = this.#arena;
    while (this.#next < total && !this.#isOver) {
      const n = this.#next++;
      // As many a second as are wanted, also after a standstill.
      await delay(Math.max(0, this.#from + (n / PER_SECOND) * 1_000 - performance.now()));
      const key = `order-${n}`;
      while (!(await this.#try(key))) {
        if (this.#isOver) return;
        await delay(chance.between(30, 250));
      }
    }
  }

  async #try(key: string): Promise<boolean> {
    const { chance } = this.#arena;
    const manner = chance.next();
    const slot = chance.pick(this.#slots);
    if (manner < 0.1) {
      const both = await Promise.all(this.#slots.map((one) => this.#send(one, key)));
      return both.some((id) => id !== null);
    }
    const leaves = manner < 0.15 ? 'half' : manner < 0.25 ? 'sent' : undefined;
    const patience = manner < 0.55 ? { patienceMs: chance.between(20, 400) } : {};
    return (await this.#send(slot, key, { ...patience, ...(leaves && { leaves }) })) !== null;
  }

  async #send(
    slot: ServiceSlot,
    key: string,
    manner: { patienceMs?: number; leaves?: 'half' | 'sent' } = {},
  ): Promise<string | null> {
    const seen = await exchange(this.#agent, slot.url, {
      path: '/v1/workflows/order/executions',
      headers: { 'idempotency-key': key },
      body: JSON.stringify({ input: { key } }),
      ...manner,
    });
    return this.seen.note(key, slot, seen);
  }
}
