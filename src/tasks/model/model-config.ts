// The config of a model_inference: compiled once, evaluated and checked for each attempt.
import { MAX_MODEL_ID, type NodeDefinition } from '../../core/definition/model.ts';
import { TerminalError } from '../../core/errors.ts';
import { compileMapping, evaluateMapping, type Mapping } from '../../core/expression/mapping.ts';
import type { Scope } from '../../core/expression/scope.ts';
import {
  isJsonObject,
  type Json,
  type JsonObject,
  MAX_VALUE_BYTES,
  toStorableJson,
} from '../../core/json.ts';
import { compiled, compileField, describe, invalidField, readField } from '../compile-config.ts';
import type { Secret } from '../secret.ts';
import { type ModelMessage, readMessages, readParts, withoutFileData } from './message.ts';
import { promptOfInput } from './parent-texts.ts';
import type { AccessRequest } from './provider-access.ts';

const EVALUATED = [
  'prompt',
  'messages',
  'systemPrompt',
  'history',
  'temperature',
  'maxOutputTokens',
  'maxSteps',
  'fallbackModels',
  'baseUrl',
  'providerOptions',
] as const;
const DEFAULT_MAX_STEPS = 10;
const MAX_STEPS = 100;
const MAX_FALLBACKS = 10;
/** Room that an output keeps for the answer beside the conversation. */
const ANSWER_BYTES = 64_000;

/** What one attempt asks for. */
export interface ModelRequest {
  /** The model that is wanted, then the fallbacks. */
  readonly models: readonly AccessRequest[];
  /** System prompt, history, then messages or prompt. */
  readonly messages: readonly ModelMessage[];
  readonly temperature: number | null;
  readonly maxOutputTokens: number | null;
  /** Turns of the model. */
  readonly maxSteps: number;
  readonly providerOptions: { readonly [provider: string]: JsonObject };
}

export interface PreparedConfig {
  readonly mappings: readonly Mapping[];
  /** `scope` also knows the secrets, `used` those that it gave. Throws `validation` where a value does not fit. */
  read(from: { readonly scope: Scope; readonly used: ReadonlySet<Secret> }, input: Json): ModelRequest;
}

export function prepareConfig(node: NodeDefinition): PreparedConfig {
  const modelId = compiled(node, compileMapping(node.modelId ?? null, '/modelId'));
  const fields = EVALUATED.filter((field) => readField(node, field) !== undefined).map(
    (field) => [field, compileField(node, field)] as const,
  );
  return {
    mappings: [modelId, ...fields.map(([, mapping]) => mapping)],
    read({ scope, used }, input) {
      const config: JsonObject = Object.fromEntries(
        fields.map(([field, mapping]) => [field, evaluateMapping(mapping, scope)]),
      );
      return {
        models: readModels(node, evaluateMapping(modelId, scope), config, used),
        messages: buildMessages(node, config, input),
        temperature: readNumber(node, config, 'temperature', { least: 0, greatest: 2 }),
        maxOutputTokens: readNumber(node, config, 'maxOutputTokens', { least: 1, isWhole: true }),
        maxSteps:
          readNumber(node, config, 'maxSteps', { least: 1, greatest: MAX_STEPS, isWhole: true }) ??
          DEFAULT_MAX_STEPS,
        providerOptions: readProviderOptions(node, config.providerOptions ?? null),
      };
    },
  };
}

/** `credential` and `baseUrl` are those of the modelId's provider; fallbacks at other providers use the operator's. */
function readModels(
  node: NodeDefinition,
  modelId: Json,
  config: JsonObject,
  usedSecrets: ReadonlySet<Secret>,
): AccessRequest[] {
  const { baseUrl = null, fallbackModels = null } = config;
  const credential = readField(node, 'credential');
  if (baseUrl !== null && typeof baseUrl !== 'string')
    throw invalidField(node, 'baseUrl', 'an address', baseUrl);
  if (fallbackModels !== null && !(Array.isArray(fallbackModels) && fallbackModels.length <= MAX_FALLBACKS))
    throw invalidField(node, 'fallbackModels', `a list of at most ${MAX_FALLBACKS} models`, fallbackModels);
  const names = [modelId, ...((fallbackModels ?? []) as readonly Json[])].map((name) =>
    readModelId(node, name),
  );
  const providerOf = (name: string) => name.slice(0, name.indexOf('/'));
  return names.map((model) => {
    const isSame = providerOf(model) === providerOf(names[0] as string);
    return {
      taskId: node.taskId,
      model,
      credential: isSame && typeof credential === 'string' ? credential : null,
      baseUrl: isSame ? baseUrl : null,
      usedSecrets,
    };
  });
}

