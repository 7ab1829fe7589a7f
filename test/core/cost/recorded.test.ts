// The cost of real responses, recorded from providers: the exact product of their counts and rates, and what the price
// library's own reading and floats say.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { calcPrice, extractUsage, findProvider } from '@pydantic/genai-prices';
import { beforeAll, describe, expect, test } from 'vitest';
import { readPriceLibrary } from '../../../src/core/cost/price-library.ts';
import { PriceTable } from '../../../src/core/cost/price-table.ts';
import { priceUsage } from '../../../src/core/cost/price-usage.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../src/core/json.ts';
import { tokenUsageOf } from '../../support/token-usage.ts';
import { add, decimal, tokensAt, ZERO } from './fractions.ts';

const FOLDER = fileURLToPath(new URL('../../../../shared/data/llm-responses/', import.meta.url));
const AT = new Date('2026-06-01T12:00:00Z');

interface Recorded {
  readonly file: string;
  readonly provider: string;
  readonly model: string;
  readonly usage: JsonObject;
}

/** The last count of each kind that a response or stream has. */
function read(file: string): Recorded | null {
  const text = readFileSync(FOLDER + file, 'utf8');
  const bodies = file.endsWith('.json') ? [JSON.parse(text) as Json] : text.split('\n').flatMap(parseLine);
  let usage: JsonObject = {};
  let model: Json = null;
  const visit = (value: Json): void => {
    if (Array.isArray(value)) for (const one of value as readonly Json[]) visit(one);
    if (!isJsonObject(value)) return;
    model = value.modelVersion ?? (typeof value.model === 'string' ? value.model : model);
    for (const [key, inner] of Object.entries(value)) {
      if ((key === 'usage' || key === 'usageMetadata') && isJsonObject(inner)) usage = { ...usage, ...inner };
      else visit(inner);
    }
  };
  for (const body of bodies) visit(body);
  if (Object.keys(usage).length === 0 || typeof model !== 'string') return null;
  return { file, provider: /^(anthropic|openai|google)/.exec(file)![0], model, usage };
}

function parseLine(line: string): Json[] {
  const text = line.replace(/^data: /, '');
  return text.startsWith('{') ? [JSON.parse(text) as Json] : [];
}

const files = existsSync(FOLDER)
  ? readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(json|txt)$/.test(file))
      .sort()
  : [];
const recorded = files.flatMap((file) => read(file) ?? []);

describe.skipIf(files.length === 0)(
  'recorded responses (skipped where ../shared/data/llm-responses is absent)',
  () => {
    let prices: PriceTable;
    beforeAll(async () => {
      prices = new PriceTable(await readPriceLibrary());
    });

    test('all but one count their tokens', () => {
      expect(files.length - recorded.length).toBe(1); // an error
      expect(recorded.length).toBeGreaterThan(20);
    });

    test.each(recorded.filter(({ usage }) => usage.totalTokenCount !== undefined))(
      '$file costs the same where Google answers in the form of OpenAI',
      ({ provider, model, usage }) => {
        const { promptTokenCount, candidatesTokenCount, totalTokenCount } = usage;
        const chat = {
          prompt_tokens: promptTokenCount,
          completion_tokens: candidatesTokenCount,
          total_tokens: totalTokenCount,
        } as JsonObject;
        const costs = [usage, chat].map((block) => {
          const counts = tokenUsageOf(provider, block);
          if (!counts.ok) throw new Error(JSON.stringify(counts.problems));
          return priceUsage(counts.value, prices.find(provider, model, AT)).outputCostUsd;
        });
        expect(costs[1]).toBe(costs[0]);
      },
    );

    test.each(recorded)('$file', ({ provider, model, usage }) => {
      const counts = tokenUsageOf(provider, usage);
      if (!counts.ok) throw new Error(JSON.stringify(counts.problems));
      const priced = priceUsage(counts.value, prices.find(provider, model, AT));

      const { rates, billed } = independently(provider, model, usage);
      const exact = Object.entries(billed).map(([kind, tokens]) => tokensAt(tokens, rates(kind)));
      expect(priced.costUsd).toBe(decimal(exact.reduce(add, ZERO)));

      const theirs = calcPrice(extracted(provider, model, usage), model, {
        providerId: provider,
        timestamp: AT,
      })!;
      expect(Math.abs(Number(priced.costUsd) - theirs.total_price)).toBeLessThan(1e-12);
      expect(Math.abs(Number(priced.inputCostUsd) - theirs.input_price)).toBeLessThan(1e-12);
      expect(Math.abs(Number(priced.outputCostUsd) - theirs.output_price)).toBeLessThan(1e-12);
    });
  },
);

/** What is billed at which rate, from the block and the library's data, without the code under test. */
function independently(provider: string, model: string, usage: JsonObject) {
  const found = calcPrice({ input_tokens: 0 }, model, { providerId: provider, timestamp: AT })!;
  const count = (...path: string[]): number => {
    let value: Json | undefined = usage;
    for (const name of path) value = isJsonObject(value) ? value[name] : undefined;
    return typeof value === 'number' ? value : 0;
  };
  // No recorded call is large enough for a tier.
  const rates = (kind: string): number => {
    const rate =
      found.model_price[kind] ?? (kind.startsWith('cache_') ? found.model_price.input_mtok : 0) ?? 0;
    return typeof rate === 'number' ? rate : rate.base;
  };
  const cached =
    count('cachedContentTokenCount') +
    count('prompt_tokens_details', 'cached_tokens') +
    count('input_tokens_details', 'cached_tokens');
  const billed: Record<string, number> = {
    input_mtok: count('promptTokenCount') + count('prompt_tokens') + count('input_tokens') - cached,
    cache_read_mtok: cached + count('cache_read_input_tokens'),
    cache_write_mtok: count('cache_creation_input_tokens'),
    output_mtok:
      count('candidatesTokenCount') +
      count('thoughtsTokenCount') +
      count('completion_tokens') +
      count('output_tokens'),
  };
  return { rates, billed };
}

/** The library's own reading. */
function extracted(provider: string, model: string, usage: JsonObject) {
  const flavor =
    provider !== 'openai'
      ? 'default'
      : 'output_tokens' in usage
        ? 'responses'
        : 'completion_tokens' in usage
          ? 'chat'
          : 'embeddings';
  const body = provider === 'google' ? { modelVersion: model, usageMetadata: usage } : { model, usage };
  return extractUsage(findProvider({ providerId: provider })!, body, flavor).usage;
}
