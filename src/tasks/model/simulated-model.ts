// The model provider `simulated`: the same answer and token counts for the same model and messages, without a network or a
// key; for demos and tests. Its answers say that they are simulated.
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { readBill } from '../../core/cost/bill.ts';
import { RetryableError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { type ContentPart, textOf } from './message.ts';
import type { Model, ModelAnswer, ModelCall } from './model-call.ts';
import { sampleValue } from './sample-value.ts';

const CHARS_PER_TOKEN = 4;
const QUOTED_CHARS = 120;
const LATENCY_MS: ReadonlyMap<string, number> = new Map([
  ['fast', 0],
  ['agent', 0],
  ['slow', 300],
  ['deep', 3_000],
]);
const OTHER_LATENCY_MS = 30;

/**
 * `fast` and `agent` answer at once, `slow` after 300 ms, `deep` after 3 s, others after 30 ms; `flaky` fails the first attempt of each
 * task. Given tools, calls each of them once, in order, with made-up arguments, then answers; given a responseSchema,
 * answers with a made-up value that fits it. Rejects with the signal's reason when it is aborted.
 */
export function simulatedModel(name: string): Model {
  const model = `simulated/${name}`;
  const begin = async (call: ModelCall): Promise<void> => {
    call.signal.throwIfAborted();
    await pause(LATENCY_MS.get(name) ?? OTHER_LATENCY_MS, call.signal);
    if (name === 'flaky' && call.attempt === 1)
      throw new RetryableError(`${model} fails the first attempt of each task, on purpose`, {
        code: 'provider_error',
      });
  };
  return {
    async generate(call) {
      await begin(call);
      const inputTokens = call.messages.reduce((sum, message) => sum + countTokens(textOf(message)), 0);
      const toolCall = nextToolCall(call);
      if (toolCall !== null)
        return answer([toolCall], 'tool-calls', inputTokens, countTokens(JSON.stringify(toolCall.input)));
      const full = fullText(model, call);
      const limit = call.maxOutputTokens === null ? full.length : call.maxOutputTokens * CHARS_PER_TOKEN;
      const text = full.slice(0, limit).toWellFormed();
      const finishReason = text.length < full.length ? 'length' : 'stop';
      return answer([{ type: 'text', text }], finishReason, inputTokens, countTokens(text));
    },
    async embed(text, call) {
      await begin(call);
      const digest = createHash('sha256')
        .update(JSON.stringify([model, text]))
        .digest();
      const embedding = Array.from({ length: 16 }, (_, i) => digest.readInt16BE(i * 2) / 32_768);
      return { embedding, ...counted(countTokens(text), 0) };
    },
  };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms === 0) return;
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

function answer(
  content: readonly ContentPart[],
  finishReason: ModelAnswer['finishReason'],
  inputTokens: number,
  outputTokens: number,
): ModelAnswer {
  return { content, finishReason, ...counted(inputTokens, outputTokens) };
}

function counted(inputTokens: number, outputTokens: number): Pick<ModelAnswer, 'bill'> {
  const usage = { simulated: true, prompt_tokens: inputTokens, completion_tokens: outputTokens };
  return { bill: readBill('simulated', { usage }) };
}

/** The first tool that the conversation has not called yet. */
function nextToolCall({ tools, messages }: ModelCall): (ContentPart & { readonly input: JsonObject }) | null {
  const called = messages.flatMap(({ content }) =>
    typeof content === 'string' ? [] : content.filter(({ type }) => type === 'tool-call'),
  );
  const tool = tools.find(({ name }) => !called.some(({ toolName }) => toolName === name));
  if (tool === undefined) return null;
  return {
    type: 'tool-call',
    toolCallId: `simulated-${called.length + 1}`,
    toolName: tool.name,
    input: sampleValue(tool.inputSchema) as JsonObject,
  };
}

function fullText(model: string, { messages, responseSchema }: ModelCall): string {
  if (responseSchema !== null) return JSON.stringify(sampleValue(responseSchema));
  const asked = messages.findLast((message) => message.role === 'user');
  const quoted = asked === undefined ? '' : textOf(asked).replaceAll(/\s+/g, ' ').trim();
  const shown = quoted.length > QUOTED_CHARS ? `${quoted.slice(0, QUOTED_CHARS).toWellFormed()}…` : quoted;
  const hash = createHash('sha256')
    .update(JSON.stringify([model, messages]))
    .digest('hex')
    .slice(0, 8);
  return `[simulated ${model} ${hash}] An answer to: ${shown}`;
}

function countTokens(text: string): number {
  return Math.ceil(text.length / CHARS_PER_TOKEN);
}
