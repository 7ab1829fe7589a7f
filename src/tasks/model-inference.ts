// `model_inference`: builds the conversation, asks the provider that the modelId names, records cost and usage.
import type { NodeDefinition } from '../core/definition/model.ts';
import { TerminalError } from '../core/errors.ts';
import { compileMapping, evaluateMapping } from '../core/expression/mapping.ts';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { compiled, compileField, describe, invalidField, readField } from './compile-config.ts';
import type { ModelAnswer, ModelMessage, ModelProvider } from './model-call.ts';
import { callSimulatedModel } from './simulated-model.ts';
import type { TaskContext, TaskType } from './task-type.ts';

const PROVIDERS: ReadonlyMap<string, ModelProvider> = new Map([['simulated', callSimulatedModel]]);
const ROLES = ['system', 'user', 'assistant'] as const;
const FIELDS = ['prompt', 'messages', 'systemPrompt', 'history', 'maxOutputTokens', 'temperature'] as const;

export const modelInference: TaskType = {
  type: 'model_inference',
  isPure: false,
  prepare(node) {
    const modelId = compiled(node, compileMapping(node.modelId ?? null, '/modelId'));
    const fields = FIELDS.filter((field) => readField(node, field) !== undefined).map(
      (field) => [field, compileField(node, field)] as const,
    );
    return {
      mappings: [modelId, ...fields.map(([, mapping]) => mapping)],
      async run(context) {
        const config: JsonObject = Object.fromEntries(
          fields.map(([field, mapping]) => [field, evaluateMapping(mapping, context.scope)]),
        );
        const model = readModelId(node, evaluateMapping(modelId, context.scope));
        return { kind: 'completed', output: await infer(node, model, config, context) };
      },
    };
  },
};

async function infer(
  node: NodeDefinition,
  model: string,
  config: JsonObject,
  context: TaskContext,
): Promise<Json> {
  const messages = buildMessages(node, config, context.input);
  const provider = model.slice(0, model.indexOf('/'));
  const startedAt = performance.now();
  const ask = providerOf(node, provider);
  const answer = await ask({
    model,
    messages,
    maxOutputTokens: readMaxOutputTokens(node, config.maxOutputTokens ?? null),
    attempt: context.attempt,
    signal: context.signal,
  });
  context.addCost(answer.costUsd, {
    provider,
    model,
    inputTokens: answer.inputTokens,
    outputTokens: answer.outputTokens,
    latencyMs: Math.round(performance.now() - startedAt),
    simulated: provider === 'simulated',
  });
  return outputOf(model, messages, answer);
}

function outputOf(model: string, messages: readonly ModelMessage[], answer: ModelAnswer): Json {
  return {
    text: answer.text,
    finishReason: answer.finishReason,
    model,
    messages: [...messages, { role: 'assistant', content: answer.text }],
    toolCalls: [],
    usage: {
      inputTokens: answer.inputTokens,
      cachedInputTokens: 0,
      cacheWriteTokens: 0,
      outputTokens: answer.outputTokens,
      reasoningTokens: 0,
      raw: answer.raw,
    },
  };
}

function readModelId(node: NodeDefinition, modelId: Json): string {
  if (typeof modelId === 'string' && /^[^/]+\/.+$/s.test(modelId)) return modelId;
  throw new TerminalError(
    'validation',
    `Task "${node.taskId}": model_inference needs a modelId such as "simulated/fast", got ${typeof modelId === 'string' ? `"${modelId.slice(0, 80)}"` : describe(modelId)}`,
  );
}

function providerOf(node: NodeDefinition, name: string): ModelProvider {
  const provider = PROVIDERS.get(name);
  if (provider !== undefined) return provider;
  throw new TerminalError(
    'validation',
    `Task "${node.taskId}": the model provider "${name}" is not supported yet; supported: ${[...PROVIDERS.keys()].join(', ')}`,
  );
}

/** System prompt, history, then `messages` or the prompt; without either, the task's input as text. */
function buildMessages(node: NodeDefinition, config: JsonObject, input: Json): ModelMessage[] {
  const { systemPrompt = null, history = null, messages = null, prompt = null } = config;
  const system: ModelMessage[] =
    systemPrompt === null ? [] : [{ role: 'system', content: toText(systemPrompt) }];
  const asked: ModelMessage[] =
    messages === null
      ? [{ role: 'user', content: toText(prompt ?? input) }]
      : readMessages(node, 'messages', messages);
  return [...system, ...(history === null ? [] : readMessages(node, 'history', history)), ...asked];
}

function readMessages(node: NodeDefinition, field: string, value: Json): ModelMessage[] {
  if (!Array.isArray(value)) throw invalidField(node, field, 'an array of messages', value);
  return (value as readonly Json[]).map((message, index) => {
    const role = isJsonObject(message) ? ROLES.find((one) => one === message.role) : undefined;
    const content = isJsonObject(message) ? message.content : undefined;
    if (role === undefined || !(typeof content === 'string' || Array.isArray(content)))
      throw invalidField(
        node,
        `${field}[${index}]`,
        `{ role: ${ROLES.join(' | ')}, content: text or parts }`,
        message,
      );
    return { role, content };
  });
}

function readMaxOutputTokens(node: NodeDefinition, value: Json): number | null {
  if (value === null || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1))
    return value;
  throw invalidField(node, 'maxOutputTokens', 'a whole number of 1 or more', value);
}

function toText(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
