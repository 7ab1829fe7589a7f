// Usage blocks as providers send them, with what each costs by hand, and answers around them in each provider's dialect.
import type { JsonObject } from '../../src/core/json.ts';

export interface KnownBlock {
  readonly what: string;
  readonly provider: string;
  readonly model: string;
  readonly usage: JsonObject;
  /** Of the answer, beside the block. */
  readonly answer?: JsonObject;
  /** US dollars; null: unknown, because of what `because` says. */
  readonly costUsd: string | null;
  readonly because?: RegExp;
}

const opus = (
  usage: JsonObject,
  costUsd: string | null,
  what: string,
  more: Partial<KnownBlock> = {},
): KnownBlock => ({
  what,
  provider: 'anthropic',
  model: 'claude-opus-4-7',
  usage: { cache_creation_input_tokens: 0, cache_read_input_tokens: 0, ...usage },
  costUsd,
  ...more,
});
const TWO = { input_tokens: 1000, output_tokens: 100 };

export const KNOWN_BLOCKS: readonly KnownBlock[] = [
  // 5 in, 25 out, 0.5 read, 6.25 and 10 written: claude-opus-4-7.
  opus(TWO, '0.0075', 'Anthropic'),
  opus(
    {
      input_tokens: 2282,
      output_tokens: 1000,
      iterations: [
        { type: 'compaction', input_tokens: 60_845, output_tokens: 500 },
        { type: 'message', input_tokens: 2282, output_tokens: 1000 },
      ],
    },
    '0.353135',
    'a compaction is counted beside the totals',
  ),
  opus(
    {
      input_tokens: 100,
      output_tokens: 10,
      server_tool_use: { web_search_requests: 3 },
      iterations: [
        { type: 'compaction', input_tokens: 1000, output_tokens: 100 },
        { type: 'message', input_tokens: 100, output_tokens: 10, cache_read_input_tokens: 2000 },
      ],
    },
    '0.03925',
    'iterations keep the fees and their caches',
  ),
  {
    what: 'each iteration reaches a tier by its own size',
    provider: 'anthropic',
    model: 'claude-haiku-5-5',
    usage: {
      input_tokens: 60_000,
      output_tokens: 1000,
      iterations: [
        { type: 'compaction', input_tokens: 90_000, output_tokens: 1000 },
        { type: 'message', input_tokens: 60_000, output_tokens: 1000 },
      ],
    },
    costUsd: '0.016',
  },
  {
    what: 'one above the tier',
    provider: 'anthropic',
    model: 'claude-haiku-5-5',
    usage: { input_tokens: 100_001, output_tokens: 1000 },
    costUsd: '0.0525005',
  },
  opus(
    {
      ...TWO,
      iterations: [
        { type: 'message', ...TWO },
        { type: 'advisor_message', model: 'claude-fable-5', input_tokens: 1000, output_tokens: 100 },
      ],
    },
    '0.0225',
    'an advisor has its own rates',
  ),
  opus(
    {
      ...TWO,
      iterations: [
        { type: 'message', model: 'claude-fable-5', input_tokens: 1000, output_tokens: 0 },
        { type: 'fallback_message', model: 'claude-opus-4-7', ...TWO },
      ],
    },
    '0.0075',
    'a fallback that answered is counted in the totals',
    { model: 'claude-fable-5', answer: { model: 'claude-opus-4-7' } },
  ),
  opus({ ...TWO, iterations: [{ type: 'dream', ...TWO }] }, null, 'an iteration of a new kind', {
    because: /iterations\/0/,
  }),
  opus(
    {
      input_tokens: 10,
      output_tokens: 10,
      cache_creation_input_tokens: 300,
      cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 200 },
    },
    '0.002925',
    "an hour's cache has its own rate",
  ),
  opus(
    {
      ...TWO,
      cache_creation_input_tokens: 300,
      cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_24h_input_tokens: 200 },
    },
    null,
    'a cache of a new duration',
    { because: /no rate for a cache of this duration/ },
  ),
  opus({ ...TWO, speed: 'fast' }, '0.015', 'fast mode', { model: 'claude-opus-4-8' }),
  opus({ ...TWO, speed: 'fast' }, '0.045', 'fast mode while an older model had it'),
  opus({ ...TWO, speed: 'fast' }, null, 'fast mode of a model that has none', {
    model: 'claude-sonnet-4-5',
    because: /speed "fast" of anthropic\/claude-sonnet-4-5/,
  }),
  opus(
    { ...TWO, speed: 'standard', inference_geo: 'global', service_tier: 'standard' },
    '0.0075',
    'standard classes',
  ),
  opus({ ...TWO, inference_geo: 'us' }, '0.00825', 'inference in the US'),
  opus(
    { ...TWO, inference_geo: 'us', server_tool_use: { web_search_requests: 1 } },
    '0.01825',
    'a fee has no factor',
  ),
  opus({ ...TWO, inference_geo: 'eu' }, null, 'another region', { because: /inference_geo "eu"/ }),
  opus({ ...TWO, service_tier: 'batch' }, '0.00375', 'a batch of Anthropic'),
  opus({ ...TWO, service_tier: 'priority' }, null, 'capacity paid ahead', {
    because: /service_tier "priority"/,
  }),
  {
    what: 'a model that a prefix rule took for its predecessor',
    provider: 'anthropic',
    model: 'claude-sonnet-5-5',
    usage: { input_tokens: 0, output_tokens: 0, cache_read_input_tokens: 1_000_000 },
    costUsd: '0.1',
  },
  {
    what: 'another version behind a prefix',
    provider: 'anthropic',
    model: 'claude-sonnet-5-7',
    usage: TWO,
    costUsd: null,
    because: /no price for anthropic\/claude-sonnet-5-7/,
  },
  {
    what: 'a model that the library lacks',
    provider: 'anthropic',
    model: 'claude-mythos-5',
    usage: TWO,
    costUsd: '0.015',
  },
  {
    what: 'a model that the library lacks, above its tier',
    provider: 'openai',
    model: 'gpt-6.1-sol',
    usage: {
      input_tokens: 300_000,
      input_tokens_details: { cached_tokens: 100_000, cache_write_tokens: 50_000 },
      output_tokens: 1000,
    },
    costUsd: '0.885',
  },
  {
    what: 'OpenAI, its standard class at the top of the answer',
    provider: 'openai',
    model: 'gpt-5',
    answer: { service_tier: 'default' },
    usage: { input_tokens: 1000, output_tokens: 100, output_tokens_details: { reasoning_tokens: 64 } },
    costUsd: '0.00225',
  },
  {
    what: 'OpenAI flex',
    provider: 'openai',
    model: 'gpt-5-2025-08-07',
    answer: { service_tier: 'flex' },
    usage: { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 },
    costUsd: '0.001125',
  },
  {
    what: 'OpenAI priority',
    provider: 'openai',
    model: 'gpt-5',
    answer: { service_tier: 'priority' },
    usage: { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 },
    costUsd: '0.0045',
  },
  {
    what: 'OpenAI priority where no factor is known',
    provider: 'openai',
    model: 'gpt-4o-mini',
    answer: { service_tier: 'priority' },
    usage: { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 },
    costUsd: null,
    because: /service_tier "priority" of openai\/gpt-4o-mini/,
  },
  {
    what: 'audio without a rate',
    provider: 'openai',
    model: 'gpt-4o',
    usage: {
      prompt_tokens: 1000,
      completion_tokens: 1,
      total_tokens: 1001,
      prompt_tokens_details: { audio_tokens: 9 },
    },
    costUsd: null,
    because: /no rate for audio input/,
  },
  {
    what: 'sound that is charged by its seconds',
    provider: 'mistral',
    model: 'mistral-small-latest',
    usage: { prompt_tokens: 4, completion_tokens: 1, total_tokens: 5, prompt_audio_seconds: 17 },
    costUsd: null,
    because: /no rate for seconds of audio/,
  },
  {
    what: 'embeddings of OpenAI',
    provider: 'openai',
    model: 'text-embedding-3-small',
    usage: { prompt_tokens: 12, total_tokens: 12 },
    costUsd: '0.00000024',
  },
  {
    what: 'xAI counts reasoning outside the completion',
    provider: 'xai',
    model: 'grok-4.20',
    usage: {
      prompt_tokens: 20_813,
      completion_tokens: 300,
      total_tokens: 23_922,
      prompt_tokens_details: { cached_tokens: 10_003, text_tokens: 20_813, audio_tokens: 0, image_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 2809, audio_tokens: 0 },
      num_sources_used: 0,
      cost_in_usd_ticks: 232_856_000,
    },
    costUsd: '0.0232856',
  },
  {
    what: "xAI's own tools have no rate, but a bill",
    provider: 'xai',
    model: 'grok-4.20',
    usage: {
      prompt_tokens: 100,
      completion_tokens: 10,
      total_tokens: 110,
      num_server_side_tools_used: 2,
      cost_in_usd_ticks: 51_500_000,
    },
    costUsd: '0.00515',
    because: /provider's own tools/,
  },
  {
    what: 'Perplexity counts reasoning, citations and searches outside',
    provider: 'perplexity',
    model: 'sonar-deep-research',
    usage: {
      prompt_tokens: 100,
      completion_tokens: 1000,
      total_tokens: 1100,
      citation_tokens: 2000,
      num_search_queries: 10,
      reasoning_tokens: 5000,
    },
    // 2 in, 8 out, 2 for citations, 3 for reasoning, 5 per thousand searches.
    costUsd: '0.0772',
  },
  {
    what: 'what OpenRouter charges, of a model that no list has',
    provider: 'openrouter',
    model: 'some-lab/never-listed',
    usage: { prompt_tokens: 10, completion_tokens: 4, total_tokens: 14, cost: 0.000_123, is_byok: false },
    costUsd: '0.000123',
    because: /no price for openrouter\/some-lab\/never-listed/,
  },
  {
    what: "OpenRouter's fee and the provider's charge, with a key of one's own",
    provider: 'openrouter',
    model: 'some-lab/never-listed',
    usage: {
      prompt_tokens: 10,
      completion_tokens: 4,
      total_tokens: 14,
      cost: 0.000_005,
      is_byok: true,
      cost_details: { upstream_inference_cost: 0.0001 },
    },
    costUsd: '0.000105',
    because: /no price/,
  },
  {
    what: "DeepSeek's cache",
    provider: 'deepseek',
    model: 'deepseek-chat',
    usage: {
      prompt_tokens: 1000,
      completion_tokens: 100,
      total_tokens: 1100,
      prompt_cache_hit_tokens: 600,
      prompt_cache_miss_tokens: 400,
    },
    // Half of it at night.
    costUsd: '0.00026',
  },
  {
    what: 'Gemini counts its thoughts outside the candidates',
    provider: 'google',
    model: 'gemini-2.5-pro',
    usage: {
      promptTokenCount: 1000,
      candidatesTokenCount: 100,
      thoughtsTokenCount: 400,
      totalTokenCount: 1500,
    },
    costUsd: '0.00625',
  },
  {
    what: 'an alias of Gemini is priced by the model that answered',
    provider: 'google',
    model: 'gemini-flash-latest',
    answer: { modelVersion: 'gemini-2.5-flash' },
    usage: { promptTokenCount: 1000, candidatesTokenCount: 100, totalTokenCount: 1100 },
    costUsd: '0.00055',
  },
  {
    what: 'a class of Gemini without a known factor',
    provider: 'google',
    model: 'gemini-2.5-flash',
    usage: {
      promptTokenCount: 1000,
      candidatesTokenCount: 100,
      totalTokenCount: 1100,
      trafficType: 'PROVISIONED_THROUGHPUT',
    },
    costUsd: null,
    because: /provisioned_throughput/,
  },
  {
    what: 'a count that is missing, as the total of Gemini shows',
    provider: 'google',
    model: 'gemini-2.5-flash',
    usage: { candidatesTokenCount: 100, totalTokenCount: 1100 },
    costUsd: null,
    because: /promptTokenCount is missing/,
  },
  opus({ input_tokens: null, output_tokens: 5 }, null, 'a count that is null', {
    because: /token counts|missing/,
  }),
  opus({ input_tokens: -1, output_tokens: 5 }, null, 'a negative count', { because: /got -1/ }),
  opus({ input_tokens: 1.5, output_tokens: 5 }, null, 'a fraction', { because: /got 1\.5/ }),
  opus({ input_tokens: '12', output_tokens: 5 }, null, 'a text', { because: /got "12"/ }),
  {
    what: 'a completion that nobody counted',
    provider: 'openai',
    model: 'gpt-5',
    usage: { prompt_tokens: 10 },
    costUsd: null,
    because: /completion_tokens is missing/,
  },
  {
    what: 'a prompt that nobody counted',
    provider: 'openai',
    model: 'gpt-5',
    usage: { prompt_tokens: null, completion_tokens: 4, total_tokens: 9 },
    costUsd: null,
    because: /prompt_tokens is missing/,
  },
];

