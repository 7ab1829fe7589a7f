// Certificates that senders sign with, fetched once and kept: a delivery that names one costs a request only the first time.
//   C1  What names an address is not verified yet: few are fetched at a time, and one that failed is left alone for a minute. Those
//       that are known go on meanwhile.
import { X509Certificate } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { TaskLog } from '../../core/log-lines.ts';

/** GET through the guard, without redirects. */
export type FetchOutside = (url: URL) => Promise<{ readonly status: number; readonly body: Buffer }>;

const MAX_KEPT = 100;
const KEPT_MS = 24 * 3_600_000;
const MAX_FAILED = 1_000;
const FAILED_MS = 60_000;
const MAX_AT_A_TIME = 4;

export class SenderCertificates {
  readonly #fetch: FetchOutside;
  readonly #log: TaskLog;
  readonly #kept = new LRUCache<string, X509Certificate>({ max: MAX_KEPT, ttl: KEPT_MS });
  readonly #failed = new LRUCache<string, true>({ max: MAX_FAILED, ttl: FAILED_MS });
  readonly #underWay = new Map<string, Promise<X509Certificate | null>>();

  constructor(fetch: FetchOutside, log: TaskLog) {
    this.#fetch = fetch;
    this.#log = log;
  }

  /** Null: it cannot be had now. */
  async read({ href }: URL): Promise<X509Certificate | null> {
    const kept = this.#kept.get(href);
    if (kept !== undefined) return kept;
    const underWay = this.#underWay.get(href);
    if (underWay !== undefined) return await underWay;
    if (this.#failed.has(href) || this.#underWay.size >= MAX_AT_A_TIME) return null;
    const reading = this.#load(href).finally(() => this.#underWay.delete(href));
    this.#underWay.set(href, reading);
    return await reading;
  }

  async #load(href: string): Promise<X509Certificate | null> {
    try {
      const { status, body } = await this.#fetch(new URL(href));
      if (status !== 200) throw new Error(`status ${status}`);
      const certificate = new X509Certificate(body);
      this.#kept.set(href, certificate);
      return certificate;
    } catch (error) {
      this.#failed.set(href, true);
      const reason = error instanceof Error ? error.message : String(error);
      this.#log.warn('the certificate of a sender cannot be had', { url: href, reason });
      return null;
    }
  }
}
