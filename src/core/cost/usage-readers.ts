// The readers of usage blocks, one for each way in which providers count.
//   U1  A block is read by its field names; the provider decides only where names mean two things.
import type { JsonObject } from '../json.ts';
import type { TokenUsage, UsagePart } from './usage.ts';
import type { UsageCounts } from './usage-counts.ts';

/** Counts as a block has them, not yet compared. */
export type UsageDraft = Omit<TokenUsage, 'parts'> & {
  readonly parts?: Partial<Record<UsagePart, number | undefined>>;
};

export const KNOWN_NAMES =
  'token counts: input_tokens and output_tokens, prompt_tokens and completion_tokens, promptTokenCount and candidatesTokenCount, or inputTokens and outputTokens';

export type UsageReader = (counts: UsageCounts, provider: string) => UsageDraft;

/** Null: no block of any kind that is known. */
export function readerOf(provider: string, usage: JsonObject): UsageReader | null {
  const has = (...names: string[]) => names.some((name) => (usage[name] ?? null) !== null);
  if (has('promptTokenCount', 'candidatesTokenCount', 'thoughtsTokenCount', 'totalTokenCount'))
    return readGemini;
  if (has('prompt_tokens', 'completion_tokens')) return readChat;
  if (has('input_tokens', 'output_tokens'))
    return provider === 'anthropic' ||
      has('cache_read_input_tokens', 'cache_creation_input_tokens', 'cache_creation')
      ? readAnthropic
      : readResponses;
  if (has('inputTokens', 'outputTokens'))
    return has('cachedInputTokens', 'cacheWriteTokens', 'reasoningTokens') ? readOwn : readConverse;
  // Embeddings of some providers count nothing else.
  if (has('total_tokens')) return (counts) => ({ ...NONE, inputTokens: counts.need('total_tokens') });
  return null;
}

const NONE = { cachedInputTokens: 0, cacheWriteTokens: 0, outputTokens: 0, reasoningTokens: 0 };

const SHORT_AND_LONG = ['ephemeral_5m_input_tokens', 'ephemeral_1h_input_tokens'];

const readAnthropic: UsageReader = (counts) => {
  const shortLived = counts.find('cache_creation', 'ephemeral_5m_input_tokens');
  const longLived = counts.find('cache_creation', 'ephemeral_1h_input_tokens');
  const cachedInputTokens = counts.get('cache_read_input_tokens');
  const otherLived = counts.othersOf('cache_creation', SHORT_AND_LONG);
  const cacheWriteTokens =
    counts.find('cache_creation_input_tokens') ?? (shortLived ?? 0) + (longLived ?? 0) + (otherLived ?? 0);
  return {
    inputTokens: counts.need('input_tokens') + cachedInputTokens + cacheWriteTokens,
    cachedInputTokens,
    cacheWriteTokens,
    outputTokens: counts.need('output_tokens'),
    reasoningTokens: counts.get('output_tokens_details', 'thinking_tokens'),
    parts: {
      cacheWrite1h: longLived,
      cacheWriteOther: otherLived,
      webSearches: counts.find('server_tool_use', 'web_search_requests'),
    },
  };
};

const readResponses: UsageReader = (counts) => {
  const inputTokens = counts.need('input_tokens');
  const output = counts.need('output_tokens');
  const reasoningTokens = counts.get('output_tokens_details', 'reasoning_tokens');
  const isOutside = counts.find('total_tokens') === inputTokens + output + reasoningTokens;
  return {
    inputTokens,
    cachedInputTokens: counts.get('input_tokens_details', 'cached_tokens'),
    cacheWriteTokens: counts.get('input_tokens_details', 'cache_write_tokens'),
    outputTokens: output + (isOutside ? reasoningTokens : 0),
    reasoningTokens,
    parts: {
      cacheWriteOther: counts.find('input_tokens_details', ...HALF_A_DAY),
      inputAudio: counts.find('input_tokens_details', 'audio_tokens'),
      inputImage: counts.find('input_tokens_details', 'image_tokens'),
      outputAudio: counts.find('output_tokens_details', 'audio_tokens'),
      outputImage: counts.find('output_tokens_details', 'image_tokens'),
      providerToolCalls: counts.sum(...PROVIDER_TOOL_CALLS),
    },
  };
};

/** Of OpenAI, whose one rate for writing is for half an hour. */
const HALF_A_DAY = ['cache_write_tokens_details', 'ttl_12h_tokens'];
/** Of xAI: calls of its own tools, and sources that its live search read. */
const PROVIDER_TOOL_CALLS = ['num_server_side_tools_used', 'num_sources_used'];

const readChat: UsageReader = (counts, provider) => {
  const inputTokens = counts.need('prompt_tokens');
  const total = counts.find('total_tokens');
  const isGoogle = provider === 'google';
  // Embeddings have no completion, as their total says; anything else must count it, but Google, which leaves out what is 0.
  const completion =
    total !== undefined && (total === inputTokens || isGoogle)
      ? counts.get('completion_tokens')
      : counts.need('completion_tokens');
  // Google's thoughts stand in the total alone (usageMetadata has them apart), and are paid as output.
  const uncounted = isGoogle ? Math.max(0, (total ?? 0) - inputTokens - completion) : 0;
  const reasoningTokens =
    counts.find('completion_tokens_details', 'reasoning_tokens') ??
    counts.find('reasoning_tokens') ??
    uncounted;
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
    outputTokens: completion + (uncounted || (isOutside ? reasoningTokens : 0)) + (citations ?? 0),
    reasoningTokens,
    parts: {
      cacheWriteOther: counts.find('prompt_tokens_details', ...HALF_A_DAY),
      inputAudio: counts.find('prompt_tokens_details', 'audio_tokens'),
      outputAudio: counts.find('completion_tokens_details', 'audio_tokens'),
      outputCitation: citations,
      webSearches: counts.find('num_search_queries'),
      audioSeconds: counts.find('prompt_audio_seconds'),
      providerToolCalls: counts.sum(...PROVIDER_TOOL_CALLS),
    },
  };
};

// Gemini leaves out what is 0, so that only its total tells what is missing. Documents are counted as images.
const readGemini: UsageReader = (counts) => {
  const thoughts = counts.get('thoughtsTokenCount');
  const prompt = counts.get('promptTokenCount') + counts.get('toolUsePromptTokenCount');
  const output = counts.get('candidatesTokenCount') + thoughts;
  if ((counts.find('totalTokenCount') ?? 0) > prompt + output)
    for (const name of ['promptTokenCount', 'candidatesTokenCount']) if (!counts.has(name)) counts.miss(name);
  const modality = (lists: readonly string[], ...names: string[]) =>
    lists
      .map((list) => counts.ofModality(list, names))
      .reduce((a, b) => (a === undefined ? b : a + (b ?? 0)));
  const input = ['promptTokensDetails', 'toolUsePromptTokensDetails'];
  return {
    inputTokens: prompt,
    cachedInputTokens: counts.get('cachedContentTokenCount'),
    cacheWriteTokens: 0,
    outputTokens: output,
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

const readConverse: UsageReader = (counts) => {
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
const readOwn: UsageReader = (counts) => ({
  inputTokens: counts.need('inputTokens'),
  cachedInputTokens: counts.get('cachedInputTokens'),
  cacheWriteTokens: counts.get('cacheWriteTokens'),
  outputTokens: counts.need('outputTokens'),
  reasoningTokens: counts.get('reasoningTokens'),
});
