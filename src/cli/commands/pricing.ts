// dagwright pricing: list, show, set, import, cost. All of them need the database, `cost` too: the operator's own prices are there.

import { priceBill } from '../../core/cost/price-bill.ts';
import type { PriceTable } from '../../core/cost/price-table.ts';
import { priceView } from '../../core/cost/price-view.ts';
import { NO_TOKENS } from '../../core/cost/usage.ts';
import type { Json } from '../../core/json.ts';
import * as resource from '../../resources/prices.ts';
import { action } from '../action.ts';
import { type Command, command } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { dollars } from '../input/arguments.ts';
import { argumentProblems, readTextArgument } from '../input/json-argument.ts';
import { readTextFile } from '../input/read-text.ts';
import { readCalls, type UsageLine } from '../input/usage-lines.ts';
import { describePrice, priceTable } from '../output/price-table.ts';
import { outcomeToRefusal, Refusal, refuse } from '../refusal.ts';

export function defineCommand(pricing: Command): void {
  command(pricing, 'list', 'what each model costs now')
    .option('--provider <provider>')
    .option(
      '--source',
      'where each rate is from: the library, a reviewed row of this release, or the operator',
    )
    .action(action(listPrices));
  command(pricing, 'show', 'all prices of a model: past, present, coming')
    .argument('<model>', 'PROVIDER/MODEL, or MODEL at all providers')
    .action(action(showPrices));
  command(pricing, 'set', "set your own price of a model, in place of the price library's")
    .argument('<model>', 'PROVIDER/MODEL; PROVIDER/* for all models of a provider')
    .option('--input <usd>', 'per million input tokens', dollars)
    .option('--output <usd>', 'per million output tokens', dollars)
    .option('--cached-input <usd>', 'per million tokens read from a cache; else as --input', dollars)
    .option('--cache-write <usd>', 'per million tokens written to a cache; else as --input', dollars)
    .option(
      '--from <date>',
      'a date (UTC) or instant; else always for a first price, from now on for a later one',
    )
    .option('--remove', 'take away what was set')
    .action(action(setPrice));
  command(pricing, 'import', "take a newer data file of the price library, in place of this release's")
    .argument('<file>', 'prices/data.json of github.com/pydantic/genai-prices')
    .action(action(importFile));
  command(
    pricing,
    'cost',
    "what calls cost, from the providers' own usage blocks; prints a JSON line for each",
  )
    .requiredOption(
      '--usage <json|@file>',
      '{ provider, model, at?, usage } or { …, answer } with the whole answer, or JSON lines of them',
    )
    .action(action(costOfUsage));
}

async function listPrices(
  context: CommandContext,
  options: { readonly provider?: string; readonly source?: boolean },
): Promise<number> {
  return await withPrices(context, (prices) => {
    const rows = resource.listPrices(prices, new Date(), options);
    if (options.provider !== undefined && rows.length === 0)
      throw refuse(
        'not_found',
        `there are no prices of the provider "${options.provider}"`,
        'dagwright pricing list',
      );
    context.printJson({ items: rows.map(priceView), nextCursor: null });
    context.say(
      `${priceTable(rows, { hasSource: options.source === true }, context.paint)}\n\nUS dollars per million tokens; * has more rates: pricing show`,
    );
    return 0;
  });
}

async function showPrices(context: CommandContext, _options: object, model: string): Promise<number> {
  return await withPrices(context, (prices) => {
    const items = outcomeToRefusal(resource.showPrices(prices, new Date(), model), {
      hints: { not_found: 'dagwright pricing set PROVIDER/MODEL --input USD --output USD' },
    });
    context.printJson({
      model,
      items: items.map(({ price, isCurrent }) => ({ ...priceView(price), isCurrent })),
    });
    context.say(
      items.map(({ price, isCurrent }) => describePrice(price, { isCurrent }, context.paint)).join('\n\n'),
    );
    return 0;
  });
}

interface SetOptions {
  readonly input?: string;
  readonly output?: string;
  readonly cachedInput?: string;
  readonly cacheWrite?: string;
  readonly from?: string;
  readonly remove?: boolean;
}

