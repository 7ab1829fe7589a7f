// Prices as a worker knows them: the table in memory, looked at anew when it may have changed.
//   B1  A call is priced at once, by prices that are a second old at most: whether the table has changed is asked by one
//       cheap statement. Where that is not answered soon, what was read before holds. Only the first reading is waited for, through any outage: no price is better than a wrong one.
//   B2  A model without a price is named once.
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import type { Bill } from '../../core/cost/bill.ts';
import { type PricedBill, priceBill } from '../../core/cost/price-bill.ts';
import { PriceTable } from '../../core/cost/price-table.ts';
import { isConnectionLoss, untilAnswered } from '../../db/connection/connection.ts';
import { readPriceStamp, readPrices } from '../../db/resources/pricing.ts';
import type { Prices } from '../../tasks/outside.ts';

export interface PriceBookOptions {
  /** Told once of each model without a price. */
  readonly onUnknown?: (message: string) => void;
  /** How old prices may be, in milliseconds. */
  readonly maxAgeMs?: number;
}

/** How long a call waits for prices while there are older ones. */
const PATIENCE_MS = 2_000;
const MAX_NAMED = 1_000;

export class PriceBook implements Prices {
  readonly #pool: pg.Pool;
  readonly #options: Required<PriceBookOptions>;
  readonly #named = new Set<string>();
  #table: PriceTable | null = null;
  #stamp: string | null = null;
  #readAtMs = 0;
  #reading: Promise<PriceTable> | null = null;

  constructor(pool: pg.Pool, options: PriceBookOptions = {}) {
    this.#pool = pool;
    this.#options = { onUnknown: () => {}, maxAgeMs: 1_000, ...options };
  }

  async price(call: {
    readonly provider: string;
    readonly model: string;
    readonly at: Date;
    readonly bill: Bill;
  }): Promise<PricedBill> {
    const priced = priceBill(await this.#current(), call.bill, call);
    if (priced.costUsd === null) this.#nameUnknown(call.provider, call.model, priced.unknownBecause);
    return priced;
  }

  async #current(): Promise<PriceTable> {
    if (this.#table === null) return await this.#read();
    const isOld = performance.now() - this.#readAtMs >= this.#options.maxAgeMs;
    if (!isOld && this.#reading === null) return this.#table;
    const known = this.#table;
    const patience = delay(PATIENCE_MS, known, { ref: false });
    return await Promise.race([this.#read().catch(() => known), patience]);
  }

  #read(): Promise<PriceTable> {
    this.#reading ??= this.#readNow().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  // Also a reading that failed counts as one: an outage is not made worse by a question with each call.
  async #readNow(): Promise<PriceTable> {
    this.#readAtMs = performance.now();
    const known = this.#table;
    if (known === null) return await untilAnswered(() => this.#load());
    try {
      return (await readPriceStamp(this.#pool)) === this.#stamp ? known : await this.#load();
    } catch (error) {
      if (isConnectionLoss(error)) return known;
      throw error;
    }
  }

  // The stamp is taken first: a change in between is then seen the next time.
  async #load(): Promise<PriceTable> {
    const stamp = await readPriceStamp(this.#pool);
    this.#table = new PriceTable(await readPrices(this.#pool));
    this.#stamp = stamp;
    return this.#table;
  }

  #nameUnknown(provider: string, model: string, because: string | null): void {
    const name = model.startsWith(`${provider}/`) ? model : `${provider}/${model}`;
    if (this.#named.has(name) || this.#named.size >= MAX_NAMED) return;
    this.#named.add(name);
    this.#options.onUnknown(`what a call of ${name} cost is unknown: ${because}`);
  }
}
