// The rule of model_inference: its config, what validation checks of it beyond the schema, and its output.
import type { Problem } from '../../errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import { quoteText } from '../quote-text.ts';
import { anything, closed, outputOf, text } from '../schema/config-schema.ts';
import { compileSchema } from '../schema/input-schema.ts';
import type { TaskTypeRule } from '../task-type.ts';
import { TOOL_APPROVAL } from './review-rule.ts';

export const MODEL_INFERENCE: TaskTypeRule = {
  type: 'model_inference',
  status: 'built',
  usesModel: true,
  configSchema: closed({
    prompt: anything("Default: the task's input."),
    messages: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        properties: {
          role: { enum: ['system', 'user', 'assistant', 'tool'] },
          content: {},
          providerOptions: { type: 'object' },
        },
        required: ['role', 'content'],
        additionalProperties: false,
      },
      description:
        'Instead of a prompt: the conversation. Content is text, or parts: { type: text, text }, { type: image | file, url or data (base64), mediaType }.',
    },
    systemPrompt: text('Instructions for the model.'),
    history: {
      type: 'array',
      description: 'Messages before the prompt, such as the `messages` of an earlier model_inference.',
    },
    temperature: { type: 'number', minimum: 0, maximum: 2, description: '0 is the most repeatable.' },
    maxOutputTokens: { type: 'integer', minimum: 1, description: 'Tokens of one answer.' },
    responseSchema: {
      type: 'object',
      description:
        'JSON Schema 2020-12 that the answer must fit; it is then also the `object` of the output. The model is asked once more where it does not fit.',
    },
    fallbackModels: {
      type: 'array',
      maxItems: 10,
      items: { type: 'string', minLength: 1 },
      description: 'Models that are asked in order where the one before is limited, broken or out of reach.',
    },
    tools: {
      type: 'array',
      minItems: 1,
      maxItems: 128,
      items: closed(
        {
          name: {
            type: 'string',
            pattern: '^[A-Za-z_][A-Za-z0-9_-]{0,63}$',
            'x-hint': 'letters, digits, "_" and "-", beginning with a letter or "_", at most 64',
            description: 'Its name for the model.',
          },
          description: text('What it does, for the model.'),
          inputSchema: {
            type: 'object',
            description: 'JSON Schema 2020-12 of its arguments, an object. Default: any object.',
          },
          task: {
            type: 'object',
            description:
              'A node without taskId that completes at once; its input, `$.task.input`, are the arguments.',
          },
          approval: TOOL_APPROVAL,
        },
        ['name', 'task'],
      ),
      description: 'Tasks that the model may call.',
    },
    maxSteps: {
      type: 'integer',
      minimum: 1,
      maximum: 100,
      default: 10,
      description:
        'Turns of the model, those with calls of tools included; then loop_limit. A repair is one more.',
    },
    mode: {
      enum: ['text', 'embedding'],
      default: 'text',
      description: 'embedding: the prompt becomes a vector.',
    },
    credential: {
      type: 'string',
      pattern: '^[A-Za-z_][A-Za-z0-9_]{0,99}$',
      'x-hint': 'the name of a secret: letters, digits and "_"',
      description: "The secret that is the provider's key. Default: the installation's key.",
    },
    baseUrl: text(
      "Another address of the provider's API; at openai/… and unknown providers one that speaks OpenAI's chat completions.",
    ),
    providerOptions: {
      type: 'object',
      additionalProperties: { type: 'object' },
      description: "Further options by provider name, in the AI SDK's words.",
    },
  }),
  fields: {
    responseSchema: 'literal',
    'tools/*/name': 'literal',
    'tools/*/inputSchema': 'literal',
    'tools/*/task': 'tool',
    'tools/*/approval': 'literal',
    mode: 'literal',
    credential: 'literal',
  },
  atMostOneOf: [['prompt', 'messages']],
  problems: modelProblems,
  usesSecrets: true,
  waitsForOutside: ({ tools }) =>
    Array.isArray(tools) && tools.some((tool) => isJsonObject(tool) && needsApproval(tool.approval)),
  outputSchema: (config) => ({
    type: 'object',
    properties: {
      text: { type: 'string' },
      ...(config.responseSchema !== undefined && { object: responseShape(config.responseSchema) }),
      ...(config.mode === 'embedding' && { embedding: { type: 'array' } }),
      finishReason: { type: 'string' },
      model: { type: 'string' },
      messages: { type: 'array' },
      toolCalls: { type: 'array' },
      usage: outputOf(
        'inputTokens',
        'cachedInputTokens',
        'cacheWriteTokens',
        'outputTokens',
        'reasoningTokens',
        'raw',
      ),
    },
    additionalProperties: false,
  }),
};

const needsApproval = (approval: Json | undefined): boolean => approval !== undefined && approval !== false;

/** Schemas that cannot be used, and what an embedding cannot have. */
function modelProblems({ tools, responseSchema, mode, ...config }: JsonObject): Problem[] {
  const ofSchema = (schema: Json | undefined, pointer: string): Problem[] => {
    const checked = isJsonObject(schema) ? compileSchema(schema) : null;
    if (checked === null || checked.ok) return [];
    return checked.problems.map((problem) => ({ ...problem, pointer: `${pointer}${problem.pointer}` }));
  };
  const problems = ofSchema(responseSchema, '/responseSchema');
  if (typeof tools === 'string')
    problems.push({
      pointer: '/tools',
      code: 'type',
      message: 'must be a list; a template cannot give tools',
    });
  const names = new Set<Json | undefined>();
  for (const [i, tool] of (Array.isArray(tools) ? (tools as readonly Json[]) : []).entries()) {
    if (!isJsonObject(tool)) continue;
    problems.push(...ofSchema(tool.inputSchema, `/tools/${i}/inputSchema`));
    if (names.has(tool.name))
      problems.push({
        pointer: `/tools/${i}/name`,
        code: 'duplicate_tool',
        message: `there is already a tool ${quoteText(String(tool.name))}`,
      });
    names.add(tool.name);
  }
  const notOfEmbeddings = { tools, responseSchema, messages: config.messages, history: config.history };
  if (mode === 'embedding')
    for (const [name, value] of Object.entries(notOfEmbeddings))
      if (value !== undefined)
        problems.push({ pointer: `/${name}`, code: 'conflict', message: `an embedding has no ${name}` });
  return problems;
}

/** A schema with an address of its own is not followed here. */
function responseShape(schema: Json): Json {
  const text = JSON.stringify(schema);
  return text.includes('"$ref"') || text.includes('"$dynamicRef"') ? {} : schema;
}
