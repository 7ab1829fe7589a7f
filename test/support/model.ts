// Runs a model_inference without an engine: providers are a fake fetch or a loopback server, prices are fixed, and every
// cost, checkpoint and log line is kept.

import { priceBill } from '../../src/core/cost/price-bill.ts';
import type { PriceTable } from '../../src/core/cost/price-table.ts';
import type { NodeDefinition } from '../../src/core/definition/model.ts';
import type { Json, JsonObject } from '../../src/core/json.ts';
import { addUsd, priceTokens } from '../../src/core/money.ts';
import type { Outside, Prices } from '../../src/tasks/outside.ts';
import { createRegistry } from '../../src/tasks/registry.ts';
import type { TaskContext, TaskType } from '../../src/tasks/task-type.ts';
import { context, node, outputOf } from '../core/tasks/run-task.ts';
import { closedOutside, providersOf, unpricedBill } from './outside.ts';

export interface Asked {
  readonly url: string;
  readonly headers: { readonly [name: string]: string };
  readonly body: JsonObject;
}

export interface ModelRun {
  readonly costs: { usd: string | number | null; usage?: JsonObject }[];
  readonly checkpoints: Json[];
  readonly warnings: string[];
}

export interface ModelSetting {
  readonly modelId?: string;
  readonly outside?: Partial<Outside>;
  readonly context?: Partial<TaskContext>;
  readonly types?: readonly TaskType[];
  readonly node?: Partial<NodeDefinition>;
}

/** Dollars per million: 1 in, 2 out, for every model but those of the provider `unpriced`. */
export const fixedPrices: Prices = {
  async price({ provider, model, bill }) {
    const { usage } = bill;
    if (provider === 'unpriced' || usage === null)
      return unpricedBill(`there is no price for ${provider}/${model}`);
    const inputCostUsd = priceTokens(usage.inputTokens, '1');
    const outputCostUsd = priceTokens(usage.outputTokens, '2');
    return {
      ...unpricedBill(null),
      inputCostUsd,
      outputCostUsd,
      costUsd: addUsd(inputCostUsd, outputCostUsd),
    };
  },
};

/** Prices by a table, as a worker's are. */
export const tablePrices = (table: PriceTable, at?: Date): Prices => ({
  price: async (call) => priceBill(table, call.bill, { ...call, at: at ?? call.at }),
});

export const KEYS = providersOf({
  anthropic: { apiKey: 'key-of-anthropic' },
  openai: { apiKey: 'key-of-openai' },
  google: { apiKey: 'key-of-google' },
});

/** Resolves with the output; what it spent and kept is in `run`, also when it rejects. */
export async function infer(
  config: JsonObject,
  setting: ModelSetting = {},
  run: ModelRun = { costs: [], checkpoints: [], warnings: [] },
): Promise<{ output: JsonObject & { text: string; usage: JsonObject }; run: ModelRun }> {
  const types = createRegistry(setting.types);
  const { modelId = 'simulated/fast' } = setting;
  const definition = node('model_inference', config, { modelId, ...setting.node });
  const outcome = await types
    .get('model_inference')!
    .prepare(definition, types)
    .run(
      context({
        addCost: (usd, usage) => void run.costs.push({ usd, usage }),
        checkpoint: async (state) => void run.checkpoints.push(JSON.parse(JSON.stringify(state)) as Json),
        log: { debug() {}, info() {}, error() {}, warn: (message) => void run.warnings.push(message) },
        outside: closedOutside({ prices: fixedPrices, providers: KEYS, ...setting.outside }),
        ...setting.context,
      }),
    );
  return { output: JSON.parse(JSON.stringify(outputOf(outcome))) as never, run };
}

export type Answer = JsonObject | Response | Error | (() => Promise<Response>);

/** A fetch that answers each request in turn, and keeps what it was asked. The last answer is repeated. */
export function answering(...answers: Answer[]): {
  readonly fetch: typeof globalThis.fetch;
  readonly asked: Asked[];
} {
  const asked: Asked[] = [];
  const fetch = async (url: string | URL | Request, init?: RequestInit) => {
    asked.push({
      url: String(url),
      headers: Object.fromEntries(new Headers(init?.headers)),
      body: JSON.parse(String(init?.body)) as JsonObject,
    });
    const answer = answers[Math.min(asked.length, answers.length) - 1]!;
    if (answer instanceof Error) throw answer;
    if (typeof answer === 'function') return await answer();
    if (answer instanceof Response) return answer.clone();
    return Response.json(answer, { headers: { 'x-request-id': `req-${asked.length}` } });
  };
  return { fetch: fetch as typeof globalThis.fetch, asked };
}

export const http = (fetch: typeof globalThis.fetch): Pick<Outside, 'http'> => ({
  http: { ...closedOutside().http, fetch },
});

/** A chat completion of OpenAI: a text, or calls of tools. */
export function chat(
  content: string | readonly { id: string; name: string; arguments: string }[],
  more: JsonObject = {},
): JsonObject {
  const isText = typeof content === 'string';
  return {
    id: 'chat-1',
    object: 'chat.completion',
    created: 1,
    model: 'some-model',
    choices: [
      {
        index: 0,
        finish_reason: isText ? 'stop' : 'tool_calls',
        message: isText
          ? { role: 'assistant', content }
          : {
              role: 'assistant',
              content: null,
              tool_calls: content.map(({ id, name, arguments: text }) => ({
                id,
                type: 'function',
                function: { name, arguments: text },
              })),
            },
      },
    ],
    usage: { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 },
    ...more,
  };
}

/** An OpenAI-compatible server of the fake kind. */
export const COMPATIBLE = { modelId: 'local/some-model', baseUrl: 'https://models.example/v1' } as const;
