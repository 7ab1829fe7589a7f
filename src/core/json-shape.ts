// What a JSON text will be once it is parsed, by one look at its bytes: how deep, how many values, how long its texts. An empty
// object is two bytes of text and sixty of memory, so that what comes from outside is looked at before it is parsed.
import { type Json, MAX_DEPTH, MAX_VALUES } from './json.ts';
import { LongNumbers, mayHoldLongNumbers, readLongNumbers } from './long-numbers.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
/** `[` and `{`, `]` and `}`: they differ by this bit. */
const BRACE_BIT = 0x20;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** Right for JSON in UTF-8; of other text it says something. Takes a text in one piece or in several. */
export class JsonShape {
  /** Of the deepest value. */
  depth = 0;
  /** Members of all objects, those with the same name counted each. */
  members = 0;
  /** Values and names below the whole, an empty list or object counted twice; of several texts in a row, of the largest. */
  values = 0;
  /** Bytes of the longest string as written. */
  longest = 0;
  hasEscapes = false;
  #open = 0;
  #values = 0;
  #isInString = false;
  #isEscaped = false;
  #length = 0;

  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) at = this.#isInString ? this.#passString(bytes, at) : this.#look(bytes, at);
  }

  /** From `at` to the next string, or to the end. */
  #look(bytes: Uint8Array, at: number): number {
    for (let i = at; i < bytes.length; i++) {
      const byte = bytes[i]!;
      if (byte === QUOTE) {
        this.#isInString = true;
        this.#length = 1;
        return i + 1;
      }
      if (byte === COMMA) {
        this.#values++;
        // What comes after it changes nothing.
        if (this.#values > MAX_VALUES) return bytes.length;
      } else if (byte === COLON) {
        this.#values++;
        this.members++;
      } else if ((byte | BRACE_BIT) === OPEN) this.#enter();
      else if ((byte | BRACE_BIT) === CLOSE) this.#leave();
    }
    return bytes.length;
  }

  #enter(): void {
    if (this.#open === 0) this.#values = 0;
    this.#open++;
    this.#values++;
    if (this.#open > this.depth) this.depth = this.#open;
  }

  #leave(): void {
    this.#open--;
    if (this.#values > this.values) this.values = this.#values;
  }

  #passString(bytes: Uint8Array, from: number): number {
    for (let i = from; i < bytes.length; i++) {
      const byte = bytes[i]!;
      if (this.#isEscaped) this.#isEscaped = false;
      else if (byte === BACKSLASH) {
        this.#isEscaped = true;
        this.hasEscapes = true;
      } else if (byte === QUOTE) {
        this.#isInString = false;
        this.#endString(this.#length + i - from);
        return i + 1;
      }
    }
    this.#length += bytes.length - from;
    this.#endString(this.#length);
    return bytes.length;
  }

  #endString(length: number): void {
    if (length > this.longest) this.longest = length;
  }

  /** Why a text of this shape is not parsed, or null. */
  get excess(): JsonExcess | null {
    if (this.depth > MAX_DEPTH) return 'too_deep';
    return Math.max(this.values, this.#open > 0 ? this.#values : 0) > MAX_VALUES ? 'too_many_values' : null;
  }
}

export type JsonExcess = 'too_deep' | 'too_many_values';

/** In words that follow "a body" or "a text". */
export const EXCESS_TEXT: Readonly<Record<JsonExcess, string>> = {
  too_deep: `that is nested deeper than ${MAX_DEPTH}`,
  too_many_values: `of more than ${MAX_VALUES} values`,
};

export type ParsedJson =
  | { readonly ok: true; readonly value: Json; readonly longNumbers: LongNumbers }
  | { readonly ok: false; readonly problem: JsonExcess | 'not_json' };

/** JSON.parse for texts from outside: numbers that it would round are kept as texts. */
export function parseJson(text: string): ParsedJson {
  // A shorter one cannot be too deep.
  if (text.length > MAX_DEPTH) {
    const shape = new JsonShape();
    shape.push(Buffer.from(text));
    if (shape.excess !== null) return { ok: false, problem: shape.excess };
  }
  try {
    const value = JSON.parse(text) as Json;
    if (mayHoldLongNumbers(text, value)) return { ok: true, ...readLongNumbers(text) };
    return { ok: true, value, longNumbers: LongNumbers.NONE };
  } catch {
    return { ok: false, problem: 'not_json' };
  }
}
