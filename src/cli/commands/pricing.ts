// dagwright pricing: list, show, set, cost. All of them need the database, `cost` too: the operator's own prices are there.
import type { PriceTable } from '../../core/cost/price-table.ts';
import { priceUsage } from '../../core/cost/price-usage.ts';
import { priceView } from '../../core/cost/price-view.ts';
import { modelName } from '../../core/cost/provider-name.ts';
import * as resource from '../../resources/prices.ts';
import { action } from '../action.ts';
import { type Command, command } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { dollars } from '../input/arguments.ts';
import { argumentProblems, readTextArgument } from '../input/json-argument.ts';
import { type PricedCall, readCalls } from '../input/usage-lines.ts';
import { describePrice, priceTable } from '../output/price-table.ts';
import { outcomeToRefusal, Refusal, refuse } from '../refusal.ts';

export function defineCommand(pricing: Command): void {
  command(pricing, 'list', 'what each model costs now')
    .option('--provider <provider>')
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
  command(
    pricing,
    'cost',
    "what calls cost, from the providers' own usage blocks; prints a JSON line for each",
  )
    .requiredOption('--usage <json|@file>', '{ provider, model, at?, usage }, or JSON lines of them')
    .action(action(costOfUsage));
}

async function listPrices(context: CommandContext, options: { readonly provider?: string }): Promise<number> {
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
      `${priceTable(rows, context.paint)}\n\nUS dollars per million tokens; * has more rates: pricing show`,
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

async function costOfUsage(context: CommandContext, options: { readonly usage: string }): Promise<number> {
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
