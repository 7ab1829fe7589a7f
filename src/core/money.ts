// Exact US dollars: decimal strings in and out, big.js in between, never a float on the way.
//   M1  Every amount that leaves is canonical: plain digits, no exponent, no trailing zeros, no "-0".
//   M2  No operation rounds: sums and products keep every digit.
import Big from 'big.js';

/** A canonical decimal string, for example `0.00000213`. */
export type Usd = string;

// Far beyond any price; keeps "1e999999999" from becoming a gigabyte of zeros.
const MAX_INTEGER_DIGITS = 30;
const MAX_DECIMALS = 60;
const MAX_CHARS = 200;
const PER_MILLION = '0.000001';

/**
 * The canonical form of an amount: a decimal string (`"0.50"`, `"2.13e-6"`) or a finite number, which is taken at its
 * shortest decimal form. Throws RangeError on anything else.
 */
export function parseUsd(amount: string | number): Usd {
  return canonical(toBig(amount));
}

/** a + b. */
export function addUsd(a: string | number, b: string | number): Usd {
  return canonical(toBig(a).plus(toBig(b)));
}

/** a - b. */
export function subtractUsd(a: string | number, b: string | number): Usd {
  return canonical(toBig(a).minus(toBig(b)));
}

/** The sum of any number of amounts; `0` of none. */
export function sumUsd(amounts: Iterable<string | number>): Usd {
  let total = new Big(0);
  for (const amount of amounts) total = total.plus(toBig(amount));
  return canonical(total);
}

/** amount x factor, exactly. */
export function multiplyUsd(amount: string | number, factor: string | number): Usd {
  return canonical(toBig(amount).times(toBig(factor)));
}

/** What `tokens` cost at a rate in US dollars per million. Tokens are a whole number, 0 or more; else RangeError. */
export function priceTokens(tokens: number, usdPerMillion: string | number): Usd {
  if (!Number.isSafeInteger(tokens) || tokens < 0)
    throw new RangeError(`a token count must be a whole number of 0 or more, got ${tokens}`);
  return canonical(toBig(usdPerMillion).times(tokens).times(PER_MILLION));
}

/** -1, 0 or 1: a below, equal to, above b. */
export function compareUsd(a: string | number, b: string | number): -1 | 0 | 1 {
  return toBig(a).cmp(toBig(b));
}

function toBig(amount: string | number): Big {
  let value: Big;
  try {
    if (typeof amount !== 'number' && (typeof amount !== 'string' || amount.length > MAX_CHARS))
      throw new RangeError();
    value = new Big(amount);
  } catch {
    throw new RangeError(`an amount in US dollars must be a decimal number, got ${describe(amount)}`);
  }
  if (value.e >= MAX_INTEGER_DIGITS || value.c.length - 1 - value.e > MAX_DECIMALS)
    throw new RangeError(
      `an amount in US dollars may have ${MAX_INTEGER_DIGITS} digits before and ${MAX_DECIMALS} after the point, got ${describe(amount)}`,
    );
  return value;
}

function canonical(value: Big): Usd {
  return value.eq(0) ? '0' : value.toFixed();
}

function describe(amount: unknown): string {
  if (typeof amount === 'number') return String(amount);
  if (typeof amount !== 'string') return amount === null ? 'null' : typeof amount;
  return JSON.stringify(amount.length > 40 ? `${amount.slice(0, 40)}…` : amount);
}
