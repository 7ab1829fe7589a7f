// Usage blocks of the price library's own tests, with the prices that they state: recorded answers of tests/dataset/usages.json and
// examples of tests/test_extract_usage.py of https://github.com/pydantic/genai-prices (MIT License, Copyright (c) Pydantic Services
// Inc. 2025 to present). A choice: each shape of block, model and way of counting that pages throughout the data set have; hundreds
// more are like them.
import type { JsonObject } from '../../src/core/json.ts';

export interface LibraryBlock {
  /** Of the recording, or the example's test. */
  readonly from: string;
  readonly model: string;
  readonly usage: JsonObject;
  /** `input output` in US dollars, or the sum of both, by provider. */
  readonly stated: Readonly<Record<string, string>>;
  /** Providers whose reading the library tries too, and has no price for. */
  readonly unpriced: readonly string[];
}

const zeros = (...names: readonly string[]) => Object.fromEntries(names.map((name) => [name, 0]));

/** Of Anthropic's dialect. `aws`: where Bedrock has other rates. */
function claude(
  from: string,
  model: string,
  [input_tokens, output_tokens]: readonly [number, number],
  price: string,
  { aws = price, ...more }: { readonly aws?: string } & JsonObject = {},
): LibraryBlock {
  const usage = {
    cache_creation: zeros('ephemeral_1h_input_tokens', 'ephemeral_5m_input_tokens'),
    ...zeros('cache_creation_input_tokens', 'cache_read_input_tokens'),
    ...{ input_tokens, output_tokens, service_tier: 'standard', ...more },
  };
  const stated = { anthropic: price, aws, azure: price, google: price };
  return { from: `anthropic/${from}`, model, usage, stated, unpriced: ['openai'] };
}

const SONNET = 'claude-sonnet-4-5-20250929';
const HAIKU = 'claude-haiku-4-5-20251001';
const SONNET_4 = 'claude-sonnet-4-20250514';
const searches = (count: number) => ({
  server_tool_use: { web_fetch_requests: 0, web_search_requests: count },
});

const CLAUDE: readonly LibraryBlock[] = [
  claude('test_output', SONNET, [14, 65], '0.000042 0.000975', { aws: '0.0000462 0.0010725' }),
  claude('test_output', SONNET, [744, 53], '0.002232 0.000795', { aws: '0.0024552 0.0008745' }),
  claude('test_output', SONNET, [824, 23], '0.002472 0.000345', { aws: '0.0027192 0.0003795' }),
  claude('test_output', SONNET, [797, 91], '0.002391 0.001365', { aws: '0.0026301 0.0015015' }),
  claude('test_output', SONNET, [957, 23], '0.002871 0.000345', { aws: '0.0031581 0.0003795' }),
  claude('test_output', SONNET, [811, 23], '0.002433 0.000345', { aws: '0.0026763 0.0003795' }),
  claude('test_output', SONNET_4, [458, 38], '0.001374 0.00057'),
  claude('test_output', SONNET_4, [525, 73], '0.001575 0.001095'),
  claude('test_extra_headers', HAIKU, [8, 21], '0.000008 0.000105', { aws: '0.0000088 0.0001155' }),
  claude('test_text_output_function', SONNET, [383, 65], '0.001149 0.000975', { aws: '0.0012639 0.0010725' }),
  claude('test_text_output_function', SONNET, [460, 91], '0.00138 0.001365', { aws: '0.001518 0.0015015' }),
  claude('test_text_document_url_input', SONNET, [713, 166], '0.002139 0.00249', {
    aws: '0.0023529 0.002739',
  }),
  claude('test_parallel_tool_calls', HAIKU, [423, 202], '0.000423 0.00101', { aws: '0.0004653 0.001111' }),
  claude('test_parallel_tool_calls', HAIKU, [771, 77], '0.000771 0.000385', { aws: '0.0008481 0.0004235' }),
  claude('test_invalid_mime_type', HAIKU, [335, 147], '0.000335 0.000735', { aws: '0.0003685 0.0008085' }),
  claude('test_image_url_input', HAIKU, [296, 91], '0.000296 0.000455', { aws: '0.0003256 0.0005005' }),
  claude('test_output_tool_with_thinking', SONNET, [187, 113], '0.000561 0.001695', {
    aws: '0.0006171 0.0018645',
  }),
  claude('test_thinking_part', SONNET, [42, 363], '0.000126 0.005445', { aws: '0.0001386 0.0059895' }),
  claude('test_thinking_part', SONNET, [291, 471], '0.000873 0.007065', { aws: '0.0009603 0.0077715' }),
  claude('test_tool_with_thinking', SONNET_4, [397, 158], '0.001191 0.00237'),
  claude('test_tool_with_thinking', SONNET_4, [568, 117], '0.001704 0.001755'),
  claude('test_history_from_another_provider', SONNET_4, [1683, 113], '0.005049 0.001695', {
    server_tool_use: { web_search_requests: 0 },
  }),
  claude('test_code_execution_tool', SONNET_4, [1771, 171], '0.005313 0.002565', searches(0)),
  claude('test_web_search_tool', SONNET_4, [19_859, 544], '0.059577 0.00816', searches(1)),
  claude('test_text_parts_ahead', SONNET, [16_083, 165], '0.048249 0.002475', {
    ...{ aws: '0.0530739 0.0027225', ...searches(1) },
  }),
  claude('test_gateway', SONNET, [14, 10], '0.000042 0.00015', {
    ...{ aws: '0.0000462 0.000165', pydantic_ai_gateway: { cost_estimate: 0.000_191_999_999_999_999_98 } },
  }),
];

