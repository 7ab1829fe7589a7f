// The items of an execution's open fan-outs in a worker's memory. They stand in the rows of their tasks; what was dropped is read
// again.
//   F1  Each is kept as JSON, and parsed for the part that it is for: all of them are one value of 16 MB at most, which as a text
//       always fits into what a worker remembers, and made of objects might be twenty times as much.
//   F2  They take their place beside results and inputs (held-results.ts), and give it back when the fan-out is collected, or its
//       execution leaves the memory.
import type { Json } from '../../core/json.ts';
import type { HeldResults } from './held-results.ts';

export class FanOutItems {
  readonly #held: HeldResults;
  /** Each item as JSON, by the index of the node. */
  readonly #items = new Map<number, readonly string[]>();

  constructor(held: HeldResults) {
    this.#held = held;
  }

  /** Fan-outs whose items are remembered. */
  get size(): number {
    return this.#items.size;
  }

  /** What takes a place among what the worker holds. */
  owners(): readonly object[] {
    return [...this.#items.values()];
  }

  /** Remembers the items of the fan-out that a node has opened. */
  remember(index: number, values: readonly Json[]): void {
    this.forget(index);
    const items = values.map((value) => JSON.stringify(value));
    this.#items.set(index, items);
    this.#held.addItems(items, () => {
      if (this.#items.get(index) === items) this.#items.delete(index);
    });
  }

  /** One item: undefined where those of its fan-out are not remembered, null where there is none of that number. */
  at(index: number, place: number): Json | undefined {
    const items = this.#items.get(index);
    if (items === undefined) return undefined;
    this.#held.noteUse(items);
    const item = items[place];
    return item === undefined ? null : (JSON.parse(item) as Json);
  }

  /** The fan-out is collected. */
  forget(index: number): void {
    const items = this.#items.get(index);
    if (items === undefined) return;
    this.#items.delete(index);
    this.#held.giveBack(items);
  }
}
