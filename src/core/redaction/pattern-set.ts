// Finds many patterns in a text in one pass: a filter says of each four characters whether any pattern begins so, and a
// radix tree of the patterns is walked where one may. What a walk costs is bounded by the pattern that the text repeats,
// so a text cannot make a pass dear unless a pattern repeats itself.
import type { Span } from './unescape.ts';

interface Node {
  label: string;
  isEnd: boolean;
  children: Map<number, Node>;
}

const WORD = 4;
const FILTER_BITS = 16;

export class PatternSet {
  readonly #root: Node = { label: '', isEnd: false, children: new Map() };
  readonly #filter = new Uint8Array(1 << FILTER_BITS);

  /** Patterns of four characters and more. */
  constructor(patterns: Iterable<string>) {
    for (const pattern of patterns) {
      if (pattern.length < WORD) throw new RangeError(`a pattern has ${WORD} characters or more`);
      this.#add(pattern);
      let word = 0;
      for (let i = 0; i < WORD; i++) word = (word << 8) ^ pattern.charCodeAt(i);
      this.#filter[slotOf(word)] = 1;
    }
  }

  /** The longest pattern at each place where one begins, in order; they may overlap. */
  find(text: string): readonly Span[] {
    const found: Span[] = [];
    const filter = this.#filter;
    let word = 0;
    for (let i = 0; i < text.length; i++) {
      // After four characters the ones before have been shifted out.
      word = (word << 8) ^ text.charCodeAt(i);
      if (filter[slotOf(word)] === 0 || i < WORD - 1) continue;
      const start = i - WORD + 1;
      const end = this.#longestAt(text, start);
      if (end > 0) found.push({ start, end });
    }
    return found;
  }

  /** Where the longest pattern that begins at `start` ends, or -1. */
  #longestAt(text: string, start: number): number {
    let end = -1;
    let at = start;
    for (let node = this.#root; ; ) {
      const child = node.children.get(text.charCodeAt(at));
      if (child === undefined || !text.startsWith(child.label, at)) return end;
      at += child.label.length;
      if (child.isEnd) end = at;
      node = child;
    }
  }

  #add(pattern: string): void {
    let at = 0;
    for (let node = this.#root; at < pattern.length; ) {
      const child = node.children.get(pattern.charCodeAt(at));
      if (child === undefined) {
        const label = pattern.slice(at);
        node.children.set(label.charCodeAt(0), { label, isEnd: true, children: new Map() });
        return;
      }
      const shared = sharedLength(child.label, pattern, at);
      if (shared < child.label.length) split(child, shared);
      at += shared;
      node = child;
      if (at === pattern.length) node.isEnd = true;
    }
  }
}

function slotOf(word: number): number {
  return Math.imul(word, 0x9e3779b1) >>> (32 - FILTER_BITS);
}

function sharedLength(label: string, pattern: string, from: number): number {
  let n = 0;
  while (n < label.length && label.charCodeAt(n) === pattern.charCodeAt(from + n)) n++;
  return n;
}

/** Cuts a node in two: what its label begins with stays, the rest becomes its only child. */
function split(node: Node, at: number): void {
  const rest: Node = { label: node.label.slice(at), isEnd: node.isEnd, children: node.children };
  node.label = node.label.slice(0, at);
  node.isEnd = false;
  node.children = new Map([[rest.label.charCodeAt(0), rest]]);
}
