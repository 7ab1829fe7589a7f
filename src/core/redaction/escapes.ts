// The escapes that servers write: HTML's references, the percent signs of URLs (UTF-8), the backslashes of JSON and programs,
// and line breaks, which MIME puts into long words: however they are written, they stand for nothing. Read without making a text of each, since a
// body may be made of nothing else.

const NAMED: ReadonlyMap<string, number> = new Map(
  Object.entries({
    ...{ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", sol: '/', bsol: '\\' },
    ...{ equals: '=', plus: '+', grave: '`' },
  }).map(([name, character]) => [name, character.charCodeAt(0)]),
);
const MAX_NAME = 6;
const MAX_CODE = 0x10ffff;
/** Bits of a code point. */
const BITS = 21;
/** What a line break stands for. */
export const NOTHING = MAX_CODE + 1;
const NONE = 0;

const PERCENT = 0x25;
const AMPERSAND = 0x26;
const BACKSLASH = 0x5c;
const LF = 0x0a;
const CR = 0x0d;

const DIGITS = Int8Array.from({ length: 0x80 }, (_, unit) =>
  /[\da-f]/i.test(String.fromCharCode(unit)) ? Number.parseInt(String.fromCharCode(unit), 16) : -1,
);

/** Whether an escape may begin with a character: quicker than to look for one. */
export const BEGINS: Readonly<Uint8Array> = Uint8Array.from({ length: 0x80 }, (_, unit) =>
  unit === PERCENT || unit === AMPERSAND || unit === BACKSLASH || unit === LF || unit === CR ? 1 : 0,
);

/** Where the first character stands with which an escape may begin; -1: nowhere. */
export function firstBeginning(text: string): number {
  const found = ['%', '&', '\\', '\n', '\r'].map((one) => text.indexOf(one)).filter((at) => at >= 0);
  return found.length === 0 ? -1 : Math.min(...found);
}

/** The escape that begins at `at`, for {@link lengthOf} and {@link codeOf}; 0 where none does. */
export function escapeAt(text: string, at: number): number {
  switch (text.charCodeAt(at)) {
    case PERCENT:
      return percentAt(text, at);
    case AMPERSAND:
      return referenceAt(text, at);
    case BACKSLASH:
      return backslashAt(text, at);
    case CR:
      return made(text.charCodeAt(at + 1) === LF ? 2 : 1, LF);
    case LF:
      return made(1, LF);
    default:
      return NONE;
  }
}

/** How many characters the escape takes. */
export function lengthOf(found: number): number {
  return found >> BITS;
}

/** The code point that it stands for, or {@link NOTHING}. */
export function codeOf(found: number): number {
  return found & ((1 << BITS) - 1);
}

function made(length: number, code: number): number {
  if (code > MAX_CODE) return NONE;
  return (length << BITS) | (code === LF || code === CR ? NOTHING : code);
}

// One character of UTF-8.
function percentAt(text: string, at: number): number {
  const first = hexAt(text, at + 1, 2);
  if (first < 0x80) return first < 0 ? NONE : made(3, first);
  const more = first >= 0xc2 && first < 0xe0 ? 1 : first >= 0xe0 && first < 0xf0 ? 2 : first < 0xf5 ? 3 : 0;
  if (first < 0xc2 || more === 0) return NONE;
  let code = first & (0x3f >> more);
  for (let i = 1; i <= more; i++) {
    const byte = text.charCodeAt(at + 3 * i) === PERCENT ? hexAt(text, at + 3 * i + 1, 2) : -1;
    if (byte < 0x80 || byte > 0xbf) return NONE;
    code = (code << 6) | (byte & 0x3f);
  }
  return made(3 + 3 * more, code);
}

function referenceAt(text: string, at: number): number {
  if (text.charCodeAt(at + 1) !== 0x23) {
    let end = at + 1;
    while (end - at <= MAX_NAME && isLetter(text.charCodeAt(end))) end++;
    if (text.charCodeAt(end) !== 0x3b) return NONE;
    const code = NAMED.get(text.slice(at + 1, end));
    return code === undefined ? NONE : made(end + 1 - at, code);
  }
  const isHex = (text.charCodeAt(at + 2) | 0x20) === 0x78;
  const from = at + (isHex ? 3 : 2);
  let code = 0;
  for (let i = from; i <= from + 7; i++) {
    const unit = text.charCodeAt(i);
    if (unit === 0x3b) return i === from ? NONE : made(i + 1 - at, code);
    const digit = digitOf(unit);
    if (digit < 0 || (!isHex && digit > 9)) return NONE;
    code = code * (isHex ? 16 : 10) + digit;
  }
  return NONE;
}

function backslashAt(text: string, at: number): number {
  const unit = text.charCodeAt(at + 1);
  switch (unit) {
    case 0x62:
      return made(2, 0x08);
    case 0x66:
      return made(2, 0x0c);
    case 0x6e:
      return made(2, LF);
    case 0x72:
      return made(2, CR);
    case 0x74:
      return made(2, 0x09);
    case 0x22:
    case 0x27:
    case 0x2f:
    case BACKSLASH:
      return made(2, unit);
    case 0x78: {
      const code = hexAt(text, at + 2, 2);
      return code < 0 ? NONE : made(4, code);
    }
    case 0x75: {
      const code = hexAt(text, at + 2, 4);
      return code < 0 ? NONE : made(6, code);
    }
    default:
      return NONE;
  }
}

/** The number that so many hexadecimal digits write, or -1. */
function hexAt(text: string, at: number, digits: number): number {
  let number = 0;
  for (let i = at; i < at + digits; i++) {
    const digit = digitOf(text.charCodeAt(i));
    if (digit < 0) return -1;
    number = (number << 4) | digit;
  }
  return number;
}

function digitOf(unit: number): number {
  return unit < 0x80 ? DIGITS[unit]! : -1;
}

function isLetter(unit: number): boolean {
  return unit >= 0x61 && unit <= 0x7a;
}
