// dagwright services: limits of outside services, and their circuit breakers. They are the installation's, not a tenant's.
import {
  listServices,
  removeServiceLimit,
  resetService,
  type ServiceLimit,
  type ServiceRow,
  setServiceLimit,
} from '../../db/resources/services.ts';
import { CLI_ACTOR } from '../actor.ts';
import type { CommandContext } from '../context.ts';
import { formatDuration, table } from '../output/terminal.ts';
import { refuse } from '../refusal.ts';

export interface SetOptions {
  readonly maxConcurrency?: number;
  readonly rate?: number;
  readonly per?: number;
}

export async function listLimits(context: CommandContext): Promise<number> {
  return await context.withSystem(async ({ database }) => {
    const rows = await listServices(database.engine);
    context.printJson({ items: rows.map(itemOf), nextCursor: null });
    const header = ['service', 'concurrency', 'in flight', 'rate', 'state', 'last error'];
    const cells = rows.map((row) => [
      row.serviceId,
      row.maxConcurrency === null ? '' : String(row.maxConcurrency),
      row.inFlight === null ? '' : String(row.inFlight),
      rateText(row),
      stateText(row),
      row.lastError ?? '',
    ]);
    context.say(
      rows.length === 0
        ? 'no service is limited, and all circuit breakers are closed'
        : table([header.map((cell) => context.paint('bold', cell)), ...cells]),
    );
    return 0;
  });
}

export async function setLimit(
  context: CommandContext,
  options: SetOptions,
  serviceId: string,
): Promise<number> {
  requireServiceId(serviceId);
  const { maxConcurrency, rate, per } = options;
  if ((rate === undefined) !== (per === undefined))
    throw refuse('usage', '--rate and --per go together', '--rate 60 --per 60: at most 60 calls a minute');
  if (maxConcurrency === undefined && rate === undefined)
    throw refuse('usage', 'nothing to set', 'give --max-concurrency N, or --rate N --per SECONDS, or both');
  return await context.withSystem(async ({ database }) => {
    const limit = await database.asEngine(CLI_ACTOR, (client) =>
      setServiceLimit(client, serviceId, {
        ...(maxConcurrency === undefined ? {} : { maxConcurrency }),
        ...(rate === undefined ? {} : { rateLimit: rate, rateIntervalMs: Math.round(per! * 1000) }),
      }),
    );
    context.printJson({ serviceId, ...limitOf(limit) });
    const concurrency = limit.maxConcurrency === null ? [] : [`${limit.maxConcurrency} calls at once`];
    const texts = [...concurrency, ...(limit.rateLimit === null ? [] : [rateText(limit)])];
    context.say(`${serviceId}: at most ${texts.join(', ')}`);
    return 0;
  });
}

export async function removeLimit(
  context: CommandContext,
  _options: object,
  serviceId: string,
): Promise<number> {
  requireServiceId(serviceId);
  return await context.withSystem(async ({ database }) => {
    if (!(await database.asEngine(CLI_ACTOR, (client) => removeServiceLimit(client, serviceId))))
      throw refuse('not_found', `service "${serviceId}" has no limit`, 'dagwright services list');
    context.printJson({ serviceId, ...limitOf(null) });
    context.say(`${serviceId}: not limited any more`);
    return 0;
  });
}

export async function resetBreaker(
  context: CommandContext,
  _options: object,
  serviceId: string,
): Promise<number> {
  requireServiceId(serviceId);
  return await context.withSystem(async ({ database }) => {
    const wasHeldBack = await database.asEngine(CLI_ACTOR, (client) => resetService(client, serviceId));
    context.printJson({ serviceId, wasHeldBack });
    context.say(
      wasHeldBack ? `${serviceId}: calls begin again within a second` : `${serviceId}: was not held back`,
    );
    return 0;
  });
}

function requireServiceId(serviceId: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (!/^[^\s\u0000-\u001f\u007f]{1,200}$/.test(serviceId))
    throw refuse(
      'usage',
      'a service is named by 1 to 200 characters without spaces',
      'a provider (openai), a host (api.example.com), or the serviceId of the definition',
    );
}

const limitOf = (limit: ServiceLimit | null) => ({
  maxConcurrency: limit?.maxConcurrency ?? null,
  rate: limit?.rateLimit ?? null,
  perSeconds: limit?.rateIntervalMs == null ? null : limit.rateIntervalMs / 1000,
});

const itemOf = (row: ServiceRow) => ({
  serviceId: row.serviceId,
  ...limitOf(row),
  inFlight: row.inFlight,
  state: stateOf(row),
  openings: row.openings,
  retryInMs: Math.max(0, Math.round(row.openings > 0 ? row.openForMs : row.pausedForMs)),
  lastError: row.lastError,
});

function stateOf(row: ServiceRow): 'closed' | 'open' | 'half_open' | 'paused' {
  if (row.openings === 0) return row.pausedForMs > 0 ? 'paused' : 'closed';
  return row.openForMs > 0 && !row.isProbing ? 'open' : 'half_open';
}

function stateText(row: ServiceRow): string {
  const state = stateOf(row);
  if (state === 'open') return `open for ${formatDuration(Math.round(row.openForMs))}`;
  if (state === 'paused') return `paused for ${formatDuration(Math.round(row.pausedForMs))}`;
  return state === 'half_open' ? 'open, the next call tries' : 'closed';
}

function rateText({ rateLimit, rateIntervalMs }: ServiceLimit): string {
  return rateLimit === null || rateIntervalMs === null ? '' : `${rateLimit} in ${rateIntervalMs / 1000} s`;
}
