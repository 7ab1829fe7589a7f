// From a provider's own usage block to TokenUsage. What a block counts in its total differs: at Anthropic and Bedrock the
// cache is outside the input count, at OpenAI inside; Gemini's thoughts are outside the candidates (and in the form of OpenAI in the
// total alone), its tool prompts outside the prompt.
//   U2  What is not a whole number of 0 or more, is missing, or contradicts itself is a problem, never a guess.
import type { Problem, Result } from '../errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { splitIterations, type UsageBlock } from './anthropic-iterations.ts';
import { providerName } from './provider-name.ts';
import { addTokenUsage, type TokenUsage, USAGE_PARTS, type UsageParts } from './usage.ts';
import { UsageCounts, usageProblem } from './usage-counts.ts';
import { KNOWN_NAMES, readerOf, type UsageDraft } from './usage-readers.ts';

/** What is priced by itself: it reaches a tier by its own size. `model` null: the one that answered. */
export interface UsageLine {
  readonly model: string | null;
  readonly usage: TokenUsage;
}

/**
 * The token counts of `usage`, the block as the provider sent it: Anthropic messages, OpenAI chat completions, responses
 * and embeddings (and servers compatible with them), Gemini, Bedrock. Pointers of problems are relative to the block.
 */
export function readUsageLines(provider: string, usage: Json): Result<readonly UsageLine[]> {
  if (!isJsonObject(usage))
    return { ok: false, problems: [usageProblem('', `a usage block is an object, got ${kindOf(usage)}`)] };
  const split: Result<readonly UsageBlock[]> =
    usage.iterations === undefined
      ? { ok: true, value: [{ model: null, block: usage }] }
      : splitIterations(usage);
  if (!split.ok) return split;
  const read = split.value.map(({ model, block }) => ({ model, usage: readBlock(provider, block) }));
  const problems = read.flatMap((one) => (one.usage.ok ? [] : one.usage.problems));
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    value: read.flatMap((one) => (one.usage.ok ? { model: one.model, usage: one.usage.value } : [])),
  };
}

/** `block`: what the lines were read from; thinking is counted for all of its iterations. */
export function sumLines(lines: readonly UsageLine[], block: Json): TokenUsage {
  const sum = lines.map(({ usage }) => usage).reduce(addTokenUsage);
  if (lines.length === 1 || !isJsonObject(block) || !isJsonObject(block.output_tokens_details)) return sum;
  const thinking = block.output_tokens_details.thinking_tokens;
  return { ...sum, reasoningTokens: typeof thinking === 'number' ? thinking : sum.reasoningTokens };
}

function readBlock(provider: string, usage: JsonObject): Result<TokenUsage> {
  const counts = new UsageCounts(usage);
  const read = readerOf(providerName(provider), usage);
  if (read === null) return { ok: false, problems: [usageProblem('', `a usage block has ${KNOWN_NAMES}`)] };
  const draft = read(counts, providerName(provider));
  if (counts.problems.length === 0) counts.problems.push(...contradictions(draft));
  if (counts.problems.length > 0) return { ok: false, problems: counts.problems };
  const { parts = {}, ...totals } = draft;
  return { ok: true, value: { ...totals, ...presentParts(parts) } };
}

function contradictions(usage: UsageDraft): Problem[] {
  const { inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens, reasoningTokens } = usage;
  const problems: Problem[] = [];
  const within = (part: number, what: string, whole: number, of: string) => {
    if (part > whole) problems.push(usageProblem('', `${what} (${part}) are more than ${of} (${whole})`));
  };
  if (!Number.isSafeInteger(inputTokens) || !Number.isSafeInteger(outputTokens))
    problems.push(usageProblem('', 'the counts add up to more than 2^53'));
  within(
    cachedInputTokens + cacheWriteTokens,
    'the tokens read from and written to a cache',
    inputTokens,
    'all input tokens',
  );
  within(reasoningTokens, 'the reasoning tokens', outputTokens, 'all output tokens');
  within(
    (usage.parts?.cacheWrite1h ?? 0) + (usage.parts?.cacheWriteOther ?? 0),
    'the tokens cached for an hour or another time',
    cacheWriteTokens,
    'all written to a cache',
  );
  return problems;
}

function presentParts(parts: NonNullable<UsageDraft['parts']>): { parts?: UsageParts } {
  const present = USAGE_PARTS.filter((part) => parts[part] !== undefined);
  return present.some((part) => parts[part] !== 0)
    ? { parts: Object.fromEntries(present.map((part) => [part, parts[part]])) }
    : {};
}

const kindOf = (value: Json) => (value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value);
