// Texts and JSON that are hard on whoever walks, quotes, matches, parses or stores them: few choices of fast-check's, blown up
// to a size. Values are JSON texts, so that names given twice, __proto__ and numbers beyond doubles can be among them.
import * as fc from 'fast-check';

export type Arb<T> = fc.Arbitrary<T>;

/** Up to `most`: all magnitudes are as likely. */
export const sizeUpTo = (most: number): Arb<number> =>
  fc.oneof(
    { weight: 20, arbitrary: fc.nat({ max: 1000 }).map((n) => Math.floor(most ** (n / 1000))) },
    { weight: 1, arbitrary: fc.constant(most) },
  );

const SPECIAL = [
  ...[
    '',
    ' ',
    '\0',
    '\ud800',
    '__proto__',
    'constructor',
    '\u202e',
    '\u001b[2J\u001b]0;x\u0007',
    '%00',
    '../..',
  ],
  ...['{{ input }}', '{{', '}}', '$..*', '1e400', 'NaN', 'null', "'; select 1; --", '<!--', '&amp;amp;'],
  ...['a\u0300\u0301', 'ß', 'İ', '\u{1f468}\u200d\u{1f469}', '2027-02-30T25:61:61Z', '0x10', '-0', '\ufeff'],
];
const UNITS = [
  'a',
  'ab',
  '\\',
  '"',
  'é',
  '😀',
  '\u0000',
  '<',
  '&amp;',
  '{{ ',
  '[',
  '0',
  ' ',
  '\n',
  '~1',
  '%41',
  'aA0_',
];

/** A text of at most so many UTF-16 units. */
export const text = (most: number): Arb<string> =>
  fc.oneof(
    fc.string({ unit: 'binary', maxLength: Math.min(most, 40) }),
    fc.constantFrom(...SPECIAL),
    fc
      .tuple(fc.constantFrom(...UNITS), sizeUpTo(most), fc.constantFrom('', '!', 'b'))
      .map(([unit, size, end]) => unit.repeat(Math.ceil(size / unit.length)).slice(0, size) + end),
  );

const NUMBERS = [
  '0',
  '-0',
  '1e308',
  '1e400',
  '1E-400',
  '12345678901234567890',
  '0.1',
  '-1.5e-7',
  '1'.repeat(300),
];

const leaf = (most: number): Arb<string> =>
  fc.oneof(
    fc.constantFrom('null', 'true', '{}', '[]', '""', ...NUMBERS),
    text(most).map((one) => JSON.stringify(one)),
    fc.jsonValue({ maxDepth: 3 }).map((one) => JSON.stringify(one)),
  );

/** JSON of about `most` bytes at most, mostly of one of the shapes that were trouble once. */
export function json(most: number): Arb<string> {
  const items = sizeUpTo(most);
  return fc.oneof(
    { weight: 2, arbitrary: leaf(most) },
    fc.tuple(sizeUpTo(Math.min(most / 6, 3_000)), leaf(50)).map(([depth, inner]) => nested(depth, inner)),
    fc
      .tuple(sizeUpTo(Math.min(most / 6, 600)), fc.constantFrom('a', 'a.b', '~', 'ä'), leaf(50))
      .map(([depth, name, inner]) => `${`{"${name}":`.repeat(depth)}${inner}${'}'.repeat(depth)}`),
    fc
      .tuple(
        items,
        fc.constantFrom('{}', '[]', '0', '1.5', 'null', '""', '{"a":1}', '{"a":{"b":[1,2]}}', '"x"'),
      )
      .map(([size, one]) => list(one, size)),
    fc
      .tuple(items, fc.constantFrom(1, 8, 100, 5_000), fc.constantFrom('0', '{}', '"a"', '[]'))
      .map(([size, chars, one]) => names(size, chars, one)),
    fc.tuple(items, text(200)).map(([size, one]) => list(JSON.stringify(one), size)),
    fc.tuple(sizeUpTo(most), text(most)).map(([n, one]) => `{"a":[${JSON.stringify(one)},${n}],"n":${n}}`),
    fc.array(leaf(Math.ceil(most / 8)), { maxLength: 6 }).map((all) => `[${all.join()}]`),
    fc
      .array(fc.tuple(text(40), leaf(Math.ceil(most / 8))), { maxLength: 6 })
      .map((all) => `{${all.map(([name, one]) => `${JSON.stringify(name)}:${one}`).join()}}`),
    fc.constant('{"a":1,"a":2}'),
    fc.constant('{"__proto__":{"x":1},"constructor":{"prototype":{}}}'),
  );
}

const nested = (depth: number, inner: string) => `${'['.repeat(depth)}${inner}${']'.repeat(depth)}`;

/** A list of about so many bytes. */
export function list(one: string, bytes: number): string {
  const count = Math.ceil(bytes / (one.length + 1));
  return `[${`${one},`.repeat(Math.max(0, count - 1))}${one}]`;
}

function names(bytes: number, chars: number, one: string): string {
  const count = Math.ceil(bytes / (chars + one.length + 4));
  return `{${Array.from({ length: count }, (_, i) => `"${String(i).padStart(chars, 'n')}":${one}`).join()}}`;
}

/** Whatever a text becomes on a bad line: a piece away, doubled, replaced. */
export const mutated = (given: Arb<string>): Arb<string> =>
  fc
    .tuple(
      given,
      fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat({ max: 12 }), text(20)), {
        maxLength: 4,
      }),
    )
    .map(([whole, changes]) =>
      changes.reduce((now, [place, width, put], n) => {
        const at = Math.floor(place * now.length);
        const piece = now.slice(at, at + width);
        return now.slice(0, at) + [put, piece + piece, ''][n % 3]! + now.slice(at + width);
      }, whole),
    );
