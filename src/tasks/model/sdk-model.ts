// Models of real providers, spoken to through the provider packages of the AI SDK: its models are called directly, so
// there are no retries, no gateway and no environment variables but ours. A package is loaded when a task first needs it.

import type { EmbeddingModelV4, LanguageModelV4 } from '@ai-sdk/provider';
import { type Bill, readBill } from '../../core/cost/bill.ts';
import type { JsonObject } from '../../core/json.ts';
import type { JsonWarning } from '../../core/long-numbers.ts';
import type { Outside } from '../outside.ts';
import type { TaskContext } from '../task-type.ts';
import { exactArguments } from './exact-arguments.ts';
import { HeardAnswer } from './heard-answer.ts';
import {
  billsOfFailures,
  type EmbeddingAnswer,
  type Model,
  type ModelAnswer,
  type ModelCall,
} from './model-call.ts';
import type { ModelAccess } from './provider-access.ts';
import { errorInBody, providerError } from './provider-error.ts';
import { answerParts, sdkPrompt } from './sdk-prompt.ts';
import { isStrictSchema } from './strict-schema.ts';

interface SdkModels {
  readonly language: () => LanguageModelV4;
  readonly embedding: () => EmbeddingModelV4;
}

/** Every request goes through `outside.http.fetch`; error messages are redacted. */
export function sdkModel(
  access: ModelAccess,
  outside: Pick<Outside, 'http' | 'redact'>,
  { log, tenantId }: Pick<TaskContext, 'log' | 'tenantId'>,
): Model {
  const label = `${access.provider}/${access.name}`;
  const warn = ({ message, ...fields }: JsonWarning): void => log.warn(message, fields);
  const guarded = async <T>(
    call: ModelCall,
    ask: (models: SdkModels) => PromiseLike<T>,
  ): Promise<{ readonly result: T; readonly bill: Bill }> => {
    const place = { label, taskId: call.taskId, redact: outside.redact };
    const { fetch } = outside.http;
    const heard = new HeardAnswer(call.tools.length > 0 ? exactArguments(fetch, warn) : fetch, {
      dialect: access.dialect,
      tenantId,
      throwError: (found) => {
        throw errorInBody(found, place);
      },
    });
    try {
      const result = await ask(await loadModels(access, heard.fetch));
      return { result, bill: readBill(access.provider, heard.body) };
    } catch (error) {
      call.signal.throwIfAborted();
      const failure = providerError(error, place);
      const bill = readBill(access.provider, heard.body);
      if (bill.block !== null) billsOfFailures.set(failure, bill);
      throw failure;
    }
  };
  return {
    async generate(call): Promise<ModelAnswer> {
      const { result, bill } = await guarded(call, (models) =>
        models.language().doGenerate(callOptions(call)),
      );
      for (const warning of result.warnings)
        if (warning.type === 'unsupported')
          log.warn(`${label} does not support ${warning.feature}`, warningDetails(warning.details));
      return {
        content: answerParts(result.content, warn),
        finishReason: result.finishReason.unified === 'interrupted' ? 'error' : result.finishReason.unified,
        ...(result.structuredOutputText !== undefined && { structuredText: result.structuredOutputText }),
        bill,
      };
    },
    async embed(text, call): Promise<EmbeddingAnswer> {
      const { providerOptions, signal } = call;
      const { result, bill } = await guarded(call, (models) =>
        models
          .embedding()
          .doEmbed({ values: [text], abortSignal: signal, providerOptions: options(providerOptions) }),
      );
      const [embedding] = result.embeddings;
      if (embedding === undefined)
        throw providerError(null, { label, taskId: call.taskId, redact: outside.redact });
      return { embedding, bill };
    },
  };
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
