// Models of real providers, spoken to through the provider packages of the AI SDK: its models are called directly, so
// there are no retries, no gateway and no environment variables but ours. A package is loaded when a task first needs it.

import type { EmbeddingModelV4, LanguageModelV4, LanguageModelV4GenerateResult } from '@ai-sdk/provider';
import { MAX_MODEL_NAME } from '../../core/cost/price-table.ts';
import { tokenUsageOf } from '../../core/cost/read-usage.ts';
import type { TokenUsage } from '../../core/cost/usage.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { TaskLog } from '../../core/log-lines.ts';
import type { JsonWarning } from '../../core/long-numbers.ts';
import type { Outside } from '../outside.ts';
import { exactArguments } from './exact-arguments.ts';
import type { EmbeddingAnswer, Model, ModelAnswer, ModelCall } from './model-call.ts';
import type { ModelAccess } from './provider-access.ts';
import { providerError } from './provider-error.ts';
import { answerParts, sdkPrompt } from './sdk-prompt.ts';
import { NO_TOKENS } from './spending.ts';
import { isStrictSchema } from './strict-schema.ts';

interface SdkModels {
  readonly language: () => LanguageModelV4;
  readonly embedding: () => EmbeddingModelV4;
}

/** Every request goes through `outside.http.fetch`; error messages are redacted. */
export function sdkModel(
  access: ModelAccess,
  outside: Pick<Outside, 'http' | 'redact'>,
  log: TaskLog,
): Model {
  const label = `${access.provider}/${access.name}`;
  const warn = ({ message, ...fields }: JsonWarning): void => log.warn(message, fields);
  const guarded = async <T>(call: ModelCall, ask: (models: SdkModels) => PromiseLike<T>): Promise<T> => {
    try {
      const { fetch } = outside.http;
      return await ask(await loadModels(access, call.tools.length > 0 ? exactArguments(fetch, warn) : fetch));
    } catch (error) {
      call.signal.throwIfAborted();
      throw providerError(error, { label, taskId: call.taskId, redact: outside.redact });
    }
  };
  return {
    async generate(call): Promise<ModelAnswer> {
      const result = await guarded(call, (models) => models.language().doGenerate(callOptions(call)));
      for (const warning of result.warnings)
        if (warning.type === 'unsupported')
          log.warn(`${label} does not support ${warning.feature}`, warningDetails(warning.details));
      return {
        content: answerParts(result.content, warn),
        finishReason: result.finishReason.unified === 'interrupted' ? 'error' : result.finishReason.unified,
        ...(result.structuredOutputText !== undefined && { structuredText: result.structuredOutputText }),
        ...answeredBy(result.response?.modelId),
        usage: usageOf(access.provider, result),
        raw: (result.usage.raw ?? {}) as Json,
      };
    },
    async embed(text, call): Promise<EmbeddingAnswer> {
      const { providerOptions, signal } = call;
      const result = await guarded(call, (models) =>
        models
          .embedding()
          .doEmbed({ values: [text], abortSignal: signal, providerOptions: options(providerOptions) }),
      );
      const [embedding] = result.embeddings;
      if (embedding === undefined)
        throw providerError(null, { label, taskId: call.taskId, redact: outside.redact });
      const tokens = result.usage?.tokens;
      return {
        embedding,
        usage: tokens === undefined ? null : { ...NO_TOKENS, inputTokens: tokens },
        raw: rawUsageOf(result.response?.body),
      };
    },
  };
}

/** As the provider says it; a longer one is no name that has a price. */
function answeredBy(name: string | undefined): Pick<ModelAnswer, 'answeredBy'> {
  return name === undefined || name.length > MAX_MODEL_NAME ? {} : { answeredBy: name };
}

/** The usage block of an embedding, which the SDK does not hand on. */
function rawUsageOf(body: unknown): Json {
  return isJsonObject(body) && isJsonObject(body.usage) ? body.usage : {};
}

/**
 * Null where the provider counted nothing. The provider's own block tells more (what was kept in caches for how long,
 * audio, searches), but the SDK's totals hold where a block has parts that are billed beside it.
 */
