// Recorded answers of providers, replayed by a plain server on this machine: text, tokens and cost are those of the record.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readPriceLibrary } from '../../../src/core/cost/price-library.ts';
import { PriceTable } from '../../../src/core/cost/price-table.ts';
import { priceUsage } from '../../../src/core/cost/price-usage.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import { parseAllowList } from '../../../src/tasks/outbound/allow-list.ts';
import { createHttp, type OutsideHttp } from '../../../src/tasks/outbound/client.ts';
import { infer, type ModelRun, tablePrices } from '../../support/model.ts';
import { tokenUsageOf } from '../../support/token-usage.ts';

const ROOT = fileURLToPath(new URL('../../../../shared/data/llm-responses/', import.meta.url));
const AT = new Date('2026-06-01T00:00:00Z');

interface Recording {
  readonly file: string;
  readonly provider: 'anthropic' | 'google' | 'openai';
  readonly model: string;
  // biome-ignore lint/suspicious/noExplicitAny: bodies of others, read loosely on purpose
  readonly body: any;
}

const isHere = existsSync(ROOT);
if (!isHere) console.warn(`no recorded answers at ${ROOT}: their tests are skipped`);
const recordings: Recording[] = isHere
  ? ['anthropic', 'google', 'openai', 'google-genai-recordings'].flatMap(readFolder)
  : [];
const answers = recordings.filter(({ body }) => body.error === undefined || body.error === null);

let server: Server;
let http: OutsideHttp;
let prices: PriceTable;
let served: { status: number; body: unknown } = { status: 200, body: {} };
const base = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

