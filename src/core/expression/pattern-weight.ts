// Estimates from a pattern's text how large its program will be and what building it will cost, in one pass: RE2 writes
// repetitions out, and a class of characters in Unicode is hundreds of ranges, so that a short text may build for seconds.

/** A class by its Unicode name is up to so many ranges. */
const UNICODE_RANGES = 700;
/** What one pattern may cost to build: about 50 ms. */
export const MAX_PATTERN_WEIGHT = 50_000;

/** RE2 refuses to repeat anything more often, before it writes anything out. */
const MAX_REPETITION = 1000;

interface Size {
  /** Instructions of the program. */
  size: number;
  /** Ranges of characters in them. */
  ranges: number;
}

export interface PatternWeight {
  readonly size: number;
  /** About the microseconds that building it takes. */
  readonly weight: number;
}

/** Near enough for a bound; what the text is not (no pattern at all, say) is left to RE2. */
export function patternWeight(text: string): PatternWeight {
  const outer: { sum: Size; last: Size }[] = [];
  let sum: Size = { size: 2, ranges: 0 };
  let last: Size = { size: 0, ranges: 0 };
  const take = (atom: Size): void => {
    sum = { size: sum.size + last.size, ranges: sum.ranges + last.ranges };
    last = atom;
  };
  let i = 0;
  while (i < text.length) {
    const char = text[i]!;
    if (char === '\\') {
      const isClass = text[i + 1] === 'p' || text[i + 1] === 'P';
      take({ size: 1, ranges: isClass ? UNICODE_RANGES : 4 });
      i = afterEscape(text, i);
    } else if (char === '[') {
      const { end, ranges } = readClass(text, i);
      take({ size: 1, ranges });
      i = end;
    } else if (char === '(') {
      take({ size: 0, ranges: 0 });
      outer.push({ sum, last });
      sum = { size: 2, ranges: 0 };
      last = { size: 0, ranges: 0 };
      i = afterGroupStart(text, i);
    } else if (char === ')' && outer.length > 0) {
      take({ size: 0, ranges: 0 });
      const group = sum;
      ({ sum } = outer.pop()!);
      last = group;
      i += 1;
    } else if (char === '*' || char === '+' || char === '?') {
      last = { size: last.size + 1, ranges: last.ranges };
      i += 1;
    } else if (char === '{') {
      const times = readRepetition(text, i);
      if (times === null) take({ size: 1, ranges: 1 });
      else last = { size: (last.size + 1) * times.count, ranges: last.ranges * times.count };
      i = times?.end ?? i + 1;
    } else {
      take({ size: 1, ranges: char === '.' ? 2 : 1 });
      i += 1;
    }
  }
  for (; outer.length > 0; { sum } = outer.pop()!) {
    take({ size: 0, ranges: 0 });
    last = sum;
  }
  take({ size: 0, ranges: 0 });
  return { size: sum.size, weight: Math.ceil(20 + text.length / 4 + 2 * sum.size + sum.ranges / 12) };
}

/** After `\p{Greek}`, `\pL`, `\x{10FFFF}`, `\n`. */
function afterEscape(text: string, at: number): number {
  const isClass = text[at + 1] === 'p' || text[at + 1] === 'P';
  if (text[at + 2] !== '{' || !(isClass || 'xu'.includes(text[at + 1]!))) return at + (isClass ? 3 : 2);
  const end = text.indexOf('}', at);
  return end < 0 ? text.length : end + 1;
}

function readClass(text: string, at: number): { readonly end: number; readonly ranges: number } {
  let i = text[at + 1] === '^' ? at + 2 : at + 1;
  let ranges = 1;
  const first = i;
  while (i < text.length && (text[i] !== ']' || i === first)) {
    const isEscape = text[i] === '\\';
    ranges += isEscape && 'pP'.includes(text[i + 1] ?? ' ') ? UNICODE_RANGES : 2;
    i = isEscape ? afterEscape(text, i) : i + 1;
  }
  return { end: i + 1, ranges };
}

/** After `(`, `(?:`, `(?i)`, `(?<name>`. */
function afterGroupStart(text: string, at: number): number {
  const flags = /^\(\?(?:[A-Za-z-]*:|P?<[A-Za-z0-9_]*>)/.exec(text.slice(at, at + 100));
  return at + (flags?.[0].length ?? 1);
}

function readRepetition(text: string, at: number): { readonly end: number; readonly count: number } | null {
  const found = /^\{(\d{1,8})(?:(,)(\d{0,8}))?\}/.exec(text.slice(at, at + 20));
  if (found === null) return null;
  const [whole, least, comma, most] = found;
  const count = comma === undefined ? Number(least) : most === '' ? Number(least) + 1 : Number(most);
  return { end: at + whole!.length, count: count > MAX_REPETITION ? 1 : Math.max(1, count) };
}
