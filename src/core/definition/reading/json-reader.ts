// A strict JSON reader (RFC 8259) for documents that people write: unlike JSON.parse it refuses duplicate keys, numbers
// that JavaScript would round or turn into Infinity, and depth, and says at which line and column. What another system has
// written cannot be written anew: of that it can keep such numbers as texts (core/long-numbers.ts).
import type { ProblemCode } from '../../codes/code.ts';
import type { Problem, Result } from '../../errors.ts';
import { MAX_DEPTH, MAX_VALUES } from '../../json.ts';
import { toldPointer } from '../pointer.ts';
import { quoteText } from '../quote-text.ts';

const MAX_PROBLEMS = 100;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them in strings
const PLAIN_STRING = /"[^"\\\u0000-\u001f]*"/y;
const SPACE = /[ \t\n\r]*/y;

class SyntaxProblem extends Error {
  readonly offset: number;
  readonly code: ProblemCode;
  constructor(offset: number, code: ProblemCode, message: string) {
    super(message);
    this.offset = offset;
    this.code = code;
  }
}

/** How to read what another system has written. */
export interface OutsideRules {
  /** Is told the place of each number that is kept as a text. Absent: they are problems. */
  readonly onLongNumber?: (pointer: string, literal: string, offset: number) => void;
  /** The last of several members with one name counts, as it does for JSON.parse. */
  readonly takesDuplicates?: boolean;
}

