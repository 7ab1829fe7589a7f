// Access tokens that tasks share: fetched once, kept until shortly before they expire, in memory only.
//   A1  Of those that want the same token while it is fetched, one fetches it; the others wait for that.
//   A2  Whoever is aborted stops waiting; the fetch goes on for the others, within its own time.
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';

export interface AccessToken {
  readonly value: string;
  /** As the server says; null: it does not. */
  readonly expiresInSeconds: number | null;
}

const MAX_TOKENS = 1_000;
const FETCH_MS = 30_000;
/** Where a server does not say how long its token is good for. */
const UNKNOWN_SECONDS = 300;
/** A token is not used in its last minute, or, of a short-lived one, in its last tenth. */
const LAST_SECONDS = 60;

export class AccessTokens {
  readonly #tokens = new LRUCache<string, string>({ max: MAX_TOKENS, ttl: UNKNOWN_SECONDS * 1000 });
  readonly #fetches = new Map<string, Promise<string>>();

  /** `key`: all that makes the token, its tenant too. `isKept`: it had been fetched for an earlier call. */
  async read(
    key: readonly string[],
    signal: AbortSignal,
    fetch: (signal: AbortSignal) => Promise<AccessToken>,
  ): Promise<{ readonly value: string; readonly isKept: boolean }> {
    signal.throwIfAborted();
    const id = idOf(key);
    const kept = this.#tokens.get(id);
    if (kept !== undefined) return { value: kept, isKept: true };
    let fetching = this.#fetches.get(id);
    if (fetching === undefined) {
      fetching = this.#fetch(id, fetch).finally(() => this.#fetches.delete(id));
      this.#fetches.set(id, fetching);
    }
    return { value: await unlessAborted(fetching, signal), isKept: false };
  }

  /** A server has refused this token: the next call fetches another. */
  forget(key: readonly string[], value: string): void {
    const id = idOf(key);
    if (this.#tokens.get(id) === value) this.#tokens.delete(id);
  }

  async #fetch(id: string, fetch: (signal: AbortSignal) => Promise<AccessToken>): Promise<string> {
    const { value, expiresInSeconds } = await fetch(AbortSignal.timeout(FETCH_MS));
    const seconds = expiresInSeconds ?? UNKNOWN_SECONDS;
    const ttl = Math.floor((seconds - Math.min(LAST_SECONDS, seconds / 10)) * 1000);
    if (ttl > 0) this.#tokens.set(id, value, { ttl });
    return value;
  }
}

// Secrets are part of it: no text of them is kept.
function idOf(key: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(key)).digest('base64');
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