function readModelId(node: NodeDefinition, modelId: Json): string {
  if (typeof modelId === 'string' && modelId.length > MAX_MODEL_ID)
    throw new TerminalError(
      'validation',
      `Task "${node.taskId}": a modelId has at most ${MAX_MODEL_ID} characters, got ${modelId.length}`,
    );
  if (typeof modelId === 'string' && /^[^/\s]+\/.+$/s.test(modelId)) return modelId;
  throw new TerminalError(
    'validation',
    `Task "${node.taskId}": model_inference needs a modelId such as "simulated/fast", got ${typeof modelId === 'string' ? `"${modelId.slice(0, 80)}"` : describe(modelId)}`,
  );
}

/** Without prompt and messages, the task's input as text: of its parents that are models, what they said. */
function buildMessages(node: NodeDefinition, config: JsonObject, input: Json): ModelMessage[] {
  const { systemPrompt = null, history = null, messages = null, prompt = null } = config;
  const system: ModelMessage[] =
    systemPrompt === null ? [] : [{ role: 'system', content: toText(systemPrompt) }];
  const asked: ModelMessage[] =
    messages === null
      ? [{ role: 'user', content: promptContent(node, prompt ?? defaultPrompt(node, input)) }]
      : readMessages(node, 'messages', messages);
  const all = [...system, ...(history === null ? [] : readMessages(node, 'history', history)), ...asked];
  // Found before it costs anything: the output repeats the conversation.
  const stored = toStorableJson(withoutFileData(all), MAX_VALUE_BYTES - ANSWER_BYTES);
  if (!stored.ok)
    throw new TerminalError(stored.code, `Task "${node.taskId}": the conversation ${stored.message}`);
  return all;
}

/** What an inputMapping makes is taken as it is. */
function defaultPrompt(node: NodeDefinition, input: Json): Json {
  return node.inputMapping === undefined ? promptOfInput(input, node.dependsOn.length > 0) : input;
}

/** A list whose elements are content parts is one; any other value is its JSON. */
function promptContent(node: NodeDefinition, prompt: Json): ModelMessage['content'] {
  const isParts =
    Array.isArray(prompt) &&
    prompt.length > 0 &&
    (prompt as readonly Json[]).every(
      (part) => isJsonObject(part) && ['text', 'image', 'file'].includes(String(part.type)),
    );
  return isParts ? readParts(node, 'prompt', 'user', prompt) : toText(prompt);
}

function readNumber(
  node: NodeDefinition,
  config: JsonObject,
  field: string,
  { least, greatest, isWhole }: { least: number; greatest?: number; isWhole?: boolean },
): number | null {
  const value = config[field] ?? null;
  if (value === null) return null;
  const most = greatest ?? Number.MAX_SAFE_INTEGER;
  if (
    typeof value === 'number' &&
    value >= least &&
    value <= most &&
    (!isWhole || Number.isSafeInteger(value))
  )
    return value;
  const range = greatest === undefined ? `of ${least} or more` : `from ${least} to ${greatest}`;
  throw invalidField(node, field, `a ${isWhole ? 'whole ' : ''}number ${range}`, value);
}

function readProviderOptions(node: NodeDefinition, value: Json): { readonly [provider: string]: JsonObject } {
  if (value === null) return {};
  if (isJsonObject(value) && Object.values(value).every(isJsonObject))
    return value as { readonly [provider: string]: JsonObject };
  throw invalidField(node, 'providerOptions', 'an object of objects by provider name', value);
}

function toText(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
