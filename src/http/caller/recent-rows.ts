// Rows that every request asks for by id, known for a short while. What has been asked meanwhile is looked up together,
// one look-up at a time: a flood of unknown ids costs the database no more than one statement at once.

export interface RecentRowsOptions<Row> {
  /** The rows there are; ids without one are left out. */
  readonly load: (ids: readonly string[]) => Promise<readonly Row[]>;
  readonly idOf: (row: Row) => string;
  /** How old an answer may be, counted from when it was asked for. */
  readonly maxAgeMs: number;
  /** Rows remembered at most; and as many ids that have none, apart, so that inventing ids drives nothing out. */
  readonly maxRows?: number;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

export interface RecentRow<Row> {
  readonly row: Row;
  /** When it was asked for, by the clock of `now`. */
  readonly askedAt: number;
}

interface Waiting<Row> {
  readonly resolve: (found: RecentRow<Row> | null) => void;
  readonly reject: (error: unknown) => void;
}

export class RecentRows<Row> {
  readonly #options: Required<RecentRowsOptions<Row>>;
  readonly #found = new Map<string, RecentRow<Row>>();
  readonly #missing = new Map<string, number>();
  #waiting = new Map<string, Waiting<Row>[]>();
  #isLoading = false;

  constructor(options: RecentRowsOptions<Row>) {
    this.#options = { maxRows: 10_000, now: () => performance.now(), ...options };
  }

  /** The row, or null where there is none. Rejects where the database does; that is not remembered. */
  async find(id: string): Promise<RecentRow<Row> | null> {
    const since = this.#options.now() - this.#options.maxAgeMs;
    const found = this.#found.get(id);
    if (found !== undefined && found.askedAt > since) return found;
    if ((this.#missing.get(id) ?? -Infinity) > since) return null;
    return await new Promise((resolve, reject) => {
      const others = this.#waiting.get(id);
      if (others === undefined) this.#waiting.set(id, [{ resolve, reject }]);
      else others.push({ resolve, reject });
      if (!this.#isLoading) void this.#load();
    });
  }

  async #load(): Promise<void> {
    this.#isLoading = true;
    while (this.#waiting.size > 0) {
      const batch = this.#waiting;
      this.#waiting = new Map();
      const askedAt = this.#options.now();
      try {
        const rows = new Map(
          (await this.#options.load([...batch.keys()])).map((row) => [this.#options.idOf(row), row]),
        );
        for (const [id, waiting] of batch) {
          const row = rows.get(id);
          const found = row === undefined ? null : { row, askedAt };
          this.#remember(id, found, askedAt);
          for (const { resolve } of waiting) resolve(found);
        }
      } catch (error) {
        for (const { reject } of [...batch.values()].flat()) reject(error);
      }
    }
    this.#isLoading = false;
  }

  // Deleted first, so that the order of a map is the order of age and its first entry is the one to drop.
  #remember(id: string, found: RecentRow<Row> | null, askedAt: number): void {
    this.#found.delete(id);
    this.#missing.delete(id);
    if (found === null) this.#missing.set(id, askedAt);
    else this.#found.set(id, found);
    for (const map of [this.#found, this.#missing]) {
      const oldest = map.keys().next().value;
      if (map.size > this.#options.maxRows && oldest !== undefined) map.delete(oldest);
    }
  }
}
