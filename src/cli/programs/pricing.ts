// dagwright pricing …
import { action, type Command, command, dollars, group } from '../command.ts';
import { costOfUsage, listPrices, setPrice, showPrices } from '../commands/pricing.ts';

export function addPricingCommands(program: Command): void {
  const pricing = group(
    program,
    'pricing',
    'what models cost: the price library, and your own prices before it',
  );
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
