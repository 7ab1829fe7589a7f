import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addUsd, compareUsd, multiplyUsd, parseUsd, priceTokens, sumUsd } from '../../src/core/money.ts';

describe('parseUsd', () => {
  test.each([
    ['0.00000213', '0.00000213'],
    ['2.13e-6', '0.00000213'],
    [2.13e-6, '0.00000213'],
    [1e-7, '0.0000001'],
    ['0.50', '0.5'],
    ['-0', '0'],
    [-0, '0'],
    ['0.000', '0'],
    ['-1.250', '-1.25'],
    ['1e21', '1000000000000000000000'],
    ['007.10', '7.1'],
    ['123456789012345678901234.000000000000000001', '123456789012345678901234.000000000000000001'],
  ])('takes %j as %s', (amount, canonical) => {
    expect(parseUsd(amount)).toBe(canonical);
  });

  test.each([
    '',
    ' ',
    'abc',
    '1,5',
    '$1',
    '0x10',
    '1_000',
    'NaN',
    'Infinity',
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '1 ',
    '--1',
  ])('refuses %j', (amount) => {
    expect(() => parseUsd(amount)).toThrow(/an amount in US dollars must be a decimal number/);
  });

  test.each([null, undefined, {}, [], true, 10n])('refuses the type of %s', (amount) => {
    expect(() => parseUsd(amount as unknown as string)).toThrow(RangeError);
  });

  test.each(['1e999999999', '1e-999999999', '1e31', '1e-61', '9'.repeat(1000), 1e300])(
    'refuses %s instead of writing its zeros',
    (amount) => {
      expect(() => parseUsd(amount)).toThrow(RangeError);
    },
  );
});

describe('arithmetic', () => {
  test('0.1 + 0.2 is 0.3', () => {
    expect(addUsd('0.1', '0.2')).toBe('0.3');
    expect(addUsd(0.1, 0.2)).toBe('0.3');
  });

  test('a sum of no amounts is 0', () => {
    expect(sumUsd([])).toBe('0');
  });

  test.each([
    [1, '2.13', '0.00000213'],
    [1_000_000, '2.13', '2.13'],
    [0, '3', '0'],
    [7, '0.075', '0.000000525'],
    [Number.MAX_SAFE_INTEGER, '15', '135107988821.114865'],
  ])('%d tokens at %s per million cost %s', (tokens, rate, cost) => {
    expect(priceTokens(tokens, rate)).toBe(cost);
  });

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('refuses %d tokens', (tokens) => {
    expect(() => priceTokens(tokens, '1')).toThrow(/whole number/);
  });
});

// Amounts as whole numbers of 10^-12 dollars: what exact arithmetic has to agree with.
const picoUsd = fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n });
const toDecimal = (pico: bigint): string => {
  const digits = (pico < 0n ? -pico : pico).toString().padStart(13, '0');
  return `${pico < 0n ? '-' : ''}${digits.slice(0, -12)}.${digits.slice(-12)}`;
};

describe('properties', () => {
  test('addition agrees with whole numbers', () => {
    fc.assert(
      fc.property(picoUsd, picoUsd, (a, b) => {
        expect(addUsd(toDecimal(a), toDecimal(b))).toBe(parseUsd(toDecimal(a + b)));
      }),
    );
  });

  test('a sum does not depend on the order', () => {
    fc.assert(
      fc.property(fc.array(picoUsd), (amounts) => {
        const written = amounts.map(toDecimal);
        expect(sumUsd(written)).toBe(sumUsd(written.toReversed()));
        expect(sumUsd(written)).toBe(parseUsd(toDecimal(amounts.reduce((a, b) => a + b, 0n))));
      }),
    );
  });

  test('pricing n tokens is n times pricing one', () => {
    fc.assert(
      fc.property(fc.nat(), picoUsd, (tokens, rate) => {
        expect(priceTokens(tokens, toDecimal(rate))).toBe(
          multiplyUsd(priceTokens(1, toDecimal(rate)), tokens),
        );
      }),
    );
  });

  test('the canonical form has no exponent, no trailing zeros, and is its own canonical form', () => {
    fc.assert(
      fc.property(picoUsd, fc.constantFrom('', 'e-9', 'e3'), (pico, exponent) => {
        const canonical = parseUsd(toDecimal(pico) + exponent);
        expect(canonical).toMatch(/^(0|-?(0|[1-9]\d*)(\.\d*[1-9])?)$/);
        expect(parseUsd(canonical)).toBe(canonical);
      }),
    );
  });

  test('compareUsd orders as whole numbers do', () => {
    fc.assert(
      fc.property(picoUsd, picoUsd, (a, b) => {
        expect(compareUsd(toDecimal(a), toDecimal(b))).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
  });
});