/** Providers for which the library reads chat completions. */
const OF_CHAT = [
  ...['anthropic', 'azure', 'cerebras', 'deepseek', 'fireworks', 'google', 'groq', 'mistral', 'openai'],
  ...['ovhcloud', 'x-ai', 'huggingface_cerebras', 'huggingface_fireworks-ai', 'huggingface_groq'],
  ...['huggingface_hyperbolic', 'huggingface_nebius', 'huggingface_novita', 'huggingface_nscale'],
  ...['huggingface_ovhcloud', 'huggingface_publicai', 'huggingface_sambanova', 'huggingface_together'],
];

function chat(
  from: string,
  model: string,
  [prompt_tokens, completion_tokens]: readonly [number, number],
  stated: LibraryBlock['stated'],
  more: JsonObject = {},
): LibraryBlock {
  const total_tokens = prompt_tokens + completion_tokens;
  const unpriced = OF_CHAT.filter((provider) => stated[provider] === undefined);
  return {
    from,
    model,
    usage: { completion_tokens, prompt_tokens, total_tokens, ...more },
    stated,
    unpriced,
  };
}

/** As OpenAI sends them. */
function gptChat(
  from: string,
  model: string,
  counts: readonly [number, number],
  price: string,
  { reasoning = 0, ...more }: { readonly reasoning?: number } & JsonObject = {},
): LibraryBlock {
  return chat(
    `openai/${from}`,
    model,
    counts,
    { azure: price, openai: price },
    {
      completion_tokens_details: {
        ...zeros('accepted_prediction_tokens', 'audio_tokens', 'rejected_prediction_tokens'),
        reasoning_tokens: reasoning,
      },
      prompt_tokens_details: zeros('audio_tokens', 'cached_tokens'),
      ...more,
    },
  );
}

function gptResponse(
  from: string,
  model: string,
  [input_tokens, output_tokens]: readonly [number, number],
  price: string,
  {
    cached = 0,
    reasoning = 0,
    ...more
  }: { readonly cached?: number; readonly reasoning?: number } & JsonObject = {},
): LibraryBlock {
  const usage = {
    ...{ input_tokens, input_tokens_details: { cached_tokens: cached } },
    ...{ output_tokens, output_tokens_details: { reasoning_tokens: reasoning } },
    ...{ total_tokens: input_tokens + output_tokens, ...more },
  };
  const stated = { azure: price, openai: price };
  return { from: `openai_responses/${from}`, model, usage, stated, unpriced: ['anthropic', 'aws', 'google'] };
}

const GPT_4O = 'gpt-4o-2024-08-06';
const GPT_5 = 'gpt-5-2025-08-07';
const O3_MINI = 'o3-mini-2025-01-31';

