// From a provider's own usage block to TokenUsage. What a block counts in its total differs: at Anthropic and Bedrock the
// cache is outside the input count, at OpenAI inside; Gemini's thoughts are outside the candidates, its tool prompts outside
// the prompt.
//   U1  A block is read by its field names; the provider decides only where names mean two things.
//   U2  What is not a whole number of 0 or more, is missing, or contradicts itself is a problem, never a guess.
import type { Problem, Result } from '../errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { providerName } from './provider-name.ts';
import { type TokenUsage, USAGE_PARTS, type UsagePart, type UsageParts } from './usage.ts';

type Draft = Omit<TokenUsage, 'parts'> & { readonly parts?: Partial<Record<UsagePart, number | undefined>> };

/**
 * The token counts of `usage`, the block as the provider sent it: Anthropic messages, OpenAI chat completions, responses
 * and embeddings (and servers compatible with them), Gemini, Bedrock. Pointers of problems are relative to the block.
 */
export function tokenUsageOf(provider: string, usage: Json): Result<TokenUsage> {
  if (!isJsonObject(usage))
    return { ok: false, problems: [problem('', `a usage block is an object, got ${kindOf(usage)}`)] };
  const counts = new Counts(usage);
  const read = readerOf(providerName(provider), usage);
  if (read === null) return { ok: false, problems: [problem('', `a usage block has ${KNOWN_NAMES}`)] };
  const draft = read(counts, providerName(provider));
  if (counts.problems.length === 0) counts.problems.push(...contradictions(draft));
  if (counts.problems.length > 0) return { ok: false, problems: counts.problems };
  const { parts = {}, ...totals } = draft;
  return { ok: true, value: { ...totals, ...presentParts(parts) } };
}

const KNOWN_NAMES =
  'token counts: input_tokens and output_tokens, prompt_tokens and completion_tokens, promptTokenCount and candidatesTokenCount, or inputTokens and outputTokens';

type Reader = (counts: Counts, provider: string) => Draft;

function readerOf(provider: string, usage: JsonObject): Reader | null {
  const has = (...names: string[]) => names.some((name) => (usage[name] ?? null) !== null);
  if (has('promptTokenCount', 'candidatesTokenCount', 'thoughtsTokenCount', 'totalTokenCount'))
    return readGemini;
  if (has('prompt_tokens')) return readChat;
  if (has('input_tokens'))
    return provider === 'anthropic' ||
      has('cache_read_input_tokens', 'cache_creation_input_tokens', 'cache_creation')
      ? readAnthropic
      : readResponses;
  if (has('inputTokens'))
    return has('cachedInputTokens', 'cacheWriteTokens', 'reasoningTokens') ? readOwn : readConverse;
  // Embeddings of some providers count nothing else.
  if (has('total_tokens')) return (counts) => ({ ...NONE, inputTokens: counts.need('total_tokens') });
  return null;
}

const NONE = { cachedInputTokens: 0, cacheWriteTokens: 0, outputTokens: 0, reasoningTokens: 0 };

const readAnthropic: Reader = (counts) => {
  const shortLived = counts.find('cache_creation', 'ephemeral_5m_input_tokens');
  const longLived = counts.find('cache_creation', 'ephemeral_1h_input_tokens');
  const cachedInputTokens = counts.get('cache_read_input_tokens');
  const cacheWriteTokens = counts.find('cache_creation_input_tokens') ?? (shortLived ?? 0) + (longLived ?? 0);
  return {
    inputTokens: counts.need('input_tokens') + cachedInputTokens + cacheWriteTokens,
    cachedInputTokens,
    cacheWriteTokens,
    outputTokens: counts.need('output_tokens'),
    reasoningTokens: counts.get('output_tokens_details', 'thinking_tokens'),
    parts: { cacheWrite1h: longLived, webSearches: counts.find('server_tool_use', 'web_search_requests') },
  };
};

