// dagwright db: the embedded server; and a database that begins anew.
import { embeddedStatus, openEmbedded, stopEmbedded } from '../../db/embedded/server.ts';
import { action } from '../action.ts';
import { type Command, command } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { formatDuration, table } from '../output/terminal.ts';
import { refuse } from '../refusal.ts';
import { resetOne } from './db-reset.ts';

export function defineCommand(db: Command): void {
  command(db, 'status', 'whether it runs, and where its data are').action(action(showStatus));
  command(db, 'stop', 'stop it').action(action(stopServer));
  command(
    db,
    'reset',
    'delete all that is in the database, of DATABASE_URL or the embedded one, and begin anew',
  )
    .option('--yes', 'without asking; needed where it looks like production')
    .action(action(resetOne));
  command(db, 'url', 'start it if needed and print its URL').action(action(printUrl));
}

async function showStatus(context: CommandContext): Promise<number> {
  refuseEphemeral(context);
  if (context.config.databaseUrl !== undefined)
    context.note('DATABASE_URL is set: commands use that database, not the embedded one');
  const status = await embeddedStatus(context.config.home);
  context.printJson(status);
  const rows = [['running', status.running ? 'yes' : 'no']];
  if (status.dataDir !== undefined) rows.push(['data', status.dataDir]);
  if (status.running)
    rows.push(['url', status.url ?? ''], ['pid', String(status.pid)], ['clients', String(status.clients)]);
  context.say(table(rows));
  return 0;
}

async function stopServer(context: CommandContext): Promise<number> {
  refuseEphemeral(context);
  const startedAt = performance.now();
  const { stopped, clients } = await stopEmbedded(context.config.home);
  context.printJson({ stopped, connectionsCut: clients });
  if (!stopped) {
    context.say('it was not running');
    return 0;
  }
  context.say(`stopped in ${formatDuration(Math.round(performance.now() - startedAt))}`);
  if (clients !== null && clients > 0)
    context.say(
      `${clients} connection(s) of other commands were cut; one that goes on, such as \`dagwright dev\`, starts the server again`,
    );
  return 0;
}

async function printUrl(context: CommandContext): Promise<number> {
  refuseEphemeral(context);
  if (context.config.databaseUrl !== undefined) {
    context.say(context.config.databaseUrl);
    context.printJson({ url: context.config.databaseUrl });
    return 0;
  }
  const server = await openEmbedded({ home: context.config.home, onProgress: context.note });
  context.say(server.url);
  context.printJson({ url: server.url });
  await server.stop();
  return 0;
}

// A throw-away server ends with the command that opened it: there is none to look at, and the kept one is not meant.
function refuseEphemeral({ isEphemeral }: CommandContext): void {
  if (isEphemeral)
    throw refuse(
      'usage',
      '--ephemeral: `dagwright db` is about the server that is kept; a throw-away one ends with its command',
    );
}
