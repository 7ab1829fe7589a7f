// The model provider `simulated`: the same answer and token counts for the same model and messages, without a network or a
// key; for demos and tests. Its answers say that they are simulated.
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { RetryableError } from '../core/errors.ts';
import { addUsd, priceTokens, type Usd } from '../core/money.ts';
import type { ModelAnswer, ModelCall, ModelMessage } from './model-call.ts';

/** US dollars per million tokens, for every simulated model. */
export const SIMULATED_RATES = { inputUsdPerMillion: '1', outputUsdPerMillion: '2' } as const;
const CHARS_PER_TOKEN = 4;
const QUOTED_CHARS = 120;
const LATENCY_MS: ReadonlyMap<string, number> = new Map([
  ['fast', 0],
  ['slow', 300],
]);
const OTHER_LATENCY_MS = 30;

/**
 * `fast` answers at once, `slow` after 300 ms, others after 30 ms; `flaky` fails the first attempt of each task. Rejects
 * with the signal's reason when it is aborted.
 */
export async function callSimulatedModel(call: ModelCall): Promise<ModelAnswer> {
  const name = call.model.slice('simulated/'.length);
  call.signal.throwIfAborted();
  await pause(LATENCY_MS.get(name) ?? OTHER_LATENCY_MS, call.signal);
  if (name === 'flaky' && call.attempt === 1)
    throw new RetryableError(`${call.model} fails the first attempt of each task, on purpose`, {
      code: 'provider_error',
    });
  const inputTokens = call.messages.reduce((sum, message) => sum + countTokens(contentText(message)), 0);
  const full = answerText(call.model, call.messages);
  const limit = call.maxOutputTokens === null ? full.length : call.maxOutputTokens * CHARS_PER_TOKEN;
  const text = full.slice(0, limit).toWellFormed();
  const outputTokens = countTokens(text);
  return {
    text,
    finishReason: text.length < full.length ? 'length' : 'stop',
    inputTokens,
    outputTokens,
    costUsd: cost(inputTokens, outputTokens),
    raw: { simulated: true, prompt_tokens: inputTokens, completion_tokens: outputTokens },
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

function answerText(model: string, messages: readonly ModelMessage[]): string {
  const asked = messages.findLast((message) => message.role === 'user');
  const quoted = asked === undefined ? '' : contentText(asked).replaceAll(/\s+/g, ' ').trim();
  const shown = quoted.length > QUOTED_CHARS ? `${quoted.slice(0, QUOTED_CHARS).toWellFormed()}…` : quoted;
  const hash = createHash('sha256')
    .update(JSON.stringify([model, messages]))
    .digest('hex')
    .slice(0, 8);
  return `[simulated ${model} ${hash}] An answer to: ${shown}`;
}

function contentText(message: ModelMessage): string {
  return typeof message.content === 'string' ? message.content : JSON.stringify(message.content);
}

function countTokens(text: string): number {
  return Math.ceil(text.length / CHARS_PER_TOKEN);
}

function cost(inputTokens: number, outputTokens: number): Usd {
  return addUsd(
    priceTokens(inputTokens, SIMULATED_RATES.inputUsdPerMillion),
    priceTokens(outputTokens, SIMULATED_RATES.outputUsdPerMillion),
  );
}