async function setPrice(context: CommandContext, options: SetOptions, name: string): Promise<number> {
  const place = resource.readPricePlace(name);
  if (place === null)
    throw refuse(
      'usage',
      `"${name}" is not PROVIDER/MODEL, such as openai/gpt-4o or ollama/*`,
      `PROVIDER: ${resource.PROVIDER.expected}; MODEL: ${resource.MODEL.expected}`,
    );
  const rates = readRates(options);
  const effectiveFrom = options.from === undefined ? null : readDate(options.from);
  return await context.withEngine(async (client, acting) => {
    if (rates === null) {
      const removed = outcomeToRefusal(await resource.removePrices(client, acting, place));
      context.printJson(removed);
      context.say(`removed; the price library's price holds again, where it has one`);
      return 0;
    }
    const set = outcomeToRefusal(await resource.setPrice(client, acting, { ...place, effectiveFrom, rates }));
    context.printJson(priceView(set));
    context.say(describePrice(set, { isCurrent: false }, context.paint));
    return 0;
  });
}

async function importFile(context: CommandContext, _options: object, path: string): Promise<number> {
  const file = parseFile(await readTextFile(path, 'FILE'), path);
  return await context.withEngine(async (client, acting) => {
    const imported = outcomeToRefusal(await resource.importPrices(client, acting, { file, at: new Date() }));
    context.printJson(imported);
    context.say(
      `${imported.prices} prices of the library, version ${imported.version}; yours and reviewed ones go before them`,
    );
    return 0;
  });
}

// Larger than what people write by hand: read as a program's.
function parseFile(text: string, path: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw refuse('syntax', `${path} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function costOfUsage(context: CommandContext, options: { readonly usage: string }): Promise<number> {
  const calls = readCalls(await readTextArgument(options.usage, '--usage'), new Date());
  if (!calls.ok) throw new Refusal(argumentProblems(calls.problems, '--usage', options.usage));
  return await withPrices(context, (prices) => {
    const notes = new Set<string>();
    const lines = calls.value.map((line) => costObject(line, options.usage, prices, notes));
    for (const line of lines) context.printJson(line);
    context.say(lines.map((line) => JSON.stringify(line)).join('\n'));
    for (const note of notes) context.note(note);
    return calls.value.every(({ problems }) => problems.length === 0) ? 0 : 1;
  });
}

const NO_COST = { inputCostUsd: null, outputCostUsd: null, costUsd: null } as const;

/** A line that is no call is told in its place: its costs are null. */
function costObject(line: UsageLine, argument: string, prices: PriceTable, notes: Set<string>): object {
  const errors = argumentProblems(line.problems, '--usage', argument);
  for (const { message } of errors) notes.add(message);
  const told = errors.length === 0 ? {} : { errors };
  if (line.call === null) return { model: null, ...NO_COST, ...told };
  const { provider, model, at, bill } = line.call;
  const { parts: _, ...tokens } = bill.usage ?? NO_TOKENS;
  const priced = priceBill(prices, bill, { provider, model, at });
  const { inputCostUsd, outputCostUsd, costUsd, answeredBy, statedCostUsd, unknownBecause } = priced;
  if (unknownBecause !== null && errors.length === 0) notes.add(unknownBecause);
  for (const warning of priced.warnings) notes.add(`${provider}/${model}: ${warning}`);
  return {
    model,
    ...(answeredBy !== null && { answeredBy }),
    ...tokens,
    inputCostUsd,
    outputCostUsd,
    costUsd,
    ...(statedCostUsd !== null && { statedCostUsd }),
    ...(unknownBecause !== null && { costUnknownBecause: unknownBecause }),
    ...told,
  };
}

async function withPrices(context: CommandContext, work: (prices: PriceTable) => number): Promise<number> {
  return await context.withSystem(async ({ database }) =>
    work((await resource.readPrices(database.engine)).table),
  );
}

/** Null: all prices are to be removed. */
function readRates(options: SetOptions): resource.NewPrice['rates'] | null {
  const { input, output, cachedInput, cacheWrite, remove } = options;
  const given = { input, output, cachedInput, cacheWrite };
  if (remove === true) {
    if ([...Object.values(given), options.from].some((value) => value !== undefined))
      throw refuse(
        'usage',
        '--remove takes away all prices that were set for the model; it goes with no other option',
      );
    return null;
  }
  if (input === undefined || output === undefined)
    throw refuse('usage', '--input and --output are needed (--output 0 for embeddings), or --remove');
  return { input, output, cachedInput, cacheWrite };
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
