// Takes one layer of escapes (escapes.ts) off a text, and keeps which part of the text each character came from.
import { BEGINS, codeOf, escapeAt, firstBeginning, lengthOf, NOTHING } from './escapes.ts';

export interface Layer {
  readonly text: string;
  /** Where in the text before the characters from `start` to `end` came from. */
  source(start: number, end: number): Span;
}

/** Of a text; `end` is behind it. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Of each escape: where what it stands for begins and ends in the new text, and where it stood itself. */
const FIELDS = 4;

/** The text with one layer less; null where it has none. */
export function unescapeOnce(text: string): Layer | null {
  const first = firstBeginning(text);
  if (first < 0) return null;
  const units = new Uint16Array(text.length - first);
  let escapes = new Int32Array(256 * FIELDS);
  let count = 0;
  let n = 0;
  for (let i = first; i < text.length; ) {
    const unit = text.charCodeAt(i);
    const found = unit < BEGINS.length && BEGINS[unit] === 1 ? escapeAt(text, i) : 0;
    if (found === 0) {
      units[n++] = unit;
      i++;
      continue;
    }
    const code = codeOf(found);
    const begin = first + n;
    const end = i + lengthOf(found);
    if (code < 0x10000) units[n++] = code;
    else if (code !== NOTHING) {
      units[n++] = 0xd7c0 + (code >> 10);
      units[n++] = 0xdc00 + (code & 0x3ff);
    }
    if (count === escapes.length) escapes = doubled(escapes);
    escapes[count++] = begin;
    escapes[count++] = first + n;
    escapes[count++] = i;
    escapes[count++] = end;
    i = end;
  }
  if (count === 0) return null;
  const plain = text.slice(0, first) + Buffer.from(units.buffer, 0, n * 2).toString('utf16le');
  /** Where the character at `at` begins and ends in the text before. */
  const place = (at: number): Span => {
    const i = lastAtMost(escapes, count / FIELDS, at);
    if (i < 0) return { start: at, end: at + 1 };
    const [after, from, to] = [escapes[i + 1]!, escapes[i + 2]!, escapes[i + 3]!];
    if (at < after) return { start: from, end: to };
    return { start: to + at - after, end: to + at - after + 1 };
  };
  return { text: plain, source: (start, end) => ({ start: place(start).start, end: place(end - 1).end }) };
}

/** The text without escapes, as far as `layers` go. */
export function unescapeAll(text: string, layers: number): string {
  let plain = text;
  for (let i = 0; i < layers; i++) {
    const next = unescapeOnce(plain);
    if (next === null) break;
    plain = next.text;
  }
  return plain;
}

function doubled(numbers: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const more = new Int32Array(numbers.length * 2);
  more.set(numbers);
  return more;
}

/** Where the last escape whose text begins at `most` or before stands in the list, or -1. */
function lastAtMost(escapes: Int32Array, count: number, most: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (escapes[middle * FIELDS]! <= most) low = middle + 1;
    else high = middle;
  }
  return (low - 1) * FIELDS;
}
