// Where each part of the normalised document came from in the author's: only what moved or was renamed is kept.

import { joinPointer } from '../pointer.ts';

export class Origins {
  readonly #moved = new Map<string, string>();

  /** What is now at `ours` was at `author` in the author's document. */
  move(ours: string, author: string): void {
    if (ours !== author) this.#moved.set(ours, author);
  }

  /** Where a member of what is at `ours` was, which itself was at `author`: one look, whatever the depth. */
  memberPointer(ours: string, author: string, name: string): string {
    return this.#moved.get(joinPointer(ours, name)) ?? joinPointer(author, name);
  }

  /** Translates by the longest known beginning. */
  authorPointer(pointer: string): string {
    if (this.#moved.size === 0) return pointer;
    for (let end = pointer.length; end > 0; end = pointer.lastIndexOf('/', end - 1)) {
      const origin = this.#moved.get(pointer.slice(0, end));
      if (origin !== undefined) return origin + pointer.slice(end);
    }
    return pointer;
  }
}
