// Reads characters, names, strings and numbers for the parsers of expressions, paths and templates.
import { MAX_NESTING } from '../limits.ts';
import { isRounded } from '../values.ts';

/** Thrown inside the parsers and turned into a problem by their callers. `at` is a 0-based character of the text. */
export class SyntaxProblem extends Error {
  readonly at: number;
  readonly hint: string | undefined;
  constructor(message: string, at: number, hint?: string) {
    super(message);
    this.at = at;
    this.hint = hint;
  }
}

// RFC 9535 member-name-shorthand: letters, `_` and everything beyond ASCII except surrogates; digits later.
const NAME = /[A-Za-z_\u0080-\u{D7FF}\u{E000}-\u{10FFFF}][A-Za-z0-9_\u0080-\u{D7FF}\u{E000}-\u{10FFFF}]*/uy;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const INTEGER = /-?[0-9]+/y;
const HEX4 = /^[0-9A-Fa-f]{4}$/;
const ESCAPES: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  '/': '/',
  '\\': '\\',
};

export class Cursor {
  readonly text: string;
  pos: number;
  #nesting = 0;

  constructor(text: string, pos = 0) {
    this.text = text;
    this.pos = pos;
  }

  fail(message: string, at: number = this.pos, hint?: string): never {
    throw new SyntaxProblem(message, at, hint);
  }

  /** The character here, or '' at the end. */
  peek(offset = 0): string {
    return this.text[this.pos + offset] ?? '';
  }

  isAtEnd(): boolean {
    return this.pos >= this.text.length;
  }

  /** What stands here, for messages. */
  found(): string {
    if (this.isAtEnd()) return 'the end';
    NAME.lastIndex = this.pos;
    const word = NAME.exec(this.text)?.[0] ?? String.fromCodePoint(this.text.codePointAt(this.pos)!);
    return JSON.stringify(word.slice(0, 40));
  }

  skipSpace(): void {
    for (;;) {
      const char = this.text.charCodeAt(this.pos);
      if (char !== 32 && char !== 10 && char !== 9 && char !== 13) return;
      this.pos++;
    }
  }

  startsWith(text: string): boolean {
    return this.text.startsWith(text, this.pos);
  }

  accept(text: string): boolean {
    if (!this.startsWith(text)) return false;
    this.pos += text.length;
    return true;
  }

  expect(text: string, what: string): void {
    if (!this.accept(text)) this.fail(`expected ${what}, found ${this.found()}`);
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.pos;
    const found = pattern.exec(this.text);
    if (found === null) return null;
    this.pos += found[0].length;
    return found[0];
  }

  /** A name (RFC 9535 shorthand), or null. */
  acceptName(): string | null {
    return this.#match(NAME);
  }

  /** The name here without consuming it. */
  peekName(): string | null {
    const start = this.pos;
    const name = this.acceptName();
    this.pos = start;
    return name;
  }

  /** A JSON number, or null. */
  acceptNumber(): number | null {
    const start = this.pos;
    const text = this.#match(NUMBER);
    if (text === null) return null;
    if (/[0-9A-Za-z_.]/.test(this.peek()))
      this.fail(`"${this.text.slice(start, this.pos + 1)}" is not a number`, start);
    const value = Number(text);
    if (!Number.isFinite(value)) this.fail(`the number ${text.slice(0, 30)} is too large`, start);
    if (isRounded(value))
      this.fail(`the integer ${text.slice(0, 30)} is beyond 2^53 and would be rounded`, start);
    return value;
  }

  /** An index or slice bound: a decimal integer without leading zero, within 2^53; or null. */
  acceptInteger(): number | null {
    const start = this.pos;
    const text = this.#match(INTEGER);
    if (text === null) return null;
    if (!/^(0|-?[1-9][0-9]*)$/.test(text)) this.fail(`"${text.slice(0, 30)}" is not an index`, start);
    const value = Number(text);
    if (!Number.isSafeInteger(value)) this.fail(`the index ${text.slice(0, 30)} is beyond 2^53`, start);
    return value;
  }

  /**
   * A string literal whose opening quote is here. `strict` follows RFC 9535: only the own quote may be escaped, and no
   * raw control characters; expressions are more generous, since YAML folds their lines.
   */
  readString(strict: boolean): string {
    const start = this.pos;
    const quote = this.peek();
    this.pos++;
    let value = '';
    for (;;) {
      if (this.isAtEnd()) this.fail('the string is not closed', start);
      const char = this.text[this.pos]!;
      if (char === quote) {
        this.pos++;
        break;
      }
      if (char === '\\') value += this.#readEscape(quote, strict);
      else {
        if (char < ' ' && strict) this.fail('a control character in a string must be escaped');
        value += char;
        this.pos++;
      }
    }
    if (!value.isWellFormed()) this.fail('the string has a lone surrogate', start);
    return value;
  }

  #readEscape(quote: string, strict: boolean): string {
    const at = this.pos;
    const char = this.peek(1);
    this.pos += 2;
    if (char === quote || (!strict && (char === '"' || char === "'"))) return char;
    if (char === 'u') {
      const unit = this.#readHex(at);
      if (unit < 0xd800 || unit > 0xdfff) return String.fromCharCode(unit);
      if (unit > 0xdbff || !this.accept('\\u')) this.fail('a \\u surrogate must be one half of a pair', at);
      const low = this.#readHex(at);
      if (low < 0xdc00 || low > 0xdfff) this.fail('a \\u surrogate must be one half of a pair', at);
      return String.fromCharCode(unit, low);
    }
    const plain = char !== '' && Object.hasOwn(ESCAPES, char) ? ESCAPES[char] : undefined;
    if (plain === undefined) this.fail(`\\${char} is not an escape in a string`, at);
    return plain;
  }

  #readHex(at: number): number {
    const digits = this.text.slice(this.pos, this.pos + 4);
    if (!HEX4.test(digits)) this.fail('\\u needs four hexadecimal digits', at);
    this.pos += 4;
    return Number.parseInt(digits, 16);
  }

  /** Runs `parse` one level deeper, and refuses more than 64 levels. */
  nested<T>(parse: () => T): T {
    if (++this.#nesting > MAX_NESTING) this.fail(`nested deeper than ${MAX_NESTING} levels`);
    const value = parse();
    this.#nesting--;
    return value;
  }
}