const GPT: readonly LibraryBlock[] = [
  gptChat('test_tool_output', GPT_4O, [89, 36], '0.0002225 0.00036'),
  gptChat('test_image_as_binary_content_input', GPT_4O, [1119, 10], '0.0027975 0.0001'),
  gptChat('test_native_output', GPT_4O, [71, 12], '0.0001775 0.00012'),
  gptChat('test_native_output', GPT_4O, [92, 15], '0.00023 0.00015'),
  gptChat('test_tool_returning_dict', GPT_4O, [222, 11], '0.000555 0.00011'),
  gptChat('test_tool_returning_image', GPT_4O, [190, 11], '0.000475 0.00011'),
  gptChat('test_tool_returning_image', GPT_4O, [1329, 15], '0.0033225 0.00015'),
  gptChat('test_tool_returning_str', GPT_4O, [194, 18], '0.000485 0.00018'),
  gptChat('test_dbos_agent_with_model_retry', GPT_4O, [47, 17], '0.0001175 0.00017'),
  gptChat('test_dbos_agent_with_model_retry', GPT_4O, [87, 17], '0.0002175 0.00017'),
  gptChat('test_prefect_agent_with_model_retry', GPT_4O, [116, 10], '0.00029 0.0001'),
  gptChat('test_prefect_agent_with_hitl_tool', GPT_4O, [133, 22], '0.0003325 0.00022'),
  gptChat('test_multiple_agents', GPT_4O, [14, 8], '0.000035 0.00008'),
  gptChat('test_azure_provider_call', 'gpt-4o-2024-11-20', [14, 9], '0.000035 0.00009'),
  gptChat('test_thinking_part', O3_MINI, [577, 2320], '0.0006347 0.010208', { reasoning: 1792 }),
  gptChat('test_reasoning_model', O3_MINI, [13, 238], '0.0000143 0.0010472', { reasoning: 192 }),
  gptChat('test_gateway', GPT_5, [13, 11], '0.00001625 0.00011', {
    pydantic_ai_gateway: { cost_estimate: 0.000_126_25 },
  }),
  gptResponse('test_thinking_part', O3_MINI, [13, 1915], '0.0000143 0.008426', { reasoning: 1600 }),
  gptResponse('test_thinking_part', O3_MINI, [13, 2028], '0.0000143 0.0089232', { reasoning: 1664 }),
  gptResponse('test_thinking_part', GPT_5, [13, 2199], '0.00001625 0.02199', { reasoning: 1920 }),
  gptResponse('test_reasoning_model', O3_MINI, [13, 227], '0.0000143 0.0009988', { reasoning: 192 }),
  gptResponse('test_native_output', GPT_4O, [153, 12], '0.0003825 0.00012'),
  gptResponse('test_native_output', GPT_4O, [176, 26], '0.00044 0.00026'),
  gptResponse('test_simple_response', GPT_4O, [14, 8], '0.000035 0.00008'),
  gptResponse('test_simple_response_with_tool_call', GPT_4O, [40, 18], '0.0001 0.00018'),
  gptResponse('test_simple_response_with_tool_call', GPT_4O, [67, 11], '0.0001675 0.00011'),
  gptResponse('test_verbosity', 'gpt-5', [10, 1], '0.0000125 0.00001'),
  gptResponse('test_model_retry', GPT_4O, [0, 0], '0 0'),
  gptResponse('test_model_retry', GPT_4O, [335, 44], '0.0008375 0.00044'),
  gptResponse('test_prompted_output', GPT_4O, [283, 12], '0.0007075 0.00012'),
  gptResponse('test_document_url_input', GPT_4O, [54, 18], '0.000135 0.00018'),
  gptResponse('test_system_prompt', GPT_4O, [42, 8], '0.000105 0.00008'),
  gptResponse('test_logprobs', 'gpt-4o-mini-2024-07-18', [25, 10], '0.00000375 0.000006'),
  gptResponse('test_image_generation', GPT_5, [2253, 1755], '0.00281625 0.01755', { reasoning: 1600 }),
  gptResponse('test_image_generation', GPT_5, [587, 2587], '0.00073375 0.02587', { reasoning: 2560 }),
  gptResponse('test_code_execution', GPT_5, [1493, 125], '0.00042625 0.00125', {
    cached: 1280,
    reasoning: 64,
  }),
  gptResponse('test_code_execution', GPT_5, [793, 7], '0.00099125 0.00007'),
  gptResponse('test_web_search', GPT_5, [9939, 1610], '0.00306375 0.0161', { cached: 8320, reasoning: 1344 }),
  gptResponse('test_gateway', GPT_5, [13, 8], '0.00001625 0.00008', {
    pydantic_ai_gateway: { cost_estimate: 0.000_096_250_000_000_000_01 },
  }),
];

const QWEN = 'Qwen/Qwen2.5-72B-Instruct-fast';
const QWEN_VL = 'Qwen/Qwen2.5-VL-72B-Instruct';
const NO_DETAILS = { completion_tokens_details: null, prompt_tokens_details: null };
const onFace = (prices: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(prices).map(([provider, price]) => [`huggingface_${provider}`, price]));

