// dagwright services: limits of outside services, and their circuit breakers. They are the installation's, not a tenant's.
import {
  BREAKER_ID,
  CALLS,
  INTERVAL_SECONDS,
  type LimitView,
  listServices,
  removeServiceLimit,
  resetService,
  SERVICE_ID,
  type ServiceView,
  setServiceLimit,
} from '../../resources/service-limits.ts';
import { action } from '../action.ts';
import { at } from '../at.ts';
import { type Command, command } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { seconds, wholeNumber } from '../input/arguments.ts';
import { requireText } from '../input/lists.ts';
import { formatDuration, table } from '../output/terminal.ts';
import { outcomeToRefusal, refuse } from '../refusal.ts';
import { oneLine } from '../safe-output.ts';

const calls = wholeNumber(CALLS.minimum, CALLS.maximum);
const interval = seconds(INTERVAL_SECONDS.minimum, INTERVAL_SECONDS.maximum);

export function defineCommand(services: Command): void {
  command(services, 'list', 'services that are limited or held back').action(action(listLimits));
  command(services, 'set', 'limit a service; what is not named stays as it is')
    .argument('<service>', 'a provider, a host, or the serviceId of definitions')
    .option('--max-concurrency <n>', 'calls at once', calls)
    .option('--rate <n>', 'calls that may start within any --per seconds', calls)
    .option('--per <seconds>', 'with --rate', interval)
    .action(action(setLimit));
  command(services, 'remove', 'lift all limits of a service')
    .argument('<service>')
    .action(action(removeLimit));
  command(services, 'reset', 'close the circuit breaker of a service, end its pause')
    .argument('<service>')
    .action(action(resetBreaker));
}

const SERVICE = '<service>';
const WORDS = { hints: { not_found: 'dagwright services list' } };

interface SetOptions {
  readonly maxConcurrency?: number;
  readonly rate?: number;
  readonly per?: number;
}

async function listLimits(context: CommandContext): Promise<number> {
  return await context.withEngine(async (client, acting) => {
    const { rows: items } = await at(listServices)(client, acting);
    context.printJson({ items, nextCursor: null });
    const header = ['service', 'concurrency', 'in flight', 'rate', 'state', 'last error'];
    const cells = items.map((item) => [
      item.serviceId,
      item.maxConcurrency === null ? '' : String(item.maxConcurrency),
      item.inFlight === null ? '' : String(item.inFlight),
      rateText(item),
      stateText(item),
      item.lastError ?? '',
    ]);
    context.say(
      items.length === 0
        ? 'no service is limited, and all circuit breakers are closed'
        : table([header.map((cell) => context.paint('bold', cell)), ...cells]),
    );
    return 0;
  });
}

async function setLimit(
  context: CommandContext,
  { maxConcurrency, rate, per }: SetOptions,
  serviceId: string,
): Promise<number> {
  requireText(SERVICE_ID, serviceId, SERVICE);
  if ((rate === undefined) !== (per === undefined))
    throw refuse('usage', '--rate and --per go together', '--rate 60 --per 60: at most 60 calls a minute');
  if (maxConcurrency === undefined && rate === undefined)
    throw refuse('usage', 'nothing to set', 'give --max-concurrency N, or --rate N --per SECONDS, or both');
  return await context.withEngine(async (client, acting) => {
    const given = { serviceId, maxConcurrency, rateLimit: rate, rateIntervalSeconds: per };
    const limit = outcomeToRefusal(await at(setServiceLimit)(client, acting, given), WORDS);
    context.printJson(limit);
    const concurrency = limit.maxConcurrency === null ? [] : [`${limit.maxConcurrency} calls at once`];
    const texts = [...concurrency, ...(limit.rateLimit === null ? [] : [rateText(limit)])];
    context.say(`${oneLine(serviceId)}: at most ${texts.join(', ')}`);
    return 0;
  });
}

async function removeLimit(context: CommandContext, _options: object, serviceId: string): Promise<number> {
  requireText(SERVICE_ID, serviceId, SERVICE);
  return await context.withEngine(async (client, acting) => {
    context.printJson(outcomeToRefusal(await at(removeServiceLimit)(client, acting, serviceId), WORDS));
    context.say(`${oneLine(serviceId)}: not limited any more`);
    return 0;
  });
}

async function resetBreaker(context: CommandContext, _options: object, serviceId: string): Promise<number> {
  requireText(BREAKER_ID, serviceId, SERVICE);
  return await context.withEngine(async (client, acting) => {
    const reset = outcomeToRefusal(await at(resetService)(client, acting, serviceId), WORDS);
    context.printJson(reset);
    const text = reset.wasHeldBack ? 'calls begin again within a second' : 'was not held back';
    context.say(`${oneLine(serviceId)}: ${text}`);
    return 0;
  });
}

function stateText({ state, retryInMs }: ServiceView): string {
  if (state === 'open' || state === 'paused') return `${state} for ${formatDuration(retryInMs)}`;
  return state === 'half_open' ? 'open, the next call tries' : 'closed';
}

function rateText({ rateLimit, rateIntervalSeconds }: LimitView): string {
  return rateLimit === null || rateIntervalSeconds === null ? '' : `${rateLimit} in ${rateIntervalSeconds} s`;
}