beforeAll(async () => {
  prices = new PriceTable(await readPriceLibrary());
  const allowed = parseAllowList(['127.0.0.1']);
  if (!allowed.ok) throw new Error('the allow-list is wrong');
  http = createHttp({ allowedHosts: allowed.value });
  server = createServer((request, response) => {
    request.resume();
    response.writeHead(served.status, { 'content-type': 'application/json', 'x-request-id': 'req-1' });
    response.end(JSON.stringify(served.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await http?.close();
  server?.closeAllConnections();
  server?.close();
});

async function replay({ provider, model, body }: Recording, config: JsonObject, run: ModelRun) {
  served = { status: body.error ? 400 : 200, body };
  // OpenAI's own dialect is spoken at its own address only, so its server stands in for that address.
  const isResponse = body.object === 'response';
  const fetch: typeof globalThis.fetch = (url, init) =>
    http.fetch(String(url).replace('https://api.openai.com', base()), init);
  return await infer(
    {
      prompt: 'hi',
      ...(isResponse ? {} : { baseUrl: `${base()}${provider === 'openai' ? '/v1' : ''}` }),
      ...config,
    },
    {
      modelId: `${provider}/${model}`,
      outside: { http: { ...http, fetch }, prices: tablePrices(prices, AT) },
    },
    run,
  );
}

describe.skipIf(!isHere)('a recorded answer', () => {
  test.each(answers.map((recording) => [recording.file, recording] as const))(
    '%s',
    async (_file, recording) => {
      const run: ModelRun = { costs: [], checkpoints: [], warnings: [] };
      const { body, provider, model } = recording;
      const isEmbedding = body.object === 'list';
      const expected = tokensOf(recording);
      const ended = await replay(
        recording,
        isEmbedding ? { mode: 'embedding' } : { maxSteps: 1, tools: toolsOf(body) },
        run,
      ).then(
        ({ output }) => output,
        (error: { code: string }) => error,
      );

      const rawUsage = body.usage ?? body.usageMetadata;
      const read = tokenUsageOf(provider, rawUsage);
      expect(read).toMatchObject({ ok: true, value: expected });
      const { costUsd } = priceUsage(
        read.ok ? read.value : (null as never),
        prices.find(provider, model, AT),
      );
      expect(run.costs).toMatchObject([{ usd: costUsd, usage: { provider, ...expected, simulated: false } }]);

      if (isEmbedding) expect(ended).toMatchObject({ embedding: body.data[0].embedding });
      else if (body.stop_reason === 'refusal') expect(ended).toMatchObject({ code: 'provider_refused' });
      else if (hasToolCall(body)) {
        expect(ended).toMatchObject({ code: 'loop_limit' });
        expect(run.checkpoints).toMatchObject([{ messages: [{ role: 'assistant' }], usage: expected }]);
      } else if (textOf(body) === '') expect(ended).toMatchObject({ code: 'output_invalid' });
      else expect(ended).toMatchObject({ text: textOf(body), usage: { ...expected, raw: rawUsage } });
    },
  );

  test.each<[string, string]>([
    ['anthropic-text.json', '0.000471'],
    ['openai-text.json', '0.0001468'],
    ['openai-embedding.json', '0.00000024'],
  ])('%s costs exactly %s dollars', async (file, usd) => {
    const recording = answers.find((one) => one.file.endsWith(`/${file}`))!;
    const run: ModelRun = { costs: [], checkpoints: [], warnings: [] };
    await replay(recording, file.includes('embedding') ? { mode: 'embedding' } : {}, run);
    expect(run.costs.map((cost) => cost.usd)).toEqual([usd]);
  });

  test('an error is refused with what the provider said', async () => {
    const recording = recordings.find(({ file }) =>
      file.endsWith('/reasoning-model-legacy-parameter-error.json'),
    )!;
    const run: ModelRun = { costs: [], checkpoints: [], warnings: [] };
    await expect(replay(recording, {}, run)).rejects.toMatchObject({
      code: 'provider_refused',
      status: 400,
      message: expect.stringMatching(/answered 400 \(request req-1\): Unsupported parameter: 'max_tokens'/),
    });
    expect(run.costs).toEqual([]);
  });
});

function readFolder(folder: string): Recording[] {
  return readdirSync(`${ROOT}${folder}`)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name): Recording[] => {
      const file = `${folder}/${name}`;
      const document = JSON.parse(readFileSync(`${ROOT}${file}`, 'utf8'));
      if (folder === 'google-genai-recordings') {
        const [{ request, response }] = document.interactions;
        if (String(request.url).includes('stream')) return [];
        const [body] = response.bodySegments;
        return [{ file, provider: 'google', model: body.modelVersion, body }];
      }
      const model = document.model ?? document.modelVersion ?? 'a-model';
      return [{ file, provider: folder as Recording['provider'], model, body: document }];
    });
}

/** By the rules of each provider, apart from the code that is tested. */
function tokensOf({ provider, body }: Recording) {
  const { usage, usageMetadata } = body;
  if (provider === 'anthropic')
    return {
      inputTokens: usage.input_tokens + usage.cache_creation_input_tokens + usage.cache_read_input_tokens,
      cachedInputTokens: usage.cache_read_input_tokens,
      cacheWriteTokens: usage.cache_creation_input_tokens,
      outputTokens: usage.output_tokens,
      reasoningTokens: 0,
    };
  if (provider === 'google')
    return {
      inputTokens: usageMetadata.promptTokenCount,
      cachedInputTokens: usageMetadata.cachedContentTokenCount ?? 0,
      cacheWriteTokens: 0,
      outputTokens: (usageMetadata.candidatesTokenCount ?? 0) + (usageMetadata.thoughtsTokenCount ?? 0),
      reasoningTokens: usageMetadata.thoughtsTokenCount ?? 0,
    };
  return {
    inputTokens: usage.input_tokens ?? usage.prompt_tokens,
    cachedInputTokens: (usage.input_tokens_details ?? usage.prompt_tokens_details)?.cached_tokens ?? 0,
    cacheWriteTokens: 0,
    outputTokens: usage.output_tokens ?? usage.completion_tokens ?? 0,
    reasoningTokens: (usage.output_tokens_details ?? usage.completion_tokens_details)?.reasoning_tokens ?? 0,
  };
}

/** Those that the answer calls, as if they had been offered. */
function toolsOf(body: Recording['body']): JsonObject[] {
  const names: string[] = [
    ...(body.content ?? []).filter((part: { type: string }) => part.type === 'tool_use'),
    ...(body.output ?? []).filter((item: { type: string }) => item.type === 'custom_tool_call'),
    ...(body.candidates?.[0].content.parts ?? []).flatMap(
      (part: { functionCall?: object }) => part.functionCall ?? [],
    ),
  ].map(({ name }) => name);
  return [...new Set(names)].map((name) => ({
    name,
    task: { taskType: 'transformation', config: { output: 1 } },
  }));
}

function hasToolCall(body: Recording['body']): boolean {
  return (
    body.stop_reason === 'tool_use' ||
    body.output?.some((item: { type: string }) => item.type === 'custom_tool_call') ||
    body.candidates?.[0].content.parts?.some((part: object) => 'functionCall' in part) ||
    false
  );
}

function textOf(body: Recording['body']): string {
  const parts: { type?: string; text?: string; thought?: boolean; content?: { text: string }[] }[] =
    body.content ?? body.candidates?.[0].content.parts ?? body.output ?? [];
  if (body.choices !== undefined) return body.choices[0].message.content;
  return parts
    .flatMap((part) => (part.type === 'message' ? (part.content ?? []) : part.thought ? [] : [part]))
    .map(({ text }) => text ?? '')
    .join('');
}
