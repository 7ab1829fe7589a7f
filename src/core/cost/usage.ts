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

/** Tokens are already in the totals above; searches are no tokens. */
export const USAGE_PARTS = [
  /** Written to a cache for an hour; part of cacheWriteTokens. */
  'cacheWrite1h',
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
