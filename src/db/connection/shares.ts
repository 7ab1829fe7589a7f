// Shares of a pool: so that one tenant's requests cannot hold all of its connections while another's wait for one.
//   H1  At most `most` at once for one key; who comes later waits outside the pool, in turn, behind its own key only.
//   H2  Who has waited for `waitMs` gives up with ShareUsedUp: nothing of its work has begun.

/** Others of the same key hold its share of the connections, and have for a while. */
export class ShareUsedUp extends Error {
  constructor() {
    super('too much of the same tenant is under way here');
    this.name = 'ShareUsedUp';
  }
}

interface Key {
  active: number;
  readonly waiting: Set<() => void>;
}

export class Shares {
  readonly #most: number;
  readonly #waitMs: number;
  readonly #keys = new Map<string, Key>();

  constructor({ most, waitMs }: { readonly most: number; readonly waitMs: number }) {
    this.#most = most;
    this.#waitMs = waitMs;
  }

  /** Runs `work` when there is room for its key. Throws ShareUsedUp. */
  async run<T>(name: string, work: () => Promise<T>): Promise<T> {
    let key = this.#keys.get(name);
    if (key === undefined) {
      key = { active: 0, waiting: new Set() };
      this.#keys.set(name, key);
    }
    // Whoever leaves passes its place on, so that it stays counted.
    if (key.active < this.#most) key.active++;
    else await this.#turn(key);
    try {
      return await work();
    } finally {
      const [next] = key.waiting;
      if (next !== undefined) next();
      else if (--key.active === 0) this.#keys.delete(name);
    }
  }

  #turn({ waiting }: Key): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = () => {
        clearTimeout(timer);
        waiting.delete(begin);
        resolve();
      };
      const timer = setTimeout(() => {
        waiting.delete(begin);
        reject(new ShareUsedUp());
      }, this.#waitMs);
      waiting.add(begin);
    });
  }
}