const OTHER_CHATS: readonly LibraryBlock[] = [
  chat(
    'huggingface/test_instructions',
    QWEN,
    [26, 2],
    onFace({
      hyperbolic: '0.0000104 0.0000008',
      novita: '0.000007904 0.00000064',
      together: '0.0000312 0.0000024',
    }),
    NO_DETAILS,
  ),
  chat(
    'huggingface/test_max_completion_tokens',
    QWEN,
    [30, 33],
    onFace({
      hyperbolic: '0.000012 0.0000132',
      novita: '0.00000912 0.00001056',
      together: '0.000036 0.0000396',
    }),
    NO_DETAILS,
  ),
  chat(
    'huggingface/test_image_as_binary_content_input',
    QWEN_VL,
    [7625, 49],
    onFace({
      hyperbolic: '0.004575 0.0000294',
      nebius: '0.00190625 0.00003675',
      ovhcloud: '0.00770125 0.00004949',
    }),
    NO_DETAILS,
  ),
  chat(
    'huggingface/test_image_url_input',
    QWEN_VL,
    [269, 15],
    onFace({
      hyperbolic: '0.0001614 0.000009',
      nebius: '0.00006725 0.00001125',
      ovhcloud: '0.00027169 0.00001515',
    }),
    NO_DETAILS,
  ),
  chat(
    'openai/test_cerebras_provider',
    'qwen-3-coder-480b',
    [304, 25],
    { cerebras: '0 0' },
    {
      prompt_tokens_details: { cached_tokens: 0 },
    },
  ),
  chat(
    'gateway/test_groq',
    'llama-3.3-70b-versatile',
    [42, 8],
    { groq: '0.00002478 0.00000632' },
    {
      ...{ completion_time: 0.010_003_462, prompt_time: 0.002_448_683, queue_time: 0.140_973_397 },
      ...{ total_time: 0.012_452_145, pydantic_ai_gateway: { cost_estimate: 0.000_031_1 } },
    },
  ),
  chat('heroku/test_claude_3_7_sonnet', 'claude-3-7-sonnet', [14, 51], {
    ...{ anthropic: '0.000042 0.000765', azure: '0.000042 0.000765', google: '0.000042 0.000765' },
  }),
  // The total has thoughts that nothing else counts.
  chat(
    'openai/test_compatible_api',
    'gemini-2.5-pro-preview-05-06',
    [35, 12],
    { google: '0.00004375 0.00012' },
    {
      total_tokens: 109,
    },
  ),
];

type Modalities = Readonly<Record<string, number>>;
const details = (counts: Modalities) =>
  Object.entries(counts).map(([modality, tokenCount]) => ({ modality, tokenCount }));

function gemini(
  from: string,
  model: string,
  [prompt, candidates, thoughts]: readonly [
    prompt: Modalities,
    candidates: Modalities | number,
    thoughts?: number,
  ],
  price: string,
  more: JsonObject = {},
): LibraryBlock {
  const sum = (counts: Modalities | number) =>
    typeof counts === 'number' ? counts : Object.values(counts).reduce((a, b) => a + b, 0);
  const usage = {
    candidatesTokenCount: sum(candidates),
    ...(typeof candidates !== 'number' && { candidatesTokensDetails: details(candidates) }),
    ...{ promptTokenCount: sum(prompt), promptTokensDetails: details(prompt) },
    ...(thoughts !== undefined && { thoughtsTokenCount: thoughts }),
    totalTokenCount: sum(prompt) + sum(candidates) + (thoughts ?? 0),
    ...more,
  };
  return { from: `google/${from}`, model, usage, stated: { google: price }, unpriced: [] };
}

const FLASH_2 = 'gemini-2.0-flash';
const FLASH = 'gemini-2.5-flash';
const ON_DEMAND = { trafficType: 'ON_DEMAND' };

