// The one place that everything printed goes through.
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPainter, table } from '../../src/cli/output/terminal.ts';
import { indented, oneLine, printed, withSafeOutput } from '../../src/cli/safe-output.ts';

const CONTROLS = /(?!\n)\p{Cc}|\p{Bidi_Control}|[\u2028\u2029]/u;
const text = fc.string({
  maxLength: 60,
  unit: fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    fc.integer({ min: 0, max: 0x9f }).map((code) => String.fromCharCode(code)),
    fc.constantFrom(
      '\u001b[31m',
      '\u001b[2J',
      '\u001b]8;;http://x\u0007',
      '\u202e',
      '\u2066',
      '\u061c',
      '\u2028',
      '\r\n',
      '[',
      ';1',
      'm',
    ),
  ),
});
const paint = createPainter(true);

describe('what is printed', () => {
  it('holds of control characters the line feed only, and is otherwise the same', () => {
    fc.assert(
      fc.property(text, (given) => {
        const shown = printed(given);
        expect(shown).not.toMatch(CONTROLS);
        if (!CONTROLS.test(given)) expect(shown).toBe(given);
        expect(oneLine(given)).toBe(shown.replaceAll('\n', '\\n'));
        expect(printed(shown)).toBe(shown);
      }),
    );
  });

  it('is the same value where it is JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: text as never }), (value) => {
        for (const json of [JSON.stringify(value), JSON.stringify(value, null, 2)])
          expect(JSON.parse(printed(json))).toEqual(JSON.parse(json));
      }),
    );
  });

  it('has the colours of this process, around whatever they stand', () => {
    fc.assert(
      fc.property(text, (given) => {
        expect(printed(paint('red', given))).toBe(`\u001b[31m${printed(given)}\u001b[39m`);
        expect(printed(paint('gray', paint('bold', given)))).toBe(
          `\u001b[90m\u001b[1m${printed(given)}\u001b[22m\u001b[39m`,
        );
      }),
    );
    expect(createPainter(false)('red', 'x')).toBe('x');
  });

  it('has its columns in line, each row on one', () => {
    const rows = printed(
      table([
        ['\u001b[2J', 'b'],
        [paint('green', 'a\nb'), 'b'],
        ['日本', paint('bold', 'b')],
      ]),
    ).split('\n');
    expect(rows).toEqual([
      '\\u001b[2J  b',
      '\u001b[32ma\\nb\u001b[39m       b',
      '日本       \u001b[1mb\u001b[22m',
    ]);
    expect(indented('a\nerror: b')).toBe('a\n  error: b');
  });

  it('goes to the streams of the process, which are asked what they are at that moment', () => {
    const written: string[] = [];
    const stdout = { write: (given: string) => void written.push(given), isTTY: true, rows: 40 };
    const stderr = Object.assign(new PassThrough(), { isTTY: false });
    const io = withSafeOutput({ stdout, stderr } as never);
    io.stdout.write('a\u001b[31m\n');
    stdout.rows = 50;
    expect([written, io.stdout.isTTY, io.stdout.rows, io.stderr.isTTY]).toEqual([
      ['a\\u001b[31m\n'],
      true,
      50,
      false,
    ]);
  });
});