const readResponses: Reader = (counts) => ({
  inputTokens: counts.need('input_tokens'),
  cachedInputTokens: counts.get('input_tokens_details', 'cached_tokens'),
  cacheWriteTokens: counts.get('input_tokens_details', 'cache_write_tokens'),
  outputTokens: counts.need('output_tokens'),
  reasoningTokens: counts.get('output_tokens_details', 'reasoning_tokens'),
  parts: {
    inputAudio: counts.find('input_tokens_details', 'audio_tokens'),
    inputImage: counts.find('input_tokens_details', 'image_tokens'),
    outputAudio: counts.find('output_tokens_details', 'audio_tokens'),
    outputImage: counts.find('output_tokens_details', 'image_tokens'),
  },
});

const readChat: Reader = (counts, provider) => {
  const inputTokens = counts.need('prompt_tokens');
  const total = counts.find('total_tokens');
  // Embeddings have no completion; anything else whose total says that there was one must count it.
  const completion =
    total === undefined || total === inputTokens
      ? counts.get('completion_tokens')
      : counts.need('completion_tokens');
  const reasoningTokens =
    counts.find('completion_tokens_details', 'reasoning_tokens') ?? counts.get('reasoning_tokens');
  const citations = provider === 'perplexity' ? counts.find('citation_tokens') : undefined;
  // Inside the completion almost everywhere; the total tells.
  const isOutside =
    provider === 'perplexity' ||
    (total === undefined ? provider === 'x-ai' : total === inputTokens + completion + reasoningTokens);
  return {
    inputTokens,
    cachedInputTokens:
      counts.find('prompt_tokens_details', 'cached_tokens') ??
      counts.find('prompt_cache_hit_tokens') ??
      counts.find('cached_prompt_text_tokens') ??
      counts.get('cached_tokens'),
    cacheWriteTokens: counts.get('prompt_tokens_details', 'cache_write_tokens'),
    outputTokens: completion + (isOutside ? reasoningTokens : 0) + (citations ?? 0),
    reasoningTokens,
    parts: {
      inputAudio: counts.find('prompt_tokens_details', 'audio_tokens'),
      outputAudio: counts.find('completion_tokens_details', 'audio_tokens'),
      outputCitation: citations,
      webSearches: counts.find('num_search_queries'),
    },
  };
};

// Gemini leaves out what is 0. Documents are counted as images.
const readGemini: Reader = (counts) => {
  const thoughts = counts.get('thoughtsTokenCount');
  const modality = (lists: readonly string[], ...names: string[]) =>
    lists
      .map((list) => counts.ofModality(list, names))
      .reduce((a, b) => (a === undefined ? b : a + (b ?? 0)));
  const input = ['promptTokensDetails', 'toolUsePromptTokensDetails'];
  return {
    inputTokens: counts.get('promptTokenCount') + counts.get('toolUsePromptTokenCount'),
    cachedInputTokens: counts.get('cachedContentTokenCount'),
    cacheWriteTokens: 0,
    outputTokens: counts.get('candidatesTokenCount') + thoughts,
    reasoningTokens: thoughts,
    parts: {
      inputAudio: modality(input, 'AUDIO'),
      inputImage: modality(input, 'IMAGE', 'DOCUMENT'),
      inputVideo: modality(input, 'VIDEO'),
      cachedInputAudio: modality(['cacheTokensDetails'], 'AUDIO'),
      cachedInputImage: modality(['cacheTokensDetails'], 'IMAGE', 'DOCUMENT'),
      cachedInputVideo: modality(['cacheTokensDetails'], 'VIDEO'),
      outputAudio: modality(['candidatesTokensDetails'], 'AUDIO'),
      outputImage: modality(['candidatesTokensDetails'], 'IMAGE', 'DOCUMENT'),
      outputVideo: modality(['candidatesTokensDetails'], 'VIDEO'),
    },
  };
};

