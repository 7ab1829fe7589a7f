// What token counts cost at a model's rates: exact products and sums, nothing rounded.
//   C1  Each token is charged once, at the rate of the narrowest kind that it belongs to and that has a rate: a cached token
//       at the cached rate, without one at the input rate.
//   C2  A tier holds for the whole call: its rates replace the others once the call has more input tokens than it says.
//   C3  Tokens of which no rate is known, or whose kind cannot be told from the counts, make the cost null, never less.
//   C4  Audio, and what is kept in a cache for another time than a rate is for, have their own rate or none: in a price list
//       that leaves it out it is not known. An operator's price is for all kinds.
// The same rules as @pydantic/genai-prices, which the rates come from, but for C3 and C4, where the library says 0, throws, or
// takes the wider rate.
import { multiplyUsd, priceTokens, sumUsd, type Usd } from '../money.ts';
import { type PricedUsage, type TokenUsage, USAGE_PARTS, type UsageParts } from './usage.ts';

/** US dollars per million tokens; searches, calls, seconds and `requests` per thousand. Canonical decimals. */
export const RATE_KINDS = [
  'input',
  'cachedInput',
  'cacheWrite',
  'output',
  'reasoning',
  'requests',
  ...USAGE_PARTS,
] as const;
export type RateKind = (typeof RATE_KINDS)[number];
export type Rates = Readonly<Partial<Record<RateKind, Usd>>>;

export interface Tier {
  /** Holds for calls with more input tokens than this. */
  readonly aboveInputTokens: number;
  /** What is different there. */
  readonly rates: Rates;
}

/** What one model costs at one time. */
export interface ModelPrice {
  readonly rates: Rates;
  /** The lowest first. */
  readonly tiers: readonly Tier[];
}

/** What a call costs, or what there is no rate for. */
export type Pricing = PricedUsage & { readonly unpriced: string | null };

export interface PricingOptions {
  /** Of a service class: all rates of tokens times so much; what is charged by the call is not. */
  readonly factor?: Usd;
  /** The price is the operator's, for all kinds: those without a rate of their own cost what wider ones do (C4). */
  readonly coversAllKinds?: boolean;
}

/** The exact cost of one call; null where there is no price (also for a `price` of null: an unknown model). */
export function priceUsage(
  usage: TokenUsage,
  price: ModelPrice | null,
  options: PricingOptions = {},
): PricedUsage {
  const { unpriced: _, ...priced } = explainPricing(usage, price, options);
  return priced;
}

/** As priceUsage, with the reason where it is null. */
export function explainPricing(
  usage: TokenUsage,
  price: ModelPrice | null,
  { factor = '1', coversAllKinds = false }: PricingOptions = {},
): Pricing {
  if (price === null) return { ...UNKNOWN, unpriced: 'the model' };
  const rates = ratesFor(price, usage.inputTokens);
  // A model that is charged by the hour or the page.
  if (rates.input === undefined && rates.output === undefined) return { ...UNKNOWN, unpriced: 'tokens' };
  const parts = [
    priceDirection(INPUT_KINDS, usage, rates, coversAllKinds),
    priceDirection(OUTPUT_KINDS, usage, rates, coversAllKinds),
    priceCall(usage.parts ?? {}, rates),
  ] as const;
  const [input, output, call] = parts.map((part) => ('usd' in part ? part.usd : null));
  const inputCostUsd = input == null ? null : multiplyUsd(input, factor);
  const outputCostUsd = output == null ? null : multiplyUsd(output, factor);
  const isKnown = inputCostUsd !== null && outputCostUsd !== null && call != null;
  return {
    inputCostUsd,
    outputCostUsd,
    costUsd: isKnown ? sumUsd([inputCostUsd, outputCostUsd, call]) : null,
    unpriced:
      parts.map((part) => ('unpriced' in part ? part.unpriced : null)).find((what) => what !== null) ?? null,
  };
}

const UNKNOWN: PricedUsage = { inputCostUsd: null, outputCostUsd: null, costUsd: null };

/** A part of a cost, or what of it has no rate. */
type Part = { readonly usd: Usd } | { readonly unpriced: string };

function ratesFor({ rates, tiers }: ModelPrice, inputTokens: number): Rates {
  let reached = rates;
  for (const tier of tiers) if (inputTokens > tier.aboveInputTokens) reached = { ...reached, ...tier.rates };
  return reached;
}

interface Kind {
  readonly kind: Exclude<RateKind, 'requests' | keyof typeof BY_THE_CALL>;
  /** What its tokens are, beyond input or output: kinds with more marks are narrower. */
  readonly marks: readonly string[];
  /** Undefined: not reported. */
  readonly count: (usage: TokenUsage) => number | undefined;
}

