// What waits, and whose turn it is. Adding and taking cost the same however much waits: nothing is copied or moved.

/** What waits in one line; `take` only where something does. */
export interface Waiting<T> {
  readonly isEmpty: boolean;
  take(): T;
}

interface Place<T> {
  readonly value: T;
  next: Place<T> | null;
}

/** First come, first taken. */
export class Line<T> implements Waiting<T> {
  #first: Place<T> | null = null;
  #last: Place<T> | null = null;

  get isEmpty(): boolean {
    return this.#first === null;
  }

  add(value: T): void {
    const place = { value, next: null };
    if (this.#last === null) this.#first = place;
    else this.#last.next = place;
    this.#last = place;
  }

  take(): T {
    if (this.#first === null) throw new Error('nothing waits in this line');
    const { value, next } = this.#first;
    this.#first = next;
    if (next === null) this.#last = null;
    return value;
  }
}

/** A line for each key, of which one after the other gives what is its next. A key is kept as long as something of it waits. */
export class TakingTurns<T, OfKey extends Waiting<T>> implements Waiting<T> {
  readonly #keys = new Line<string>();
  readonly #lines = new Map<string, OfKey>();
  readonly #create: () => OfKey;

  constructor(create: () => OfKey) {
    this.#create = create;
  }

  get isEmpty(): boolean {
    return this.#keys.isEmpty;
  }

  /** This key's line, to which something is to be added now. */
  lineOf(key: string): OfKey {
    const own = this.#lines.get(key);
    if (own !== undefined) return own;
    const created = this.#create();
    this.#lines.set(key, created);
    this.#keys.add(key);
    return created;
  }

  take(): T {
    const key = this.#keys.take();
    const line = this.#lines.get(key)!;
    const value = line.take();
    if (line.isEmpty) this.#lines.delete(key);
    else this.#keys.add(key);
    return value;
  }
}
