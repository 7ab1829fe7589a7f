// dagwright pricing: list, show, set, cost. All of them need the database, `cost` too: the operator's own prices are there.
import { ANY_MODEL, type PriceRow, PriceTable } from '../../core/cost/price-table.ts';
import { priceUsage, RATE_KINDS, type Rates } from '../../core/cost/price-usage.ts';
import { priceView } from '../../core/cost/price-view.ts';
import { modelName, providerName } from '../../core/cost/provider-name.ts';
import { parseUsd } from '../../core/money.ts';
import { readPrices, removeOperatorPrices, setOperatorPrice } from '../../db/resources/pricing.ts';
import { CLI_ACTOR } from '../actor.ts';
import type { CommandContext } from '../context.ts';
import { argumentProblems, readTextArgument } from '../input/json-argument.ts';
import { type PricedCall, readCalls } from '../input/usage-lines.ts';
import { table } from '../output/terminal.ts';
import { Refusal, refuse } from '../refusal.ts';

export async function listPrices(
  context: CommandContext,
  options: { readonly provider?: string },
): Promise<number> {
  return await withPrices(context, (prices) => {
    const wanted = options.provider === undefined ? null : providerName(options.provider);
    const rows = prices.current(new Date()).filter(({ provider }) => wanted === null || provider === wanted);
    if (wanted !== null && rows.length === 0)
      throw refuse(
        'not_found',
        `there are no prices of the provider "${options.provider}"`,
        'dagwright pricing list',
      );
    context.printJson({ items: rows.map(priceView), nextCursor: null });
    context.say(
      `${priceTable(context, rows)}\n\nUS dollars per million tokens; * has more rates: pricing show`,
    );
    return 0;
  });
}

export async function showPrices(context: CommandContext, _options: object, model: string): Promise<number> {
  return await withPrices(context, (prices) => {
    const places = placesOf(prices, model);
    const now = new Date();
    const items = places.flatMap((place) => prices.history(place.provider, place.model));
    if (items.length === 0)
      throw refuse(
        'not_found',
        `there is no price for "${model}"`,
        `dagwright pricing set PROVIDER/MODEL --input USD --output USD`,
      );
    const current = places.flatMap((place) => prices.find(place.provider, place.model, now) ?? []);
    context.printJson({
      model,
      items: items.map((row) => ({ ...priceView(row), isCurrent: current.includes(row) })),
    });
    context.say(items.map((row) => describeRow(context, row, current.includes(row))).join('\n\n'));
    return 0;
  });
}

export interface SetOptions {
  readonly input?: string;
  readonly output?: string;
  readonly cachedInput?: string;
  readonly cacheWrite?: string;
  readonly from?: string;
  readonly remove?: boolean;
}

export async function setPrice(context: CommandContext, options: SetOptions, name: string): Promise<number> {
  const place = splitName(name);
  if (place === null)
    throw refuse('usage', `"${name}" is not PROVIDER/MODEL, such as openai/gpt-4o or ollama/*`);
  const rates = readRates(options);
  const effectiveFrom = options.from === undefined ? null : readDate(options.from);
  return await context.withSystem(async ({ database }) => {
    const { provider, model } = place;
    if (options.remove === true) {
      const removed = await database.asEngine(CLI_ACTOR, (client) =>
        removeOperatorPrices(client, provider, model),
      );
      if (removed === 0) throw refuse('not_found', `no price was set for ${provider}/${model}`);
      context.printJson({ provider, model, removed });
      context.say(`removed; the price library's price holds again, where it has one`);
      return 0;
    }
    const from = await database.asEngine(CLI_ACTOR, (client) =>
      setOperatorPrice(client, { provider, model, effectiveFrom, rates }),
    );
    const set = (await readPrices(database.engine)).find(
      (row) =>
        row.source === 'operator' &&
        row.provider === provider &&
        row.model === model &&
        row.effectiveFrom.getTime() === Date.parse(from),
    )!;
    context.printJson(priceView(set));
    context.say(describeRow(context, set, false));
    return 0;
  });
}

export async function costOfUsage(
  context: CommandContext,
  options: { readonly usage: string },
): Promise<number> {
  const calls = readCalls(await readTextArgument(options.usage, '--usage'), new Date());
  if (!calls.ok) throw new Refusal(argumentProblems(calls.problems, '--usage', options.usage));
  return await withPrices(context, (prices) => {
    const unknown = new Set<string>();
    const lines = calls.value.map((call) => costObject(call, prices, unknown));
    for (const line of lines) context.printJson(line);
    context.say(lines.map((line) => JSON.stringify(line)).join('\n'));
    for (const name of unknown)
      context.note(
        `no price covers ${name}; dagwright pricing set '${name}' --input USD --output USD sets one`,
      );
    return 0;
  });
}

