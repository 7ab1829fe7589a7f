// dagwright pricing, and what a run says of its cost, as users see them: stdout, stderr, exit codes.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { sumUsd } from '../../src/core/money.ts';
import { createDatabase } from '../support/database.ts';
import { chat } from '../support/model.ts';
import { runCli } from './support/run-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'dagwright pricing '));
let database: Awaited<ReturnType<typeof createDatabase>>;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await database.drop();
});

const dagwright = (...args: string[]) =>
  runCli(args, { cwd: folder, env: { HOME: folder, DATABASE_URL: database.url, LOG_LEVEL: 'error' } });

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const SONNET = {
  provider: 'anthropic',
  model: 'claude-sonnet-4-5-20250929',
  usage: {
    input_tokens: 6,
    cache_creation_input_tokens: 3337,
    cache_read_input_tokens: 6289,
    output_tokens: 198,
  },
};
const PRICED_SONNET = {
  model: 'claude-sonnet-4-5-20250929',
  inputTokens: 9632,
  cachedInputTokens: 6289,
  cacheWriteTokens: 3337,
  outputTokens: 198,
  reasoningTokens: 0,
  inputCostUsd: '0.01441845',
  outputCostUsd: '0.00297',
  costUsd: '0.01738845',
};
const UNKNOWN = { provider: 'acme', model: 'unheard-of', usage: { prompt_tokens: 3, completion_tokens: 4 } };