const readConverse: Reader = (counts) => {
  const cachedInputTokens = counts.get('cacheReadInputTokens');
  const cacheWriteTokens = counts.get('cacheWriteInputTokens');
  return {
    inputTokens: counts.need('inputTokens') + cachedInputTokens + cacheWriteTokens,
    cachedInputTokens,
    cacheWriteTokens,
    outputTokens: counts.need('outputTokens'),
    reasoningTokens: 0,
  };
};

// TokenUsage itself, as task outputs and resource_usage have it.
const readOwn: Reader = (counts) => ({
  inputTokens: counts.need('inputTokens'),
  cachedInputTokens: counts.get('cachedInputTokens'),
  cacheWriteTokens: counts.get('cacheWriteTokens'),
  outputTokens: counts.need('outputTokens'),
  reasoningTokens: counts.get('reasoningTokens'),
});

/** Reads counts of one block and collects what is wrong with them. */
class Counts {
  readonly problems: Problem[] = [];
  readonly #block: JsonObject;

  constructor(block: JsonObject) {
    this.#block = block;
  }

  /** Undefined where it is absent or null. */
  find(...path: readonly string[]): number | undefined {
    let value: Json | undefined = this.#block;
    for (const name of path) {
      if (!isJsonObject(value)) return undefined;
      value = Object.hasOwn(value, name) ? value[name] : undefined;
    }
    return this.#whole(value, `/${path.join('/')}`);
  }

  /** 0 where it is absent. */
  get(...path: readonly string[]): number {
    return this.find(...path) ?? 0;
  }

  need(name: string): number {
    const count = this.find(name);
    if (count === undefined && !this.problems.some(({ pointer }) => pointer === `/${name}`))
      this.problems.push(problem(`/${name}`, `${name} is missing from this usage block`));
    return count ?? 0;
  }

  /** Of a list `[{ modality, tokenCount }]`; undefined without the list. */
  ofModality(list: string, names: readonly string[]): number | undefined {
    const entries = Object.hasOwn(this.#block, list) ? this.#block[list] : undefined;
    if (!Array.isArray(entries)) return undefined;
    let sum = 0;
    (entries as readonly Json[]).forEach((entry, i) => {
      if (isJsonObject(entry) && names.includes(String(entry.modality)))
        sum += this.#whole(entry.tokenCount, `/${list}/${i}/tokenCount`) ?? 0;
    });
    return sum;
  }

  #whole(value: Json | undefined, pointer: string): number | undefined {
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    this.problems.push(
      problem(
        pointer,
        `a token count is a whole number of 0 or more, got ${JSON.stringify(value).slice(0, 40)}`,
      ),
    );
    return undefined;
  }
}

function contradictions(usage: Draft): Problem[] {
  const { inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens, reasoningTokens } = usage;
  const problems: Problem[] = [];
  const within = (part: number, what: string, whole: number, of: string) => {
    if (part > whole) problems.push(problem('', `${what} (${part}) are more than ${of} (${whole})`));
  };
  if (!Number.isSafeInteger(inputTokens) || !Number.isSafeInteger(outputTokens))
    problems.push(problem('', 'the counts add up to more than 2^53'));
  within(
    cachedInputTokens + cacheWriteTokens,
    'the tokens read from and written to a cache',
    inputTokens,
    'all input tokens',
  );
  within(reasoningTokens, 'the reasoning tokens', outputTokens, 'all output tokens');
  within(
    usage.parts?.cacheWrite1h ?? 0,
    'the tokens cached for an hour',
    cacheWriteTokens,
    'all written to a cache',
  );
  return problems;
}

function presentParts(parts: NonNullable<Draft['parts']>): { parts?: UsageParts } {
  const present = USAGE_PARTS.filter((part) => parts[part] !== undefined);
  return present.some((part) => parts[part] !== 0)
    ? { parts: Object.fromEntries(present.map((part) => [part, parts[part]])) }
    : {};
}

const problem = (pointer: string, message: string): Problem => ({ pointer, code: 'validation', message });

const kindOf = (value: Json) => (value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value);