// The narrowest first. A kind that is not reported counts as 0 unless a wider one could hide it.
const INPUT_KINDS: readonly Kind[] = [
  { kind: 'cacheWrite1h', marks: ['write', '1h'], count: ({ parts }) => parts?.cacheWrite1h },
  { kind: 'cacheWriteOther', marks: ['write', 'other'], count: ({ parts }) => parts?.cacheWriteOther },
  { kind: 'cachedInputAudio', marks: ['read', 'audio'], count: ({ parts }) => parts?.cachedInputAudio },
  { kind: 'cachedInputImage', marks: ['read', 'image'], count: ({ parts }) => parts?.cachedInputImage },
  { kind: 'cachedInputVideo', marks: ['read', 'video'], count: ({ parts }) => parts?.cachedInputVideo },
  { kind: 'cachedInput', marks: ['read'], count: (usage) => usage.cachedInputTokens },
  { kind: 'cacheWrite', marks: ['write'], count: (usage) => usage.cacheWriteTokens },
  { kind: 'inputAudio', marks: ['audio'], count: ({ parts }) => parts?.inputAudio },
  { kind: 'inputImage', marks: ['image'], count: ({ parts }) => parts?.inputImage },
  { kind: 'inputVideo', marks: ['video'], count: ({ parts }) => parts?.inputVideo },
  { kind: 'input', marks: [], count: (usage) => usage.inputTokens },
];
const OUTPUT_KINDS: readonly Kind[] = [
  { kind: 'reasoning', marks: ['reasoning'], count: (usage) => usage.reasoningTokens },
  { kind: 'outputCitation', marks: ['citation'], count: ({ parts }) => parts?.outputCitation },
  { kind: 'outputAudio', marks: ['audio'], count: ({ parts }) => parts?.outputAudio },
  { kind: 'outputImage', marks: ['image'], count: ({ parts }) => parts?.outputImage },
  { kind: 'outputVideo', marks: ['video'], count: ({ parts }) => parts?.outputVideo },
  { kind: 'output', marks: [], count: (usage) => usage.outputTokens },
];

/** C4, with how messages name them. */
const APART: Readonly<Partial<Record<Kind['kind'], string>>> = {
  cacheWrite1h: "an hour's cache",
  cacheWriteOther: 'a cache of this duration',
  inputAudio: 'audio input',
  cachedInputAudio: 'audio from a cache',
  outputAudio: 'audio output',
};

function priceDirection(
  kinds: readonly Kind[],
  usage: TokenUsage,
  rates: Rates,
  coversAllKinds: boolean,
): Part {
  const apart = kinds.find(
    (one) => APART[one.kind] !== undefined && rates[one.kind] === undefined && (one.count(usage) ?? 0) > 0,
  );
  if (apart !== undefined && !coversAllKinds && !hasNoWriteRate(apart, rates))
    return { unpriced: APART[apart.kind]! };
  const rated = kinds.filter(({ kind, marks }) => rates[kind] !== undefined || marks.length === 0);
  const own = new Map<Kind, number>();
  for (const kind of rated) {
    const narrower = rated.filter(
      (other) => other !== kind && kind.marks.every((mark) => other.marks.includes(mark)),
    );
    const count = kind.count(usage);
    if (count === undefined && isHidden(kind, rated, usage))
      return { unpriced: `${kind.kind}, which is not counted` };
    const left = (count ?? 0) - narrower.reduce((sum, other) => sum + own.get(other)!, 0);
    if (left < 0) return { unpriced: `${kind.kind}, of which parts are more than the whole` };
    own.set(kind, left);
  }
  const costs: Usd[] = [];
  for (const [{ kind }, tokens] of own) {
    const rate = rates[kind];
    if (rate !== undefined) costs.push(priceTokens(tokens, rate));
    else if (tokens > 0) return { unpriced: kind };
  }
  return { usd: sumUsd(costs) };
}

// Where writing costs nothing beside the input, it costs that for any time.
const hasNoWriteRate = (kind: Kind, rates: Rates) =>
  kind.marks[0] === 'write' && rates.cacheWrite === undefined && rates.cacheWrite1h === undefined;

// Audio that came from a cache, where only all audio and all that came from a cache were counted: it cannot be told.
function isHidden(kind: Kind, rated: readonly Kind[], usage: TokenUsage): boolean {
  const wider = rated.filter(
    (other) => other.marks.length === 1 && kind.marks.length > 1 && kind.marks.includes(other.marks[0]!),
  );
  return wider.length > 1 && wider.every((other) => (other.count(usage) ?? 0) > 0);
}

/** What is counted beside the tokens, with how messages name it. */
const BY_THE_CALL = {
  webSearches: 'web searches',
  providerToolCalls: "calls of the provider's own tools",
  audioSeconds: 'seconds of audio',
} as const;
const CALL_KINDS = Object.keys(BY_THE_CALL) as (keyof typeof BY_THE_CALL)[];

function priceCall(parts: UsageParts, rates: Rates): Part {
  const missing = CALL_KINDS.find((kind) => (parts[kind] ?? 0) > 0 && rates[kind] === undefined);
  if (missing !== undefined) return { unpriced: BY_THE_CALL[missing] };
  const fees = CALL_KINDS.map((kind) => perThousand(parts[kind] ?? 0, rates[kind] ?? '0'));
  return { usd: sumUsd([...fees, perThousand(1, rates.requests ?? '0')]) };
}

const perThousand = (count: number, usd: Usd) => multiplyUsd(multiplyUsd(usd, count), '0.001');
