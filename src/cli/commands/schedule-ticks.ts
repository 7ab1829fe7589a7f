// dagwright schedules ticks: the ledger of one schedule.
import { instantMs } from '../../core/schedule/settings.ts';
import type { TickStatus } from '../../core/schedule/words.ts';
import { listTicks } from '../../db/resources/schedule-ticks.ts';
import { findSchedule } from '../../db/resources/schedules.ts';
import { CLI_ACTOR } from '../actor.ts';
import type { CommandContext } from '../context.ts';
import { table } from '../output/terminal.ts';
import { refuse } from '../refusal.ts';
import { requireScheduleId, unknownSchedule } from './schedules.ts';

export interface TickOptions {
  readonly limit: number;
  readonly cursor?: string;
  readonly status?: TickStatus;
  readonly from?: string;
  readonly to?: string;
}

export async function listAllTicks(
  context: CommandContext,
  { limit, cursor, status, from, to }: TickOptions,
  id: string,
): Promise<number> {
  const scheduleId = requireScheduleId(id);
  for (const [option, text] of Object.entries({ '--from': from, '--to': to, '--cursor': cursor }))
    if (text !== undefined && Number.isNaN(instantMs(text)))
      throw refuse('usage', `${option}: "${text}" is not an instant`, '2027-01-01T00:00:00Z');
  return await context.withSystem(async ({ database, tenantId }) => {
    const found = await database.withTenant({ tenantId, ...CLI_ACTOR }, async (client) => {
      if ((await findSchedule(client, tenantId, scheduleId)) === null) throw unknownSchedule(id);
      return await listTicks(client, tenantId, scheduleId, {
        limit: limit + 1,
        before: cursor ?? null,
        status,
        from,
        to,
      });
    });
    const items = found.slice(0, limit);
    const nextCursor = found.length > limit ? items.at(-1)!.scheduledAt : null;
    context.printJson({ items, nextCursor });
    const header = ['scheduled', 'status', 'execution', 'reason'].map((cell) => context.paint('bold', cell));
    const rows = items.map((tick) => [
      tick.scheduledAt,
      tick.status,
      tick.executionId ?? '',
      tick.reason ?? '',
    ]);
    context.say(items.length === 0 ? 'no ticks' : table([header, ...rows]));
    if (nextCursor !== null) context.say(`more: --cursor ${nextCursor}`);
    return 0;
  });
}
