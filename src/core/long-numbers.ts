// Numbers from outside that a double would round: an order or a snowflake id beyond 2^53. Whoever sent one cannot be asked to
// write it otherwise, so it is kept exactly, as a text, and that is said once. What people give to our own API is refused instead.
// Decimals are not among them: 0.1 is no double either, and every JSON reader takes the nearest one.
import { type OutsideRules, readJson } from './definition/reading/json-reader.ts';
import type { Json, JsonObject } from './json.ts';

const MAX_TOLD = 5;

/** Where in a value they stood. */
export class LongNumbers {
  static readonly NONE = new LongNumbers([], 0);
  /** JSON pointers of the first few. */
  readonly pointers: readonly string[];
  readonly count: number;

  constructor(pointers: readonly string[], count: number) {
    this.pointers = pointers;
    this.count = count;
  }

  /** One sentence; `what` begins it: "the answer". Null: there were none. */
  warning(what: string): JsonWarning | null {
    if (this.count === 0) return null;
    const places = this.pointers.map((pointer) => (pointer === '' ? 'the whole' : pointer)).join(', ');
    const others = this.count - this.pointers.length;
    return {
      pointer: this.pointers[0]!,
      code: 'long_number',
      message: `${what} holds ${this.count === 1 ? 'a number' : `${this.count} numbers`} beyond 2^53, kept as ${this.count === 1 ? 'a text' : 'texts'} so that no digit is lost: ${places}${others > 0 ? ` and ${others} more` : ''}`,
    };
  }
}

/** What was taken otherwise than it was sent. */
export interface JsonWarning extends JsonObject {
  readonly pointer: string;
  readonly code: string;
  readonly message: string;
}

/** Counts them while a text is read. */
export function collectLongNumbers(): {
  readonly rules: Required<Pick<OutsideRules, 'onLongNumber'>>;
  readonly found: () => LongNumbers;
} {
  const pointers: string[] = [];
  let count = 0;
  return {
    rules: {
      onLongNumber(pointer) {
        count += 1;
        if (pointers.length < MAX_TOLD) pointers.push(pointer.slice(0, 200).toWellFormed());
      },
    },
    found: () => (count === 0 ? LongNumbers.NONE : new LongNumbers(pointers, count)),
  };
}

/** Whether a text that was parsed to this value has to be read once more, exactly. Costs little where it has not. */
export function mayHoldLongNumbers(text: string, value: Json): boolean {
  return /\d{16}|\d[eE]\+?\d/.test(text) && holdsUnsafe(value);
}

function holdsUnsafe(value: Json): boolean {
  if (typeof value === 'number')
    return !Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value));
  if (typeof value !== 'object' || value === null) return false;
  return (Object.values(value) as Json[]).some(holdsUnsafe);
}

/** Reads what JSON.parse took, once more and exactly. */
export function readLongNumbers(text: string): { readonly value: Json; readonly longNumbers: LongNumbers } {
  const { rules, found } = collectLongNumbers();
  const read = readJson(text, { ...rules, takesDuplicates: true });
  // It takes what JSON.parse takes, but for depth and number of values, which were looked at before.
  if (!read.ok) throw new SyntaxError(read.problems[0]?.message ?? 'not JSON');
  return { value: read.value as Json, longNumbers: found() };
}

/**
 * A JSON text whose long numbers are in quotes where `isMeant` says so of their pointer; null: there is none. For libraries that
 * parse a text themselves.
 */
export function quoteLongNumbers(
  text: string,
  isMeant: (pointer: string) => boolean,
): { readonly text: string; readonly longNumbers: LongNumbers } | null {
  const parts: string[] = [];
  const { rules, found } = collectLongNumbers();
  let from = 0;
  const onLongNumber = (pointer: string, literal: string, offset: number): void => {
    if (!isMeant(pointer)) return;
    rules.onLongNumber(pointer, literal, offset);
    parts.push(text.slice(from, offset), `"${literal}"`);
    from = offset + literal.length;
  };
  const read = readJson(text, { onLongNumber, takesDuplicates: true });
  if (!read.ok || parts.length === 0) return null;
  return { text: [...parts, text.slice(from)].join(''), longNumbers: found() };
}