describe('dagwright pricing cost', () => {
  it('prices one usage block, on one line, with and without --json', async () => {
    for (const json of [[], ['--json']]) {
      const { code, stdout } = await dagwright('pricing', 'cost', '--usage', JSON.stringify(SONNET), ...json);
      expect([code, stdout]).toEqual([0, `${JSON.stringify(PRICED_SONNET)}\n`]);
    }
  });

  it('prices JSON lines of a file, one line each; costs are null where there is no price', async () => {
    const name = file('calls.jsonl', `${JSON.stringify(SONNET)}\r\n\n${JSON.stringify(UNKNOWN)}\n`);
    const { code, stdout, stderr } = await dagwright('pricing', 'cost', '--usage', `@${name}`, '--json');
    expect(code).toBe(0);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      PRICED_SONNET,
      {
        ...{
          model: 'unheard-of',
          inputTokens: 3,
          cachedInputTokens: 0,
          cacheWriteTokens: 0,
          outputTokens: 4,
        },
        ...{ reasoningTokens: 0, inputCostUsd: null, outputCostUsd: null, costUsd: null },
        costUnknownBecause: expect.stringContaining("dagwright pricing set 'acme/unheard-of'"),
      },
    ]);
    expect(stderr).toContain('acme/unheard-of');
  });

  it('prices a call by the prices of its time', async () => {
    const o3 = { provider: 'openai', model: 'o3', usage: { prompt_tokens: 1_000_000, completion_tokens: 0 } };
    const lines = ['2025-06-09T23:59:59Z', '2025-06-10T02:00:00+02:00', '2025-06-10'].map((at) =>
      JSON.stringify({ ...o3, at }),
    );
    const { stdout } = await dagwright(
      'pricing',
      'cost',
      '--usage',
      `@${file('o3.jsonl', lines.join('\n'))}`,
    );
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).costUsd),
    ).toEqual(['10', '2', '2']);
  });

  it('takes an object over several lines', async () => {
    const name = file('call.json', JSON.stringify(SONNET, null, 2));
    expect(JSON.parse((await dagwright('pricing', 'cost', '--usage', `@${name}`)).stdout)).toEqual(
      PRICED_SONNET,
    );
  });

  it('prices each line by itself: a bad one is named in its place, exits 1 and spoils no other', async () => {
    const good = JSON.stringify(SONNET);
    const lines = [
      good,
      '{"provider": "openai",',
      '[]',
      JSON.stringify({ ...SONNET, usage: { input_tokens: -1, output_tokens: 2 } }),
      JSON.stringify({ ...UNKNOWN, at: 'yesterday' }),
      good,
    ];
    const name = file('bad.jsonl', lines.join('\n'));
    const { code, stdout, stderr } = await dagwright('pricing', 'cost', '--usage', `@${name}`, '--json');
    expect(code).toBe(1);
    const said = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(said).toMatchObject([
      PRICED_SONNET,
      { costUsd: null, errors: [{ message: expect.stringMatching(/^line 2, column/) }] },
      {
        costUsd: null,
        errors: [{ pointer: '--usage', message: expect.stringMatching(/^line 3: .*got \[\]/) }],
      },
      {
        model: SONNET.model,
        costUsd: null,
        errors: [
          { pointer: '--usage/usage/input_tokens', message: expect.stringMatching(/^line 4: .*got -1/) },
        ],
      },
      {
        costUsd: null,
        errors: [{ pointer: '--usage/at', message: expect.stringMatching(/^line 5: .*yesterday/) }],
      },
      PRICED_SONNET,
    ]);
    expect(stderr).toMatch(/line 2, column[\s\S]*line 4: /);
  });

  it('says why a cost is unknown, and what the provider says that it charges', async () => {
    const routed = { ...UNKNOWN, usage: { ...UNKNOWN.usage, cost: 0.25 } };
    const { stdout } = await dagwright('pricing', 'cost', '--usage', JSON.stringify(routed));
    expect(JSON.parse(stdout)).toMatchObject({
      costUsd: '0.25',
      statedCostUsd: '0.25',
      costUnknownBecause: expect.stringContaining('no price for acme/unheard-of'),
    });
  });

  it('says what docs/cost.md shows', async () => {
    const page = readFileSync(new URL('../../docs/cost.md', import.meta.url), 'utf8');
    const [, usage] = /--usage '(\{.*\})'/.exec(page)!;
    const [, shown] = /```json\n(.*)\n```/.exec(page)!;
    expect((await dagwright('pricing', 'cost', '--usage', usage!)).stdout.trim()).toBe(shown);
    const [, lines] = /<<'EOF'\n([\s\S]*?)\nEOF/.exec(page)!;
    const { code, stdout } = await dagwright('pricing', 'cost', '--usage', `@${file('doc.jsonl', lines!)}`);
    const costs = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).costUsd);
    expect([code, costs]).toEqual([0, ['0.00055', '0.001125', null]]);
  });

  it('takes the whole answer: its class, and the model that answered', async () => {
    const usageMetadata = { promptTokenCount: 1000, candidatesTokenCount: 100, totalTokenCount: 1100 };
    const calls = [
      {
        ...{ provider: 'google', model: 'gemini-flash-latest' },
        answer: { modelVersion: 'gemini-2.5-flash', usageMetadata },
      },
      {
        ...{ provider: 'openai', model: 'gpt-5' },
        answer: {
          model: 'gpt-5-2025-08-07',
          service_tier: 'flex',
          usage: { prompt_tokens: 1000, total_tokens: 1000 },
        },
      },
    ];
    const name = file('answers.jsonl', calls.map((call) => JSON.stringify(call)).join('\n'));
    const { code, stdout } = await dagwright('pricing', 'cost', '--usage', `@${name}`);
    expect([
      code,
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ]).toMatchObject([
      0,
      [
        { model: 'gemini-flash-latest', answeredBy: 'gemini-2.5-flash', costUsd: '0.00055' },
        { model: 'gpt-5', answeredBy: 'gpt-5-2025-08-07', costUsd: '0.000625' },
      ],
    ]);
  });

  it.each([
    ['', 1, /nothing/],
    ['nonsense', 2, /--usage is not JSON: line 1/],
    ['{"model":"x","usage":{}}', 1, /provider is a name, got nothing/],
    ['@no-such-file', 1, /cannot read no-such-file/],
  ])('refuses %j', async (usage, exitCode, message) => {
    const { code, stdout, stderr } = await dagwright('pricing', 'cost', '--usage', usage);
    expect([code, stdout]).toEqual([exitCode, '']);
    expect(stderr).toMatch(message);
  });

  it('without --usage is a wrong use', async () => {
    expect((await dagwright('pricing', 'cost')).code).toBe(2);
  });
});

