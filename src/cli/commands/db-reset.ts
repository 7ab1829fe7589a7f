// dagwright db reset: an empty database in place of the one there is.
import { openServer } from '../../db/embedded/given-or-embedded.ts';
import { readResetState, resetDatabase } from '../../db/operations/reset.ts';
import type { CommandContext } from '../context.ts';
import { refuse } from '../refusal.ts';
import type { Config } from '../settings/config.ts';
import { isLoopback } from '../settings/http-settings.ts';

export async function resetOne(
  context: CommandContext,
  { yes = false }: { readonly yes?: boolean },
): Promise<number> {
  if (context.isEphemeral) throw refuse('usage', '--ephemeral: a throw-away database is empty anyway');
  const { config } = context;
  const server = await openServer(config, { onProgress: context.note });
  try {
    const { database, executions, workers } = await readResetState(server.directUrl);
    if (executions === null)
      throw refuse(
        'not_found',
        `there is nothing of Dagwright in the database "${database}"`,
        'dagwright migrate',
      );
    if (workers > 0)
      throw refuse(
        'in_use',
        `${workers} worker(s) live on the database "${database}", and would lose it under their feet`,
        'end them first: dagwright doctor names them',
      );
    const what = `the database "${database}"${server.isEmbedded ? ' of .dagwright/' : ''} with ${executions} execution(s), and all definitions, keys and secrets`;
    if (!yes)
      await confirm(context, {
        what,
        database,
        looksLikeProduction: looksLikeProduction(config, server.directUrl),
      });
    await resetDatabase(server.directUrl);
    context.printJson({ database, deletedExecutions: executions });
    context.say(`${what}: gone; it is empty and up to date`);
    return 0;
  } finally {
    await server.stop();
  }
}

async function confirm(
  { io }: CommandContext,
  given: { readonly what: string; readonly database: string; readonly looksLikeProduction: string | null },
): Promise<void> {
  const { what, database, looksLikeProduction: reason } = given;
  if (reason !== null)
    throw refuse(
      'not_confirmed',
      `this looks like production: ${reason}`,
      'dagwright db reset --yes, if it is meant',
    );
  if (io.ask === undefined)
    throw refuse('not_confirmed', `it would delete ${what}`, 'dagwright db reset --yes');
  const answer = await io.ask(`This deletes ${what}.\nType "${database}" to go on: `);
  if (answer.trim() !== database) throw refuse('not_confirmed', 'nothing was deleted');
}

/** Why it should be asked for by --yes; null: it is a database of this machine. */
export function looksLikeProduction(
  { isProduction }: Pick<Config, 'isProduction'>,
  url: string,
): string | null {
  if (isProduction) return 'NODE_ENV=production';
  const address = new URL(url);
  const hostname = address.searchParams.get('host') ?? address.hostname;
  return hostname === '' || hostname.startsWith('/') || isLoopback(hostname.replace(/^\[|\]$/g, ''))
    ? null
    : `the database is on ${hostname}`;
}
