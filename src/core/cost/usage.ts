// Token counts of one model call, in the field's terms, and what they cost.
import type { Usd } from '../money.ts';

/** Whole numbers of tokens. */
export interface TokenUsage {
  /** All input, what came from a cache and what was written to one included. */
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly cacheWriteTokens: number;
  /** All output, reasoning included. */
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  /** Counts that some models price apart, where the provider reports them. */
  readonly parts?: UsageParts;
}

/** Tokens are already in the totals above; searches and calls are no tokens. */
export const USAGE_PARTS = [
  /** Written to a cache for an hour; part of cacheWriteTokens. */
  'cacheWrite1h',
  /** Written to a cache for a time that no rate is known for; part of cacheWriteTokens. */
  'cacheWriteOther',
  'inputAudio',
  'inputImage',
  'inputVideo',
  'cachedInputAudio',
  'cachedInputImage',
  'cachedInputVideo',
  'outputAudio',
  'outputImage',
  'outputVideo',
  'outputCitation',
  'webSearches',
  /** Calls of tools that the provider runs itself, and sources that it reads: charged beside the tokens. */
  'providerToolCalls',
  /** Of sound that is charged by its length, not by tokens. */
  'audioSeconds',
] as const;
export type UsagePart = (typeof USAGE_PARTS)[number];
export type UsageParts = Readonly<Partial<Record<UsagePart, number>>>;

/** Exact US dollars; null where there is no price. */
export interface PricedUsage {
  readonly inputCostUsd: Usd | null;
  readonly outputCostUsd: Usd | null;
  /** Input, output, and what is charged by the call (searches, a fee). */
  readonly costUsd: Usd | null;
}

export const NO_TOKENS: TokenUsage = {
  inputTokens: 0,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
};

/** Both together, with their parts. */
export function addTokenUsage(a: TokenUsage, b: TokenUsage): TokenUsage {
  const parts = USAGE_PARTS.filter((part) => a.parts?.[part] !== undefined || b.parts?.[part] !== undefined);
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
    cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    reasoningTokens: a.reasoningTokens + b.reasoningTokens,
    ...(parts.length > 0 && {
      parts: Object.fromEntries(parts.map((part) => [part, (a.parts?.[part] ?? 0) + (b.parts?.[part] ?? 0)])),
    }),
  };
}