/** An answer with this block, and at which base URL it is asked for (null: the provider's own). */
export function answerAround({ provider, model, usage, answer = {} }: Omit<KnownBlock, 'what' | 'costUsd'>): {
  readonly body: JsonObject;
  readonly baseUrl: string | null;
  readonly mode: 'text' | 'embedding';
} {
  const has = (...names: string[]) => names.some((name) => name in usage);
  if (has('promptTokenCount', 'candidatesTokenCount', 'totalTokenCount'))
    return {
      body: {
        candidates: [
          { content: { role: 'model', parts: [{ text: 'Hello' }] }, finishReason: 'STOP', index: 0 },
        ],
        modelVersion: model,
        usageMetadata: usage,
        ...answer,
      },
      baseUrl: null,
      mode: 'text',
    };
  if (provider === 'anthropic')
    return {
      body: {
        ...{
          type: 'message',
          id: 'msg-1',
          role: 'assistant',
          model,
          stop_reason: 'end_turn',
          stop_sequence: null,
        },
        content: [{ type: 'text', text: 'Hello' }],
        usage,
        ...answer,
      },
      baseUrl: null,
      mode: 'text',
    };
  if (provider === 'openai' && has('input_tokens'))
    return {
      body: {
        ...{ id: 'resp-1', object: 'response', created_at: 1, status: 'completed', model },
        output: [
          {
            ...{ type: 'message', id: 'msg-1', role: 'assistant' },
            content: [{ type: 'output_text', text: 'Hello', annotations: [] }],
          },
        ],
        usage,
        ...answer,
      },
      baseUrl: null,
      mode: 'text',
    };
  const isEmbedding = /embed/.test(model);
  const body: JsonObject = isEmbedding
    ? { object: 'list', model, data: [{ object: 'embedding', index: 0, embedding: [0.5, 0.25] }] }
    : {
        ...{ id: 'chat-1', object: 'chat.completion', created: 1, model },
        choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'Hello' } }],
      };
  return {
    body: { ...body, usage, ...answer },
    // Google is asked in its own dialect wherever it is.
    baseUrl: provider === 'google' ? null : 'https://models.example/v1',
    mode: isEmbedding ? 'embedding' : 'text',
  };
}
