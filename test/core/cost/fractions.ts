// Exact decimals by other means than the code under test: whole numbers over a power of ten.

export interface Fraction {
  readonly n: bigint;
  /** Digits after the point. */
  readonly scale: number;
}

export const ZERO: Fraction = { n: 0n, scale: 0 };

export function fraction(text: string): Fraction {
  const [, sign, whole, digits = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/.exec(text)!;
  const n = BigInt(`${whole}${digits}`) * (sign === '-' ? -1n : 1n);
  const scale = digits.length - Number(exponent);
  return scale >= 0 ? { n, scale } : { n: n * 10n ** BigInt(-scale), scale: 0 };
}

export function add(a: Fraction, b: Fraction): Fraction {
  const scale = Math.max(a.scale, b.scale);
  return { n: a.n * 10n ** BigInt(scale - a.scale) + b.n * 10n ** BigInt(scale - b.scale), scale };
}

export const times = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.n, scale: a.scale + b.scale });

/** Tokens at US dollars per million. */
export const tokensAt = (tokens: number, usdPerMillion: string | number): Fraction =>
  times(times(fraction(String(tokens)), fraction(String(usdPerMillion))), { n: 1n, scale: 6 });

/** Plain digits without trailing zeros. */
export function decimal({ n, scale }: Fraction): string {
  const digits = String(n < 0n ? -n : n).padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  const rest = digits.slice(digits.length - scale).replace(/0+$/, '');
  return `${n < 0n ? '-' : ''}${whole}${rest === '' ? '' : `.${rest}`}`;
}