/** Parses JSON text. Duplicate keys and bad numbers are all reported; a syntax error ends the reading. */
export function readJson(
  text: string,
  { onLongNumber, takesDuplicates = false }: OutsideRules = {},
): Result<unknown> {
  const problems: Problem[] = [];
  const path: (string | number)[] = [];
  let at = 0;
  let values = 0;

  const place = placesIn(text);
  const report = (offset: number, code: ProblemCode, message: string): void => {
    if (problems.length < MAX_PROBLEMS)
      problems.push({
        pointer: toldPointer(path),
        code,
        message: `${place(offset)}: ${message}`,
      });
  };
  const skipSpace = (): void => {
    SPACE.lastIndex = at;
    SPACE.test(text);
    at = SPACE.lastIndex;
  };
  const unexpected = (wanted: string): SyntaxProblem =>
    new SyntaxProblem(
      at,
      'syntax',
      at >= text.length
        ? `the text ends where ${wanted} was expected`
        : `expected ${wanted}, found ${quoteText(text.slice(at, at + 12))}`,
    );

  const countValue = (): void => {
    values += 1;
    if (values <= MAX_VALUES) return;
    path.length = 0;
    throw new SyntaxProblem(at, 'too_large', `more than ${MAX_VALUES} values`);
  };
  const readString = (): string => {
    PLAIN_STRING.lastIndex = at;
    if (PLAIN_STRING.test(text)) {
      const value = text.slice(at + 1, PLAIN_STRING.lastIndex - 1);
      at = PLAIN_STRING.lastIndex;
      return value;
    }
    const start = at;
    let end = at + 1;
    for (; end < text.length && text[end] !== '"'; end++) if (text[end] === '\\') end++;
    try {
      const value: unknown = JSON.parse(text.slice(start, end + 1));
      at = end + 1;
      return String(value);
    } catch {
      throw new SyntaxProblem(start, 'syntax', 'this string is not closed or has a bad escape');
    }
  };
  const readNumber = (): number | string => {
    NUMBER.lastIndex = at;
    if (!NUMBER.test(text)) throw unexpected('a value');
    const literal = text.slice(at, NUMBER.lastIndex);
    const value = Number(literal);
    if (onLongNumber !== undefined) {
      const isLong = isLongNumber(literal, value);
      if (isLong) onLongNumber(toldPointer(path), literal, at);
      at = NUMBER.lastIndex;
      return isLong ? literal : value;
    }
    if (!Number.isFinite(value))
      report(at, 'invalid_number', `the number ${quoteText(literal)} is too large`);
    else if (/^-?\d+$/.test(literal) && !Number.isSafeInteger(value))
      report(
        at,
        'invalid_number',
        `the integer ${quoteText(literal)} is beyond 2^53 and would be rounded; use a string`,
      );
    at = NUMBER.lastIndex;
    return value;
  };
  const readValue = (): unknown => {
    skipSpace();
    countValue();
    switch (text[at]) {
      case '{':
        return readObject();
      case '[':
        return readList();
      case '"':
        return readString();
      case 't':
        return readWord('true', true);
      case 'f':
        return readWord('false', false);
      case 'n':
        return readWord('null', null);
      default:
        return readNumber();
    }
  };
  const readWord = <T>(word: string, value: T): T => {
    if (!text.startsWith(word, at)) throw unexpected('a value');
    at += word.length;
    return value;
  };
  const enter = (): void => {
    if (path.length >= MAX_DEPTH) {
      path.length = 8;
      throw new SyntaxProblem(at, 'too_deep', `nested deeper than ${MAX_DEPTH} levels`);
    }
    at += 1;
    skipSpace();
  };
  const readList = (): unknown[] => {
    const list: unknown[] = [];
    enter();
    if (text[at] === ']') {
      at += 1;
      return list;
    }
    for (;;) {
      path.push(list.length);
      list.push(readValue());
      path.pop();
      skipSpace();
      if (text[at] === ']') break;
      if (text[at] !== ',') throw unexpected('"," or "]"');
      at += 1;
    }
    at += 1;
    return list;
  };
  const readObject = (): Record<string, unknown> => {
    const object: Record<string, unknown> = {};
    enter();
    if (text[at] === '}') {
      at += 1;
      return object;
    }
    for (;;) {
      skipSpace();
      const keyAt = at;
      if (text[at] !== '"') throw unexpected('a name in double quotes');
      countValue();
      const key = readString();
      skipSpace();
      if (text[at] !== ':') throw unexpected('":"');
      at += 1;
      path.push(key);
      if (!takesDuplicates && Object.hasOwn(object, key))
        report(keyAt, 'duplicate_key', `the name ${quoteText(key)} is given twice`);
      // defineProperty: "__proto__" becomes an ordinary member here, which copyDocument then refuses by name.
      const value = readValue();
      if (key === '__proto__')
        Object.defineProperty(object, key, { value, enumerable: true, configurable: true });
      else object[key] = value;
      path.pop();
      skipSpace();
      if (text[at] === '}') break;
      if (text[at] !== ',') throw unexpected('"," or "}"');
      at += 1;
    }
    at += 1;
    return object;
  };

  try {
    const value = readValue();
    skipSpace();
    if (at < text.length) throw unexpected('the end of the document');
    return problems.length === 0 ? { ok: true, value } : { ok: false, problems };
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error;
    report(error.offset, error.code, error.message);
    return { ok: false, problems };
  }
}

/**
 * A number that a double would make another of: an integer beyond 2^53, or one that is too large. Below 1e21 also one that a double
 * happens to hold, which nobody could tell from a rounded one; above it is a double where that one is written with the same digits.
 */
function isLongNumber(literal: string, value: number): boolean {
  if (Number.isSafeInteger(value)) return false;
  if (!Number.isFinite(value)) return true;
  if (Math.abs(value) < 1e21) return Number.isInteger(value);
  return /^-?\d+$/.test(literal) && literal.replace(/^-|0+$/g, '') !== digitsOf(value);
}

/** As JSON.stringify writes them, without the exponent. */
function digitsOf(value: number): string {
  return value.toExponential().split('e', 1)[0]!.replace(/^-|\./g, '');
}

/** Says line and column; goes on from the place before, so that a hundred of them read the text once. */
function placesIn(text: string): (offset: number) => string {
  let line = 1;
  let lineStart = 0;
  let at = 0;
  return (offset) => {
    if (offset < at) [line, lineStart, at] = [1, 0, 0];
    for (; at < offset; at++)
      if (text.charCodeAt(at) === 0x0a) {
        line += 1;
        lineStart = at + 1;
      }
    return `line ${line}, column ${offset - lineStart + 1}`;
  };
}
