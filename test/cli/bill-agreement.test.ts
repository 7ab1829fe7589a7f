// One reading of a usage block: for every block that is known a run of model_inference and `pricing cost` come to the same
// cost, to the digit, and to what the price library's own tests state. Recorded answers and all of those tests are read where they
// are at hand.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readPriceLibrary } from '../../src/core/cost/price-library.ts';
import { PriceTable } from '../../src/core/cost/price-table.ts';
import { REVIEWED_PRICES } from '../../src/core/cost/reviewed-prices.ts';
import { isJsonObject, type Json, type JsonObject } from '../../src/core/json.ts';
import { parseUsd, sumUsd } from '../../src/core/money.ts';
import { createDatabase } from '../support/database.ts';
import { casesOf } from '../support/depth.ts';
import { LIBRARY_BLOCKS } from '../support/library-blocks.ts';
import { answering, http, infer, type ModelRun, tablePrices } from '../support/model.ts';
import { answerAround, KNOWN_BLOCKS } from '../support/usage-blocks.ts';
import { runCli } from './support/run-cli.ts';

const AT = '2026-11-30T12:00:00Z';
const SHARED = fileURLToPath(new URL('../../../shared/data/', import.meta.url));
const RECORDED = `${SHARED}llm-responses/`;
/** All of the data set of github.com/pydantic/genai-prices (tests/dataset/usages.json), where someone has put it. */
const LIBRARY = `${SHARED}prices/usages.json`;

interface Sample {
  readonly name: string;
  readonly provider: string;
  readonly model: string;
  readonly body: JsonObject;
  readonly baseUrl: string | null;
  readonly mode: 'text' | 'embedding';
}

const sampleOf = (
  name: string,
  call: { provider: string; model: string; usage: JsonObject; answer?: JsonObject },
): Sample => ({ name, provider: call.provider, model: call.model, ...answerAround(call) });

const known = KNOWN_BLOCKS.map((block) => sampleOf(block.what, block));
/** Each block of the library once for every provider that its tests read it for. */
const ofLibrary = (priced: boolean) =>
  LIBRARY_BLOCKS.flatMap(({ from, model, usage, stated: prices, unpriced }) =>
    (priced ? Object.entries(prices) : unpriced.map((provider) => [provider, null] as const)).map(
      ([provider, price]) => ({
        price,
        sample: sampleOf(`${from} of ${provider}`, { provider, model, usage }),
      }),
    ),
  );
const stated = [...ofLibrary(true), ...casesOf(ofLibrary(false))];
const samples: readonly Sample[] = [
  ...known,
  ...stated.map(({ sample }) => sample),
  ...recordedSamples(),
  ...librarySamples(),
];
for (const file of [RECORDED, LIBRARY])
  if (!existsSync(file)) console.warn(`${file} is not at hand: its blocks are not tried`);

/** Where the cost is another than the library's tests state, and why. */
const DEVIATIONS: Readonly<Record<string, readonly [costUsd: string | null, why: string]>> = {
  ...deviation('anthropic/test_web_search_tool', {
    anthropic: [
      '0.077737',
      'a search has a fee, which the reading of that time left out; the installed one has it',
    ],
    azure: [
      '0.077737',
      "Azure's prices of Claude are Anthropic's, with the fee; its reading leaves the search out",
    ],
    aws: [null, 'no rate for searches there: unknown, where the library leaves them out'],
    google: [null, 'no rate for searches there: unknown, where the library leaves them out'],
  }),
  ...deviation('anthropic/test_text_parts_ahead', {
    anthropic: ['0.060724', 'a search has a fee, as above'],
    azure: ['0.060724', 'a search has a fee, as above'],
    aws: [null, 'no rate for searches there'],
    google: [null, 'no rate for searches there'],
  }),
  ...deviation('huggingface/test_instructions', {
    huggingface_hyperbolic: [null, 'the installed release has no price'],
    huggingface_novita: ['0.00001068', 'the installed release has newer rates'],
    huggingface_together: [null, 'the installed release has no price'],
  }),
  ...deviation('huggingface/test_max_completion_tokens', {
    huggingface_hyperbolic: [null, 'the installed release has no price'],
    huggingface_novita: ['0.0000246', 'the installed release has newer rates'],
    huggingface_together: [null, 'the installed release has no price'],
  }),
  ...deviation('google/test_history_from_another_provider', {
    google: ['0.0000184', 'prompts of tools are input; the reading of that time took them for output'],
  }),
  ...deviation('google/test_google_caching', {
    google: [null, 'no rate for audio output: unknown, where the library takes it for text'],
  }),
  ...deviation('openai/test_compatible_api', {
    google: [
      '0.00078375',
      'a total of 109 for 35 and 12: the 62 between are thoughts, which Google bills as output',
    ],
  }),
};

function deviation(from: string, byProvider: typeof DEVIATIONS): typeof DEVIATIONS {
  return Object.fromEntries(
    Object.entries(byProvider).map(([provider, one]) => [`${from} of ${provider}`, one]),
  );
}

interface Line {
  readonly inputCostUsd: string | null;
  readonly outputCostUsd: string | null;
  readonly costUsd: string | null;
}