function usageOf(provider: string, { usage }: LanguageModelV4GenerateResult): TokenUsage | null {
  const { inputTokens, outputTokens } = usage;
  if (inputTokens.total === undefined && outputTokens.total === undefined) return null;
  const totals: TokenUsage = {
    inputTokens: inputTokens.total ?? 0,
    cachedInputTokens: inputTokens.cacheRead ?? 0,
    cacheWriteTokens: inputTokens.cacheWrite ?? 0,
    outputTokens: outputTokens.total ?? 0,
    reasoningTokens: outputTokens.reasoning ?? 0,
  };
  const read = tokenUsageOf(provider, (usage.raw ?? null) as Json);
  const isSame =
    read.ok &&
    read.value.inputTokens === totals.inputTokens &&
    read.value.outputTokens === totals.outputTokens;
  return isSame ? read.value : totals;
}

function callOptions(call: ModelCall): Parameters<LanguageModelV4['doGenerate']>[0] {
  const { responseSchema, tools } = call;
  return {
    prompt: sdkPrompt(call.messages),
    abortSignal: call.signal,
    ...(call.temperature !== null && { temperature: call.temperature }),
    ...(call.maxOutputTokens !== null && { maxOutputTokens: call.maxOutputTokens }),
    ...(responseSchema !== null && {
      responseFormat: { type: 'json', schema: responseSchema, name: 'response' },
    }),
    ...(tools.length > 0 && {
      tools: tools.map(({ name, description, inputSchema }) => ({
        type: 'function' as const,
        name,
        description,
        inputSchema,
      })),
    }),
    providerOptions: options(call.providerOptions, responseSchema),
  };
}

/**
 * What the author wrote, over two defaults of ours for OpenAI: answers are not stored there (each request carries the
 * whole conversation), and its strict mode is asked for only where the schema is one that it takes.
 */
function options(
  written: ModelCall['providerOptions'],
  responseSchema: JsonObject | null = null,
): NonNullable<Parameters<LanguageModelV4['doGenerate']>[0]['providerOptions']> {
  const strict = responseSchema === null ? {} : { strictJsonSchema: isStrictSchema(responseSchema) };
  return {
    ...written,
    openai: { store: false, ...strict, ...written.openai },
    ...(responseSchema !== null && { openaiCompatible: { ...strict, ...written.openaiCompatible } }),
  };
}

function warningDetails(details: string | undefined): JsonObject {
  return details === undefined ? {} : { details };
}

async function loadModels(access: ModelAccess, fetch: typeof globalThis.fetch): Promise<SdkModels> {
  const { name, provider, dialect, baseUrl: baseURL } = access;
  const apiKey = access.apiKey ?? '';
  switch (dialect) {
    case 'anthropic': {
      const { createAnthropic } = await import('@ai-sdk/anthropic');
      const sdk = createAnthropic({ apiKey, baseURL, fetch });
      return { language: () => sdk.languageModel(name), embedding: () => sdk.embeddingModel(name) };
    }
    case 'openai': {
      const { createOpenAI } = await import('@ai-sdk/openai');
      const sdk = createOpenAI({ apiKey, baseURL, fetch });
      return { language: () => sdk.responses(name), embedding: () => sdk.embeddingModel(name) };
    }
    case 'google': {
      const { createGoogle } = await import('@ai-sdk/google');
      const sdk = createGoogle({ apiKey, baseURL, fetch });
      return { language: () => sdk.languageModel(name), embedding: () => sdk.embeddingModel(name) };
    }
    case 'compatible': {
      const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');
      const sdk = createOpenAICompatible({
        name: provider,
        baseURL,
        fetch,
        supportsStructuredOutputs: true,
        ...(access.apiKey !== null && { apiKey }),
      });
      return { language: () => sdk.chatModel(name), embedding: () => sdk.embeddingModel(name) };
    }
    case 'simulated':
      throw new Error('simulated models have no provider');
  }
}
