// `model_inference`: asks a model, lets it call tools, or embeds a text; records the cost of every call.

import { NO_TOKENS } from '../../core/cost/usage.ts';
import type { NodeDefinition } from '../../core/definition/model.ts';
import { compileSchema } from '../../core/definition/schema/input-schema.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { compiled, readField } from '../compile-config.ts';
import { readNamedSecrets } from '../read-secrets.ts';
import type { TaskContext, TaskType } from '../task-type.ts';
import { withNames } from '../task-within.ts';
import { askModel } from './ask-model.ts';
import { answererOf, type Conversation, converse } from './converse.ts';
import { textOf } from './message.ts';
import { type ModelRequest, prepareConfig } from './model-config.ts';
import { Spending, usageOf } from './spending.ts';
import { prepareTools } from './tools.ts';

export const modelInference: TaskType = {
  type: 'model_inference',
  isPure: false,
  prepare(node, types) {
    const config = prepareConfig(node);
    const tools = prepareTools(node, types);
    const responseSchema = prepareResponseSchema(node);
    const serviceId = node.serviceId ?? null;
    return {
      mappings: [
        ...config.mappings,
        ...tools.flatMap((tool) => [
          tool.description,
          ...tool.task.mappings,
          ...(tool.output === null ? [] : [tool.output]),
        ]),
      ],
      async run(context) {
        const { values, used } = await readNamedSecrets(config.mappings, context.outside.secrets);
        const request = config.read(
          { scope: withNames(context.scope, { secrets: values }), used },
          context.input,
        );
        return readField(node, 'mode') === 'embedding'
          ? { kind: 'completed', output: await embed(request, serviceId, context) }
          : await converse({ request, tools, responseSchema, serviceId }, context);
      },
    };
  },
};

function prepareResponseSchema(node: NodeDefinition): Conversation['responseSchema'] {
  const json = readField(node, 'responseSchema');
  return isJsonObject(json) ? { json, compiled: compiled(node, compileSchema(json)) } : null;
}

async function embed(
  request: ModelRequest,
  serviceId: string | null,
  context: TaskContext,
): Promise<JsonObject> {
  const text = request.messages.map(textOf).join('\n');
  const { answer, access } = await askModel(
    request.models,
    serviceId,
    context,
    new Spending(context),
    (model) =>
      model.embed(text, {
        taskId: context.taskId,
        messages: request.messages,
        tools: [],
        responseSchema: null,
        temperature: null,
        maxOutputTokens: null,
        providerOptions: request.providerOptions,
        attempt: context.attempt,
        signal: context.signal,
      }),
  );
  return {
    text: '',
    embedding: answer.embedding,
    finishReason: 'stop',
    model: `${access.provider}/${access.name}`,
    ...answererOf({ answer, access }),
    messages: [],
    toolCalls: [],
    usage: usageOf(answer.bill, answer.bill.usage ?? NO_TOKENS),
  };
}