function costObject(
  { provider, model, at, usage }: PricedCall,
  prices: PriceTable,
  unknown: Set<string>,
): object {
  const { parts: _, ...tokens } = usage;
  const priced = priceUsage(usage, prices.find(provider, model, at));
  if (priced.costUsd === null) unknown.add(`${provider}/${modelName(provider, model)}`);
  return { model, ...tokens, ...priced };
}

async function withPrices(context: CommandContext, work: (prices: PriceTable) => number): Promise<number> {
  return await context.withSystem(async ({ database }) =>
    work(new PriceTable(await readPrices(database.engine))),
  );
}

/** Of `openai/gpt-4o`; null without a provider. */
function splitName(name: string): { provider: string; model: string } | null {
  const [, provider, model] = /^([^/\s]+)\/(\S.*)$/s.exec(name.trim()) ?? [];
  if (provider === undefined || model === undefined) return null;
  return { provider: providerName(provider), model: model.toLowerCase() };
}

/** Where a model may be found: at its provider, or, without one, at all that have it. */
function placesOf(prices: PriceTable, name: string): readonly { provider: string; model: string }[] {
  const place = splitName(name);
  const providers = prices.providers();
  if (place !== null && providers.includes(place.provider)) return [place];
  return providers
    .filter((provider) => prices.history(provider, name).some(({ model }) => model !== ANY_MODEL))
    .map((provider) => ({ provider, model: name }));
}

function readRates(options: SetOptions): Rates {
  const { input, output, cachedInput, cacheWrite, remove } = options;
  const given = { input, output, cachedInput, cacheWrite };
  if (remove === true) {
    if ([...Object.values(given), options.from].some((value) => value !== undefined))
      throw refuse(
        'usage',
        '--remove takes away all prices that were set for the model; it goes with no other option',
      );
    return {};
  }
  if (input === undefined || output === undefined)
    throw refuse('usage', '--input and --output are needed (--output 0 for embeddings), or --remove');
  return Object.fromEntries(
    Object.entries(given).flatMap(([kind, rate]) => (rate === undefined ? [] : [[kind, parseUsd(rate)]])),
  );
}

/** `2026-01-01` (UTC), or an instant with its zone. */
function readDate(text: string): Date {
  const date = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/.test(text)
    ? new Date(text)
    : null;
  if (
    date !== null &&
    !Number.isNaN(date.getTime()) &&
    (text.length > 10 || date.toISOString().startsWith(text))
  )
    return date;
  throw refuse('usage', `--from is a date such as 2026-01-01 or 2026-01-01T09:00:00Z, got "${text}"`);
}

const MAIN_KINDS = ['input', 'cachedInput', 'cacheWrite', 'output'] as const;

function priceTable(context: CommandContext, rows: readonly PriceRow[]): string {
  const header = ['model', 'input', 'cached', 'cache write', 'output', 'source'].map((cell) =>
    context.paint('bold', cell),
  );
  const lines = rows.map((row) => {
    const hasMore =
      row.tiers.length > 0 ||
      row.dailyFrom !== null ||
      Object.keys(row.rates).some((kind) => !(MAIN_KINDS as readonly string[]).includes(kind));
    return [
      `${row.provider}/${row.model}${hasMore ? ' *' : ''}`,
      ...MAIN_KINDS.map((kind) => row.rates[kind] ?? '-'),
      row.source === 'operator' ? 'operator' : 'library',
    ];
  });
  return table([header, ...lines]);
}

function describeRow(context: CommandContext, row: PriceRow, isCurrent: boolean): string {
  const from = row.effectiveFrom.getTime() === 0 ? 'always' : `from ${row.effectiveFrom.toISOString()}`;
  const hours = row.dailyFrom === null ? '' : `, daily ${row.dailyFrom} to ${row.dailyUntil} UTC`;
  const title = `${row.provider}/${row.model}  ${row.source === 'operator' ? 'set by the operator' : 'price library'}, ${from}${hours}`;
  const lines = [context.paint('bold', title) + (isCurrent ? context.paint('green', '  now') : '')];
  const rates = RATE_KINDS.flatMap((kind) =>
    row.rates[kind] === undefined ? [] : [[`  ${kind}`, rateText(kind, row.rates[kind])]],
  );
  const tiers = row.tiers.flatMap(({ aboveInputTokens, rates: changed }) =>
    RATE_KINDS.flatMap((kind) =>
      changed[kind] === undefined
        ? []
        : [[`  ${kind}`, `${rateText(kind, changed[kind])}, above ${aboveInputTokens} input tokens`]],
    ),
  );
  lines.push(
    rates.length === 0 ? '  not charged by the token: what it costs is unknown' : table([...rates, ...tiers]),
  );
  return lines.join('\n');
}

function rateText(kind: (typeof RATE_KINDS)[number], usd: string): string {
  return kind === 'webSearches' || kind === 'requests' ? `$${usd} per thousand` : `$${usd} per million`;
}
