// Finds connections that a network has forgotten while statements are under way on them. No socket says so, and a statement
// without an answer may just be slow: up to its limit (23 s for the engine's) nobody could tell. A witness can: a connection
// that does nothing but answer when it is asked. It is as old as the others, and goes the same way.
//   N1  Where a statement goes unanswered for a while, the witness is asked. While it answers, nothing happens: the statement is
//       slow, and has its own limit.
//   N2  Where the witness is silent, a new connection is made and asked as well. If that one answers and the witness still has
//       not, which was asked before it, the network lets through what is new and has forgotten what is old. Then every
//       connection that has not been heard since the witness was asked goes at once, idle or in use, and the new one is the witness.
//   N3  A slow server or pooler is no such evidence: there the easier question that was asked first is answered first. Nor is
//       a server that is away: no new connection answers. Then every statement ends by its own limit.
//   N4  A connection that was heard after the witness was asked stays.
//   N5  What is given up fails like any lost connection: its fate is unknown, and whoever sent it sends it again, or says so.
//       A slow statement that is given up wrongly (the witness alone was forgotten) is such a loss too, once.
// So, whatever the number of dead connections, everything works again about 4 s after a network has healed: the doubt, the
// witness's time, or what is left of an attempt to connect, and the pause of whoever tries again.
import type { Socket } from 'node:net';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import type pg from 'pg';
import { type Bounded, BoundedClient } from './bounded-client.ts';
import type { BoundedPool } from './bounded-pool.ts';
import type { SilenceLimits } from './limits.ts';

/** After it could not be opened, a witness is opened again no sooner. */
const REOPEN_MS = 5_000;

/** The witness, and since when it owes an answer. */
interface Witness {
  readonly client: Bounded;
  question: { readonly askedAtMs: number; readonly answer: Promise<void> } | null;
}

export class SilenceWatch {
  readonly #config: pg.ClientConfig;
  readonly #limits: SilenceLimits;
  readonly #pools: BoundedPool[] = [];
  #witness: Witness | null = null;
  #connecting: Bounded | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isLooking = false;
  /** When a witness is looked for again, on the monotonic clock. */
  #notBeforeMs = 0;
  #isClosed = false;

  /** Of pools that lead to `url`. */
  constructor(url: string, { name, limits }: { readonly name: string; readonly limits: SilenceLimits }) {
    this.#limits = limits;
    this.#config = {
      connectionString: url,
      application_name: `${name} witness`,
      connectionTimeoutMillis: limits.connectMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    };
  }

  /** Watches a pool from its first connection on. */
  watch(pool: BoundedPool): void {
    this.#pools.push(pool);
    pool.once('connect', () => {
      if (this.#isClosed) return;
      this.#timer ??= setInterval(() => void this.#look(), this.#limits.doubtMs / 4).unref();
    });
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    for (const client of [this.#connecting, this.#witness?.client]) client?.giveUp(new Error('closed'));
  }

  async #look(): Promise<void> {
    if (performance.now() < this.#notBeforeMs) return;
    if (this.#isLooking || this.#pools.every(({ totalCount }) => totalCount === 0)) return;
    this.#isLooking = true;
    try {
      this.#witness ??= await this.#openWitness();
      if (this.#pools.some((pool) => pool.hasUnanswered(this.#limits.doubtMs)))
        await this.#examine(this.#witness);
    } catch {
      // N3: nobody answers, so nothing is known. Where no connection is to be had, others wait for one too.
      if (this.#witness === null) this.#notBeforeMs = performance.now() + REOPEN_MS;
    } finally {
      this.#isLooking = false;
    }
  }

  async #examine(witness: Witness): Promise<void> {
    const { askedAtMs, answer } = this.#ask(witness);
    // A question from an earlier look has had its time, or a part of it.
    const leftMs = Math.max(0, askedAtMs + this.#limits.witnessMs - performance.now());
    const isAnswered = answer.then(() => true);
    if (await Promise.race([isAnswered, delay(leftMs, false, { ref: false })])) return;
    const fresh = await this.#openWitness();
    // What has arrived together with its answer is heard first.
    await nextTurn();
    if (witness.question === null || this.#isClosed) return void fresh.client.giveUp(new Error('not needed'));
    const error = new Error('Connection terminated: it is silent, while a new one answers');
    for (const pool of this.#pools) pool.endUnheard(askedAtMs, error);
    this.#witness = fresh;
    witness.client.giveUp(error);
  }

  #ask(witness: Witness) {
    witness.question ??= {
      askedAtMs: performance.now(),
      answer: witness.client.query('select').then(() => {
        witness.question = null;
      }),
    };
    return witness.question;
  }

  /** A new connection that has answered. */
  async #openWitness(): Promise<Witness> {
    const client: Bounded = new BoundedClient(this.#config);
    this.#connecting = client;
    client.on('error', () => {
      if (this.#witness?.client === client) this.#witness = null;
    });
    try {
      await client.connect();
      (client.connection.stream as Socket).unref();
      await client.query({ text: 'select', query_timeout: this.#limits.connectMs } as pg.QueryConfig);
    } catch (error) {
      client.giveUp(error as Error);
      throw error;
    } finally {
      this.#connecting = null;
    }
    return { client, question: null };
  }
}