const GEMINI: readonly LibraryBlock[] = [
  gemini('test_vertexai_provider', FLASH_2, [{ TEXT: 7 }, { TEXT: 9 }], '0.0000007 0.0000036', ON_DEMAND),
  gemini('test_tool_config', FLASH_2, [{ TEXT: 21 }, { TEXT: 1 }], '0.0000021 0.0000004'),
  gemini('test_tool_config', FLASH_2, [{ TEXT: 27 }, { TEXT: 5 }], '0.0000027 0.000002'),
  gemini('test_native_output', FLASH_2, [{ TEXT: 8 }, { TEXT: 20 }], '0.0000008 0.000008'),
  gemini('test_tool_output', FLASH_2, [{ TEXT: 46 }, { TEXT: 8 }], '0.0000046 0.0000032'),
  gemini(
    'test_image_url',
    FLASH_2,
    [{ TEXT: 9, IMAGE: 2580 }, { TEXT: 40 }],
    '0.0002589 0.000016',
    ON_DEMAND,
  ),
  gemini(
    'test_image_url_gs',
    FLASH_2,
    [{ TEXT: 9, IMAGE: 2580 }, { TEXT: 52 }],
    '0.0002589 0.0000208',
    ON_DEMAND,
  ),
  gemini(
    'test_video_url',
    FLASH_2,
    [{ TEXT: 9, VIDEO: 1560 }, { TEXT: 53 }],
    '0.0001569 0.0000212',
    ON_DEMAND,
  ),
  gemini(
    'test_document_url',
    FLASH_2,
    [{ DOCUMENT: 19_866, TEXT: 9 }, { TEXT: 112 }],
    '0.0019875 0.0000448',
    ON_DEMAND,
  ),
  gemini('test_history_from_another_provider', FLASH_2, [{ TEXT: 13 }, { TEXT: 35 }], '0.0000013 0.0000264', {
    ...{
      toolUsePromptTokenCount: 31,
      toolUsePromptTokensDetails: details({ TEXT: 31 }),
      totalTokenCount: 79,
    },
  }),
  gemini('test_video_url_input', 'gemini-1.5-flash', [{ TEXT: 10 }, { TEXT: 246 }], '0.00000075 0.0000738', {
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: 10 }, { modality: 'VIDEO' }],
  }),
  gemini('test_gateway', FLASH, [{ TEXT: 7 }, { TEXT: 8 }, 53], '0.0000021 0.0001525', {
    ...{ ...ON_DEMAND, pydantic_ai_gateway: { cost_estimate: 0.000_154_6 } },
  }),
  gemini('test_additional_properties', FLASH, [{ TEXT: 40 }, 19, 65], '0.000012 0.00021'),
  gemini('test_additional_properties', FLASH, [{ TEXT: 164 }, 29, 563], '0.0000492 0.00148'),
  gemini(
    'test_thinking_part',
    'gemini-2.5-flash-preview-04-17',
    [{ TEXT: 801 }, 1519, 794],
    '0.00012015 0.0013878',
    {
      totalTokenCount: 2320,
    },
  ),
];

/** Written for tests of readings: only the sum is stated. */
const EXAMPLES: readonly LibraryBlock[] = [
  {
    ...{ from: 'test_extract_usage_ok', model: SONNET_4, stated: { anthropic: '0.00342825' }, unpriced: [] },
    usage: {
      ...{ input_tokens: 504, cache_creation_input_tokens: 123, cache_read_input_tokens: 0 },
      ...{ output_tokens: 97, service_tier: 'standard' },
    },
  },
  ...['claude-3-5-haiku', 'claude-3.5-haiku'].map((model) => ({
    ...{ from: 'test_extract_usage_ok', model, stated: { anthropic: '0.0007912' }, unpriced: [] },
    usage: { input_tokens: 504, output_tokens: 97, service_tier: 'standard' },
  })),
  {
    ...{ from: 'test_openai', model: 'gpt-4.1', stated: { openai: '0.0018' }, unpriced: [] },
    usage: {
      ...{ prompt_tokens: 100, completion_tokens: 200 },
      ...{ prompt_tokens_details: { cached_tokens: null }, completion_tokens_details: null },
    },
  },
  {
    ...{ from: 'test_openai', model: 'gpt-5', stated: { openai: '0.002125' }, unpriced: [] },
    usage: { input_tokens: 100, output_tokens: 200 },
  },
  chat(
    'test_mistral',
    'mistral-large-2512',
    [1013, 30],
    { mistral: '0.0000979' },
    {
      prompt_tokens_details: { cached_tokens: 1008 },
    },
  ),
  gemini('test_google', FLASH, [{ TEXT: 75 }, { TEXT: 18 }, 144], '0.000435', {
    ...{ ...ON_DEMAND, totalTokenCount: 262, toolUsePromptTokenCount: 25 },
  }),
  gemini(
    'test_google_caching',
    FLASH,
    [{ TEXT: 14_002, AUDIO: 150 }, { TEXT: 50, AUDIO: 10 }, 69],
    '0.0012873',
    {
      ...{ ...ON_DEMAND, totalTokenCount: 14_271, cachedContentTokenCount: 12_239 },
      ...{ promptTokenCount: 14_152, cacheTokensDetails: details({ AUDIO: 129, TEXT: 12_110 }) },
    },
  ),
];

export const LIBRARY_BLOCKS: readonly LibraryBlock[] = [
  ...[...CLAUDE, ...GPT, ...OTHER_CHATS, ...GEMINI, ...EXAMPLES],
];
