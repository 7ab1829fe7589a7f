// Usage blocks of providers, as they send them.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TokenUsage } from '../../../src/core/cost/usage.ts';
import type { Json } from '../../../src/core/json.ts';
import { depth } from '../../support/depth.ts';
import { tokenUsageOf } from '../../support/token-usage.ts';

const usage = (counts: Partial<TokenUsage>): TokenUsage => ({
  inputTokens: 0,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  ...counts,
});

test.each<[string, string, Json, Partial<TokenUsage>]>([
  [
    'Anthropic counts its cache outside the input',
    'anthropic',
    { input_tokens: 6, cache_creation_input_tokens: 3337, cache_read_input_tokens: 6289, output_tokens: 198 },
    { inputTokens: 9632, cachedInputTokens: 6289, cacheWriteTokens: 3337, outputTokens: 198 },
  ],
  [
    "Anthropic's cache of an hour and its searches are told apart",
    'anthropic',
    {
      input_tokens: 1,
      cache_creation_input_tokens: 30,
      cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
      cache_read_input_tokens: null,
      output_tokens: 5,
      output_tokens_details: { thinking_tokens: 4 },
      server_tool_use: { web_search_requests: 2 },
    },
    {
      inputTokens: 31,
      cacheWriteTokens: 30,
      outputTokens: 5,
      reasoningTokens: 4,
      parts: { cacheWrite1h: 20, webSearches: 2 },
    },
  ],
  [
    'Anthropic by another provider is read by its field names',
    'my-proxy',
    { input_tokens: 1, cache_read_input_tokens: 9, output_tokens: 5 },
    { inputTokens: 10, cachedInputTokens: 9, outputTokens: 5 },
  ],
  [
    'OpenAI chat completions count their cache inside the input',
    'openai',
    {
      prompt_tokens: 16,
      completion_tokens: 363,
      total_tokens: 379,
      prompt_tokens_details: { cached_tokens: 10, audio_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 300, audio_tokens: 0 },
    },
    { inputTokens: 16, cachedInputTokens: 10, outputTokens: 363, reasoningTokens: 300 },
  ],
  [
    'OpenAI responses',
    'openai',
    {
      input_tokens: 7243,
      input_tokens_details: { cached_tokens: 3072 },
      output_tokens: 423,
      output_tokens_details: { reasoning_tokens: 58 },
      total_tokens: 7666,
    },
    { inputTokens: 7243, cachedInputTokens: 3072, outputTokens: 423, reasoningTokens: 58 },
  ],
  ['OpenAI embeddings', 'openai', { prompt_tokens: 12, total_tokens: 12 }, { inputTokens: 12 }],
  ['embeddings that count a total only', 'voyageai', { total_tokens: 12 }, { inputTokens: 12 }],
  [
    "DeepSeek's cache",
    'deepseek',
    { prompt_tokens: 10, completion_tokens: 2, prompt_cache_hit_tokens: 8, prompt_cache_miss_tokens: 2 },
    { inputTokens: 10, cachedInputTokens: 8, outputTokens: 2 },
  ],
  [
    'reasoning that the total shows to be outside the completion is added',
    'x-ai',
    {
      prompt_tokens: 10,
      completion_tokens: 2,
      total_tokens: 20,
      completion_tokens_details: { reasoning_tokens: 8 },
    },
    { inputTokens: 10, outputTokens: 10, reasoningTokens: 8 },
  ],
  [
    "Google's answers in the form of OpenAI have their thoughts in the total alone",
    'gemini',
    { prompt_tokens: 758, completion_tokens: 102, total_tokens: 1725 },
    { inputTokens: 758, outputTokens: 967, reasoningTokens: 865 },
  ],
  [
    'and leave out a completion of nothing, where thinking came to the limit',
    'google',
    { prompt_tokens: 758, total_tokens: 1725, prompt_tokens_details: { cached_tokens: 700 } },
    { inputTokens: 758, cachedInputTokens: 700, outputTokens: 967, reasoningTokens: 967 },
  ],
  [
    'where they are told apart they count once',
    'google',
    {
      prompt_tokens: 10,
      completion_tokens: 2,
      total_tokens: 20,
      completion_tokens_details: { reasoning_tokens: 8 },
    },
    { inputTokens: 10, outputTokens: 10, reasoningTokens: 8 },
  ],
  [
    'and where they are in the completion',
    'google',
    {
      prompt_tokens: 10,
      completion_tokens: 10,
      total_tokens: 20,
      completion_tokens_details: { reasoning_tokens: 8 },
    },
    { inputTokens: 10, outputTokens: 10, reasoningTokens: 8 },
  ],
  [
    'elsewhere a total that is larger than its parts says nothing of what',
    'my-proxy',
    { prompt_tokens: 10, completion_tokens: 2, total_tokens: 20 },
    { inputTokens: 10, outputTokens: 2 },
  ],
  [
    'Gemini counts thoughts outside the candidates and tool prompts outside the prompt, and leaves out zeros',
    'google',
    {
      promptTokenCount: 9,
      thoughtsTokenCount: 244,
      cachedContentTokenCount: 3,
      toolUsePromptTokenCount: 5,
      totalTokenCount: 258,
    },
    { inputTokens: 14, cachedInputTokens: 3, outputTokens: 244, reasoningTokens: 244 },
  ],
  [
    "Gemini's modalities",
    'google',
    {
      promptTokenCount: 100,
      candidatesTokenCount: 10,
      cachedContentTokenCount: 20,
      promptTokensDetails: [
        { modality: 'TEXT', tokenCount: 40 },
        { modality: 'AUDIO', tokenCount: 50 },
        { modality: 'DOCUMENT', tokenCount: 4 },
        { modality: 'IMAGE', tokenCount: 6 },
      ],
      cacheTokensDetails: [{ modality: 'TEXT', tokenCount: 20 }],
    },
    {
      inputTokens: 100,
      cachedInputTokens: 20,
      outputTokens: 10,
      parts: {
        inputAudio: 50,
        inputImage: 10,
        inputVideo: 0,
        cachedInputAudio: 0,
        cachedInputImage: 0,
        cachedInputVideo: 0,
      },
    },
  ],
  [
    'Bedrock counts its cache outside the input',
    'amazon-bedrock',
    { inputTokens: 5, outputTokens: 2, totalTokens: 17, cacheReadInputTokens: 10 },
    { inputTokens: 15, cachedInputTokens: 10, outputTokens: 2 },
  ],
  [
    'our own counts',
    'anthropic',
    { inputTokens: 15, cachedInputTokens: 10, cacheWriteTokens: 2, outputTokens: 2, reasoningTokens: 1 },
    { inputTokens: 15, cachedInputTokens: 10, cacheWriteTokens: 2, outputTokens: 2, reasoningTokens: 1 },
  ],
  [
    'simulated models',
    'simulated',
    { simulated: true, prompt_tokens: 3, completion_tokens: 4 },
    { inputTokens: 3, outputTokens: 4 },
  ],
])('%s', (_, provider, block, expected) => {
  expect(tokenUsageOf(provider, block)).toEqual({ ok: true, value: usage(expected) });
});