describe('dagwright pricing list and show', () => {
  it('lists what each model of a provider costs now', async () => {
    const { code, stdout } = await dagwright('pricing', 'list', '--provider', 'anthropic', '--json');
    const { items, nextCursor } = JSON.parse(stdout);
    expect([code, nextCursor]).toEqual([0, null]);
    expect(items.find(({ model }: { model: string }) => model === 'claude-haiku-4-5')).toEqual({
      provider: 'anthropic',
      model: 'claude-haiku-4-5',
      source: 'library',
      effectiveFrom: null,
      dailyFrom: null,
      dailyUntil: null,
      inputUsdPerMillion: '1',
      cachedInputUsdPerMillion: '0.1',
      cacheWriteUsdPerMillion: '1.25',
      outputUsdPerMillion: '5',
      otherRates: { cacheWrite1h: '2', webSearches: '10' },
      tiers: [],
    });
    expect((await dagwright('pricing', 'list', '--provider', 'nobody')).code).toBe(1);
    const sources = (await dagwright('pricing', 'list', '--provider', 'anthropic', '--source')).stdout;
    expect(sources).toMatch(/claude-haiku-5-5 .* reviewed +https:\/\/\S+, 20\d\d-/);
    expect(sources).toMatch(/claude-haiku-4-5 .* library +@pydantic\/genai-prices/);
  });

  it('shows all prices of a model, with dates and tiers, and which one holds now', async () => {
    const { items } = JSON.parse((await dagwright('pricing', 'show', 'openai/o3', '--json')).stdout);
    expect(items).toMatchObject([
      { model: 'o3', effectiveFrom: null, inputUsdPerMillion: '10', isCurrent: false },
      { model: 'o3', effectiveFrom: '2025-06-10T00:00:00.000Z', inputUsdPerMillion: '2', isCurrent: true },
    ]);
    const { stdout } = await dagwright('pricing', 'show', 'claude-sonnet-4-5-20250929');
    expect(stdout).toContain('anthropic/claude-sonnet-4-5');
    expect(stdout).toMatch(/input +\$6 per million, above 200000 input tokens/);
    const missing = await dagwright('pricing', 'show', 'acme/unheard-of');
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('pricing set')]);
  });
});

describe('dagwright pricing set', () => {
  const costOf = async (call: object) =>
    JSON.parse((await dagwright('pricing', 'cost', '--usage', JSON.stringify(call))).stdout).costUsd;

  it('goes before the library, until it is removed', async () => {
    const call = {
      provider: 'openai',
      model: 'gpt-4.1-nano-2025-04-14',
      usage: { prompt_tokens: 1000, completion_tokens: 100 },
    };
    const before = await costOf(call);
    const set = await dagwright(
      'pricing',
      'set',
      'openai/gpt-4.1-nano',
      '--input',
      '7.50',
      '--output',
      '1',
      '--json',
    );
    expect(JSON.parse(set.stdout)).toMatchObject({
      source: 'operator',
      effectiveFrom: null,
      inputUsdPerMillion: '7.5',
    });
    expect(await costOf(call)).toBe('0.0076');
    expect((await dagwright('pricing', 'set', 'openai/gpt-4.1-nano', '--remove')).code).toBe(0);
    expect(await costOf(call)).toBe(before);
    expect((await dagwright('pricing', 'set', 'openai/gpt-4.1-nano', '--remove')).code).toBe(1);
  });

  it('takes a name with a space in it, as the HTTP API does', async () => {
    const set = await dagwright('pricing', 'set', 'ollama/a b', '--input', '1', '--output', '2', '--json');
    expect(JSON.parse(set.stdout)).toMatchObject({ provider: 'ollama', model: 'a b' });
    expect((await dagwright('pricing', 'set', 'ollama/a b', '--remove')).code).toBe(0);
  });

  it('sets cached and cache-write rates, from a date, also for all models of a provider', async () => {
    const rates = ['--input', '2', '--output', '4', '--cached-input', '0.5', '--cache-write', '3'];
    expect((await dagwright('pricing', 'set', 'ollama/*', ...rates, '--from', '2026-01-01')).code).toBe(0);
    const usage = {
      inputTokens: 100,
      cachedInputTokens: 60,
      cacheWriteTokens: 30,
      outputTokens: 10,
      reasoningTokens: 0,
    };
    const call = { provider: 'ollama', model: 'llama3', usage };
    expect(await costOf({ ...call, at: '2026-01-01T00:00:00Z' })).toBe('0.00018');
    expect(await costOf({ ...call, at: '2025-12-31T23:59:59Z' })).toBeNull();
  });

  test.each([
    [['openai/x', '--input', '-1', '--output', '1']],
    [['openai/x', '--input', '1e3', '--output', '1']],
    [['openai/x', '--input', '1']],
    [['gpt-4o', '--input', '1', '--output', '1']],
    [['openai/x', '--input', '1', '--output', '1', '--from', '2026-02-31']],
    [['openai/x', '--remove', '--input', '1']],
    [['openai/a\nb', '--input', '1', '--output', '1']],
    [[`openai/${'x'.repeat(301)}`, '--input', '1', '--output', '1']],
  ])('%j is a wrong use', async (args) => {
    const { code, stdout } = await dagwright('pricing', 'set', ...args);
    expect([code, stdout]).toEqual([2, '']);
  });
});