const folder = mkdtempSync(join(tmpdir(), 'dagwright bills '));
let database: Awaited<ReturnType<typeof createDatabase>>;
let table: PriceTable;
/** What the command says of each sample. */
let said: readonly Line[];
beforeAll(async () => {
  database = await createDatabase();
  table = new PriceTable([...(await readPriceLibrary()), ...REVIEWED_PRICES]);
  const file = join(folder, 'calls.jsonl');
  const calls = samples.map(({ provider, model, body }) =>
    JSON.stringify({ provider, model, at: AT, answer: body }),
  );
  writeFileSync(file, calls.join('\n'));
  const { stdout } = await runCli(['pricing', 'cost', '--usage', `@${file}`, '--json'], {
    cwd: folder,
    env: { HOME: folder, DATABASE_URL: database.url, LOG_LEVEL: 'error' },
  });
  said = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await database.drop();
});

test('a run and the command come to one cost for every block', async () => {
  expect(said).toHaveLength(samples.length);
  const ran: (string | number | null | undefined)[] = [];
  for (const sample of samples) ran.push(await costOfRun(sample));
  expect(samples.map(({ name }, i) => [name, ran[i]])).toEqual(
    samples.map(({ name }, i) => [name, said[i]!.costUsd]),
  );
  expect(said.slice(0, known.length).map(({ costUsd }) => costUsd)).toEqual(
    KNOWN_BLOCKS.map(({ costUsd }) => costUsd),
  );
});

test("a cost is what the price library's tests state, to the digit, but for what is listed", () => {
  expect(stated.filter(({ price }) => price !== null).length).toBeGreaterThan(200);
  const others = stated.flatMap(({ price, sample: { name } }, i) => {
    const { inputCostUsd, outputCostUsd, costUsd } = said[known.length + i]!;
    const parts = price?.split(' ') ?? [];
    const isAsStated =
      parts.length < 2
        ? costUsd === price
        : parts[0] === inputCostUsd && parts[1] === outputCostUsd && costUsd === sumUsd(parts.map(parseUsd));
    return isAsStated ? [] : [[name, costUsd] as const];
  });
  expect(Object.fromEntries(others)).toEqual(
    Object.fromEntries(Object.entries(DEVIATIONS).map(([name, [costUsd]]) => [name, costUsd])),
  );
});

test('there are blocks of every kind, priced and not', () => {
  expect(new Set(KNOWN_BLOCKS.map(({ provider }) => provider)).size).toBeGreaterThanOrEqual(7);
  expect(KNOWN_BLOCKS.filter(({ costUsd }) => costUsd === null).length).toBeGreaterThan(10);
});

/** Undefined: nothing was added, or more than once. */
async function costOfRun({ name, provider, model, body, baseUrl, mode }: Sample) {
  const server = answering(body);
  const run: ModelRun = { costs: [], checkpoints: [], warnings: [] };
  const config = { prompt: 'hi', maxSteps: 1, mode, ...(baseUrl !== null && { baseUrl }) };
  const setting = {
    modelId: `${provider}/${model}`,
    outside: { ...http(server.fetch), prices: tablePrices(table, new Date(AT)) },
  };
  // A refusal, or a call of a tool, is no answer, but paid for.
  await infer(config, setting, run).catch(() => {});
  expect(server.asked, `${name}: requests`).toHaveLength(1);
  return run.costs.length === 1 ? run.costs[0]!.usd : undefined;
}

function recordedSamples(): Sample[] {
  if (!existsSync(RECORDED)) return [];
  return readdirSync(RECORDED, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(json|txt)$/.test(file))
    .sort()
    .flatMap((file) => {
      const found = blockIn(file);
      const provider = /^(anthropic|openai|google)/.exec(file)![0];
      return found === null ? [] : [sampleOf(file, { provider, ...found })];
    });
}

/** The last count of each kind that a response or stream has, and what else prices it. */
function blockIn(file: string): { model: string; usage: JsonObject; answer: JsonObject } | null {
  const text = readFileSync(RECORDED + file, 'utf8');
  const bodies = file.endsWith('.json') ? [JSON.parse(text) as Json] : text.split('\n').flatMap(eventIn);
  let usage: JsonObject = {};
  let model: Json = null;
  let tier: Json = null;
  const visit = (value: Json): void => {
    if (Array.isArray(value)) for (const one of value as readonly Json[]) visit(one);
    if (!isJsonObject(value)) return;
    model = value.modelVersion ?? (typeof value.model === 'string' ? value.model : model);
    tier = value.service_tier ?? tier;
    for (const [key, inner] of Object.entries(value)) {
      if ((key === 'usage' || key === 'usageMetadata') && isJsonObject(inner)) usage = { ...usage, ...inner };
      else visit(inner);
    }
  };
  for (const body of bodies) visit(body);
  if (Object.keys(usage).length === 0 || typeof model !== 'string') return null;
  return { model, usage, answer: tier === null ? {} : { service_tier: tier } };
}

function eventIn(line: string): Json[] {
  const text = line.replace(/^data: /, '');
  return text.startsWith('{') ? [JSON.parse(text) as Json] : [];
}

interface LibrarySample {
  readonly body: { readonly usage?: JsonObject; readonly usageMetadata?: JsonObject };
  readonly model?: string;
  readonly extracted: readonly { readonly extractors: readonly { readonly provider_id: string }[] }[];
}

/** Each block once for every provider that the library reads it for. */
function librarySamples(): Sample[] {
  if (!existsSync(LIBRARY)) return [];
  const all = JSON.parse(readFileSync(LIBRARY, 'utf8')) as readonly LibrarySample[];
  return all.flatMap(({ body, model, extracted }, i) => {
    const usage = body.usage ?? body.usageMetadata;
    if (usage === undefined || model === undefined) return [];
    const providers = new Set(
      extracted.flatMap(({ extractors }) => extractors.map((one) => one.provider_id)),
    );
    return [...providers].map((provider) => sampleOf(`${LIBRARY}[${i}]`, { provider, model, usage }));
  });
}