describe('is a problem, never a guess', () => {
  test.each<[string, Json, string, RegExp]>([
    ['no block', null, '', /an object, got null/],
    ['a list', [], '', /an object, got an array/],
    ['a block without counts', { cost: 1 }, '', /has token counts/],
    ['a negative count', { input_tokens: -1, output_tokens: 1 }, '/input_tokens', /0 or more, got -1/],
    ['a fraction', { input_tokens: 1.5, output_tokens: 1 }, '/input_tokens', /got 1\.5/],
    ['a text', { prompt_tokens: '12', completion_tokens: 1 }, '/prompt_tokens', /got "12"/],
    ['a count beyond 2^53', { input_tokens: 2 ** 53, output_tokens: 1 }, '/input_tokens', /whole number/],
    [
      'a bad count within',
      { input_tokens: 5, output_tokens: 1, input_tokens_details: { cached_tokens: -2 } },
      '/input_tokens_details/cached_tokens',
      /got -2/,
    ],
    [
      'a bad modality',
      { promptTokenCount: 5, promptTokensDetails: [{ modality: 'AUDIO', tokenCount: '5' }] },
      '/promptTokensDetails/0/tokenCount',
      /got "5"/,
    ],
    ['no output', { input_tokens: 5 }, '/output_tokens', /missing/],
    [
      'no completion where the total has one',
      { prompt_tokens: 5, total_tokens: 9 },
      '/completion_tokens',
      /missing/,
    ],
    [
      'more cached than input',
      { prompt_tokens: 5, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 6 } },
      '',
      /cache \(6\) are more than all input tokens \(5\)/,
    ],
    [
      'more reasoning than output',
      { input_tokens: 5, output_tokens: 1, output_tokens_details: { reasoning_tokens: 2 } },
      '',
      /reasoning/,
    ],
    [
      "more in an hour's cache than written",
      {
        input_tokens: 5,
        output_tokens: 1,
        cache_creation_input_tokens: 1,
        cache_creation: { ephemeral_1h_input_tokens: 2 },
      },
      '',
      /hour/,
    ],
  ])('%s', (_, block, pointer, message) => {
    const read = tokenUsageOf('openai', block);
    expect(read).toMatchObject({
      ok: false,
      problems: [{ pointer, code: 'validation', message: expect.stringMatching(message) }],
    });
  });

  test('whatever the block, it is read or refused, and what is read is consistent', () => {
    const name = fc.constantFrom(
      'input_tokens',
      'output_tokens',
      'prompt_tokens',
      'completion_tokens',
      'total_tokens',
      'promptTokenCount',
      'cachedContentTokenCount',
      'inputTokens',
      'outputTokens',
      'cached_tokens',
      'cache_read_input_tokens',
      'prompt_tokens_details',
      '__proto__',
    );
    const block = fc.dictionary(name, fc.oneof(fc.nat(100), fc.jsonValue({ maxDepth: 2 })));
    fc.assert(
      fc.property(
        fc.constantFrom('openai', 'anthropic', 'google', 'aws', 'x-ai', 'perplexity'),
        block,
        (provider, json) => {
          const read = tokenUsageOf(provider, json as Json);
          if (!read.ok) return read.problems.length > 0;
          const { inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens, reasoningTokens } =
            read.value;
          return (
            cachedInputTokens + cacheWriteTokens <= inputTokens &&
            reasoningTokens <= outputTokens &&
            cachedInputTokens >= 0
          );
        },
      ),
      { numRuns: depth(2000) },
    );
  });
});