it('a run and executions show say why a cost is unknown', async () => {
  const server = createServer((request, response) => {
    request.resume();
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(chat('hello')));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
    const workflow = `
workflowId: unpriced
nodes:
  - { taskId: ask, taskType: model_inference, modelId: acme/unheard-of, config: { prompt: "Hi", baseUrl: "${baseUrl}" } }
`;
    const env = {
      HOME: folder,
      DATABASE_URL: database.url,
      LOG_LEVEL: 'error',
      DAGWRIGHT_ALLOWED_HOSTS: '127.0.0.1',
    };
    const { code, stdout } = await runCli(['run', file('unpriced.yaml', workflow)], { cwd: folder, env });
    const id = /execution ([0-9a-f-]{36})/.exec(stdout)![1]!;
    const shown = (await dagwright('executions', 'show', id)).stdout;
    expect(code).toBe(0);
    for (const text of [stdout, shown])
      expect(text).toMatch(/\$\? of ask: there is no price for acme\/unheard-of; dagwright pricing set/);
  } finally {
    server.close();
  }
});

it('a run and executions show say what each model and task has cost; the lines add up', async () => {
  const workflow = `
workflowId: two-models
nodes:
  - { taskId: plan, taskType: model_inference, modelId: simulated/fast, config: { prompt: "Plan it" } }
  - { taskId: write, taskType: model_inference, modelId: simulated/flaky, dependsOn: [plan], config: { prompt: "Write" }, retry: { maxAttempts: 2, initialIntervalSeconds: 0.001 } }
  - { taskId: count, taskType: transformation, dependsOn: [write], config: { output: 1 } }
`;
  const { stdout } = await dagwright('run', file('two.yaml', workflow));
  const id = /execution ([0-9a-f-]{36})/.exec(stdout)![1]!;
  const shown = (await dagwright('executions', 'show', id)).stdout;
  const { costUsd } = JSON.parse((await dagwright('executions', 'show', id, '--json')).stdout);
  for (const text of [stdout, shown]) {
    const lines = text.slice(text.indexOf('cost of two-models')).split('\n');
    const amounts = (pattern: RegExp) =>
      lines.flatMap((line) => (pattern.test(line) ? /\$([\d.]+)$/.exec(line)![1]! : []));
    expect(amounts(/^cost of two-models/)).toEqual([costUsd]);
    expect(sumUsd(amounts(/simulated\/(fast|flaky) \(simulated\)/))).toBe(costUsd);
    expect(sumUsd(amounts(/^ {2}(plan|write) /))).toBe(costUsd);
  }
  expect(Number(costUsd)).toBeGreaterThan(0);
});

describe('dagwright pricing import', () => {
  const library = (models: unknown) => JSON.stringify([{ id: 'anthropic', name: 'Anthropic', models }]);
  const NEW_MODEL = {
    id: 'claude-next-9',
    match: { starts_with: 'claude-next-9' },
    prices: [
      {
        prices: {
          input_mtok: { base: 1, tiers: [{ start: 100, price: 2 }] },
          output_mtok: 3,
          cache_read_mtok: null,
        },
      },
      { constraint: { start_date: '2030-01-01' }, prices: { input_mtok: 9, output_mtok: 9 } },
    ],
  };

  it.each([
    ['no JSON', '{', /is not JSON/],
    ['no providers', '{}', /expected a list of providers/],
    ['a provider without models', '[{"id":"x"}]', /is no provider/],
    [
      'a rule that is none',
      library([{ ...NEW_MODEL, match: { resembles: 'x' } }]),
      /no rule for model names/,
    ],
    ['a rate that is none', library([{ ...NEW_MODEL, prices: { input_mtok: '1 $' } }]), /cannot be read/],
  ])('refuses %s', async (_what, text, message) => {
    const { code, stderr } = await dagwright('pricing', 'import', file('bad.json', text));
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
  });

  it("puts a newer file of the library in place of the library's prices, and only of those", async () => {
    const cost = async (model: string) => {
      const usage = { input_tokens: 1000, output_tokens: 0 };
      const call = { provider: 'anthropic', model, at: '2029-01-01', usage };
      return JSON.parse((await dagwright('pricing', 'cost', '--usage', JSON.stringify(call))).stdout).costUsd;
    };
    expect(await cost('claude-next-9-20290101')).toBeNull();
    const { code, stdout } = await dagwright(
      'pricing',
      'import',
      file('data.json', library([NEW_MODEL])),
      '--json',
    );
    expect([code, JSON.parse(stdout)]).toEqual([
      0,
      { version: expect.stringMatching(/^[\d.]+\/\d+\/20\d{6}$/), prices: 3 },
    ]);
    expect([
      await cost('claude-next-9-20290101'),
      await cost('claude-haiku-4-5'),
      await cost('claude-mythos-5'),
    ]).toEqual(['0.002', null, '0.01']);
    expect((await dagwright('migrate', '--check')).code).toBe(0);
  });
});
