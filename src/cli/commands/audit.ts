// dagwright audit list: who changed what.
import { beginsWithDay } from '../../core/calendar-day.ts';
import type { AuditRecord } from '../../db/resources/audit.ts';
import { listAudit } from '../../resources/audit.ts';
import { action } from '../action.ts';
import { at } from '../at.ts';
import { type Command, command } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { paged } from '../input/arguments.ts';
import { printedPage, requireUuid } from '../input/lists.ts';
import { table } from '../output/terminal.ts';
import { refuse } from '../refusal.ts';

export function defineCommand(audit: Command): void {
  const list = command(audit, 'list', 'newest first')
    .option('--actor <actor>', 'such as user:alice, key:<id>, cli')
    .option('--action <action>', 'such as schedules.update')
    .option('--resource-type <type>', 'such as schedules')
    .option('--resource-id <id>', 'its id, or its name where that is its id')
    .option('--from <instant>', 'this instant, or date in UTC, and later')
    .option('--to <instant>', 'before this instant')
    .option('--installation', 'of what belongs to no tenant: prices and limits of services');
  paged(list).action(action(listChanges));
}

interface AuditOptions {
  readonly actor?: string;
  readonly action?: string;
  readonly resourceType?: string;
  readonly resourceId?: string;
  readonly from?: string;
  readonly to?: string;
  readonly installation?: boolean;
  readonly limit: number;
  readonly cursor?: string;
}

async function listChanges(context: CommandContext, options: AuditOptions): Promise<number> {
  const wanted = {
    ...options,
    before: requireUuid(options.cursor, '--cursor'),
    from: instantOf('--from', options.from),
    to: instantOf('--to', options.to),
  };
  const open = options.installation === true ? context.withEngine : context.withTenant;
  return await open(async (client, acting) => {
    const page = printedPage(await at(listAudit)(client, acting, wanted), ({ id }) => id);
    const { items, nextCursor } = page;
    context.printJson(page);
    const header = ['at', 'actor', 'action', 'what', 'changes'].map((cell) => context.paint('bold', cell));
    const rows = items.map((one) => [one.at, one.actor, one.action, one.resourceId, changesOf(one)]);
    context.say(items.length === 0 ? 'no changes' : table([header, ...rows]));
    if (nextCursor !== null) context.say(`more: --cursor ${nextCursor}`);
    return 0;
  });
}

/** `tier 1 -> 2, status active -> suspended`; of what was made or deleted, nothing: --json shows it. */
function changesOf({ oldValues, newValues }: AuditRecord): string {
  if (oldValues === null || newValues === null) return '';
  const text = Object.keys(newValues)
    .map((name) => `${name} ${JSON.stringify(oldValues[name])} -> ${JSON.stringify(newValues[name])}`)
    .join(', ');
  return text.length <= 100 ? text : `${text.slice(0, 99)}…`;
}

function instantOf(name: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const ms = Date.parse(text);
  if (!beginsWithDay(text) || Number.isNaN(ms))
    throw refuse('usage', `${name}: "${text}" is no date or instant`, '2030-01-01, or 2030-01-01T00:00:00Z');
  return new Date(ms).toISOString();
}
