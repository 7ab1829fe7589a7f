// A secret is found in whatever ordinary servers make of it: each way of writing a text alone, and any two of them, one
// within the other; in a text, and where JSON holds it.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRedact, REDACTED, redactJson } from '../../src/core/redact.ts';
import { formsOf } from '../../src/core/redaction/forms.ts';
import { PatternSet } from '../../src/core/redaction/pattern-set.ts';
import { createSearch } from '../../src/core/redaction/search.ts';
import { unescapeAll, unescapeOnce } from '../../src/core/redaction/unescape.ts';
import { casesOf, depth } from '../support/depth.ts';

type Encode = (text: string) => string;

const codes = (text: string, characters: RegExp, code: (hex: string) => string) =>
  text.replace(characters, (one) => code(one.charCodeAt(0).toString(16)));
const html = (text: string, quote: string, apostrophe: string) =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', quote)
    .replaceAll("'", apostrophe);
const url: Encode = (text) => encodeURIComponent(text.toWellFormed());
const base64: Encode = (text) => Buffer.from(text).toString('base64');
const json: Encode = (text) => JSON.stringify(text).slice(1, -1);

/** They escape single characters. */
const ESCAPES: Readonly<Record<string, Encode>> = {
  'as it is': (text) => text,
  'HTML, named': (text) => html(text, '&quot;', "'"),
  'HTML, &#39;': (text) => html(text, '&quot;', '&#39;'),
  'HTML, &#x27; and &#34;': (text) => html(text, '&#34;', '&#x27;'),
  JSON: json,
  'JSON, slashes too': (text) => json(text).replaceAll('/', '\\/'),
  'JSON, \\u0026': (text) => codes(json(text), /[&<>]/g, (hex) => `\\u${hex.padStart(4, '0')}`),
  'JSON, ASCII only': (text) => codes(json(text), /[\u0080-\uffff]/g, (hex) => `\\u${hex.padStart(4, '0')}`),
  URL: url,
  'URL, lower case': (text) => url(text).replaceAll(/%../g, (code) => code.toLowerCase()),
  'a form': (text) => new URLSearchParams({ s: text.toWellFormed() }).toString().slice(2),
};
/** They write bytes. */
const BYTES: Readonly<Record<string, Encode>> = {
  base64,
  'base64, url-safe': (text) => Buffer.from(text).toString('base64url'),
  hex: (text) => Buffer.from(text).toString('hex'),
  'hex, upper case': (text) => Buffer.from(text).toString('hex').toUpperCase(),
};
/** They are rare, or break lines: within bytes that were written once more they are not looked for. */
const OUTER: Readonly<Record<string, Encode>> = {
  'URL, all of it': (text) =>
    [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  'a program, \\x26': (text) => codes(json(text), /[&<>']/g, (hex) => `\\x${hex.padStart(2, '0')}`),
  'HTML, as a template writes it': (text) =>
    codes(html(text, '&quot;', '&#39;'), /[/=`]/g, (hex) => `&#x${hex.toUpperCase()};`),
  'JSON, quotes too': (text) =>
    codes(text, /[&<>"'+\\\n]/g, (hex) => `\\u${hex.padStart(4, '0').toUpperCase()}`),
  'base64 of MIME': (text) => base64(text).replaceAll(/.{76}/g, '$&\r\n'),
  'base64 in lines of 64': (text) => base64(text).replaceAll(/.{64}/g, '$&\n'),
};

const ALL = { ...ESCAPES, ...BYTES, ...OUTER };
const PAIRS = Object.entries(ALL).flatMap(([inner, first]) =>
  Object.entries(inner in OUTER ? ESCAPES : ALL).map(
    ([outer, second]) => [`${outer} of ${inner}`, first, second] as const,
  ),
);

// The end of a secret and what follows it may make an escape between them, once others are taken off: that is not found again.
const secrets = fc
  .oneof(
    fc.string({ minLength: 24, maxLength: 60, unit: 'grapheme-ascii' }),
    fc.string({
      minLength: 24,
      maxLength: 90,
      unit: fc.constantFrom(...'abcXYZ019+/=&<>"\'\\%;:#? \n-_.é€𝄞'),
    }),
    fc.string({ minLength: 40, maxLength: 80, unit: fc.constantFrom(...'abcdefXYZ0189_-') }),
  )
  .filter((secret) => !/[%&\\][#\w]{0,8}$/.test(secret));
const around = fc.string({ maxLength: 9, unit: fc.constantFrom(...'abz:= ,.{}') });
/** Bytes of a secret that may be left at its ends: its neighbours have a part in what stands there, once for each writing. */
const MOST_LEFT = 8;

/** `plain` is the secret, `whole` how many characters of the text it takes. */
function expectHidden(text: string, clean: string, { plain, whole }: { plain: string; whole: number }): void {
  expect(clean).toContain(REDACTED);
  const left = clean.replaceAll(REDACTED, '').length - (text.length - whole);
  expect(left).toBeLessThan(4 + MOST_LEFT * (whole / Buffer.byteLength(plain)));
}

describe('a secret', () => {
  it.each(casesOf(PAIRS))('is hidden in %s', (_, first, second) => {
    fc.assert(
      fc.property(secrets, around, around, (secret, before, after) => {
        const encode: Encode = (text) => second(first(text));
        const redact = createRedact([secret]);
        const text = encode(before + secret + after);
        const clean = redact(text);
        const neighbours = encode(before + after).length;
        expectHidden(text, clean, { plain: secret, whole: text.length - neighbours });
        // As an output or an error holds it, and as a line of the log.
        expect(redactJson({ a: [text], [text]: 1 }, redact)).toEqual({ a: [clean], [clean]: 1 });
        const line = JSON.stringify({ message: text });
        const whole = line.length - JSON.stringify({ message: encode(before + after) }).length;
        expectHidden(line, redact(line), { plain: secret, whole });
      }),
      { numRuns: 12, seed: 20261130 },
    );
  });

  it('that looks like escapes is hidden too, in each of them', () => {
    for (const secret of ['100%25 of &amp;lt; it', 'a\\u0026b\\\\nc\\/d e', '%2541%2542-&#x26;#39;-and-more'])
      for (const [name, encode] of Object.entries(ALL))
        expect(createRedact([secret])(`<${encode(secret)}>`), `${name}: ${secret}`).toContain(REDACTED);
  });

  it('is hidden where bytes were read one by one', () => {
    const secret = 'pässwörd-€-123456';
    expect(createRedact([secret])(Buffer.from(`x${secret}y`).toString('latin1'))).toBe(`x${REDACTED}y`);
  });
});

describe('what is searched', () => {
  it('is the same text, not a copy, where nothing is hidden', () => {
    const redact = createRedact(['a-secret-of-the-house']);
    const text = `{"a":"b\\n%41&amp;","c":"${'x'.repeat(100)}"}`;
    expect(redact(text)).toBe(text);
  });

  it('holds every pattern at every place where it begins', () => {
    const alphabet = fc.constantFrom(...'abé𝄞');
    const patterns = fc.array(fc.string({ minLength: 4, maxLength: 9, unit: alphabet }), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(patterns, fc.string({ maxLength: 200, unit: alphabet }), (given, text) => {
        const long = given.filter(({ length }) => length >= 4);
        const wanted =
          [...text].length === 0
            ? []
            : [...Array(text.length).keys()].flatMap((start) => {
                const ends = long
                  .filter((one) => text.startsWith(one, start))
                  .map(({ length }) => start + length);
                return ends.length === 0 ? [] : [{ start, end: Math.max(...ends) }];
              });
        expect(new PatternSet(long).find(text)).toEqual(wanted);
      }),
    );
  });

  it('knows of each character of a layer where it came from', () => {
    const parts = fc.constantFrom(
      'a',
      'bc',
      '%41',
      '%C3%A9',
      '&amp;',
      '&#39;',
      '\\u0041',
      '\\n',
      '\r\n',
      '\n',
    );
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 30 }), (given) => {
        const text = given.join('');
        const layer = unescapeOnce(text);
        if (layer === null) return;
        let at = 0;
        for (let i = 0; i < layer.text.length; i++) {
          const { start, end } = layer.source(i, i + 1);
          expect(start).toBeGreaterThanOrEqual(at);
          expect(unescapeAll(text.slice(start, end), 1)).toBe(layer.text[i]);
          at = end;
        }
      }),
    );
  });

  it('takes as long as it is, whatever it repeats', () => {
    const secret = 'sk_live_0123456789abcdefghijklmnopqrstuvwxyz';
    const search = createSearch([secret])!;
    const cpuOf = (text: string) => {
      search(text);
      const before = process.cpuUsage();
      for (let i = 0; i < 5; i++) search(text);
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    const most = depth(800_000);
    for (const piece of ['sk_live_0123456789abcdefghijklmnopqrstuvwxy', '%25', '\\\\', 'a\n', '&amp;amp;'])
      expect(cpuOf(piece.repeat(most / piece.length)), piece).toBeLessThan(
        24 * cpuOf(piece.repeat(most / 8 / piece.length)) + 50_000,
      );
  });

  it('has so many forms of a secret, each long enough not to be found by chance', () => {
    const plain = formsOf('0123456789abcdefghij', '0123456789abcdefghij');
    const escaped = formsOf('k&y"/+ é=%<>\'012345', 'k&y"/+ é=%<>\'012345');
    for (const form of [...plain, ...escaped]) expect(form.length).toBeGreaterThanOrEqual(8);
    expect(plain.size).toBeLessThan(100);
    expect(escaped.size).toBeLessThan(300);
  });
});
