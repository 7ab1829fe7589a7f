// dagwright migrate: brings the database up to date, or says whether it is.

import { openServer } from '../../db/embedded/given-or-embedded.ts';
import { arePricesOlder, migrateDatabase, pendingMigrations } from '../../db/operations/migrate.ts';
import { action } from '../action.ts';
import type { Command } from '../command.ts';
import type { CommandContext } from '../context.ts';

export function defineCommand(command: Command): void {
  command.option('--check', 'change nothing; exit 1 if migrations are pending').action(action(migrate));
}

async function migrate(context: CommandContext, options: { readonly check?: boolean }): Promise<number> {
  const server = await openServer(context.config, {
    ephemeral: context.isEphemeral,
    onProgress: context.note,
  });
  try {
    const pending = await pendingMigrations(server.directUrl);
    const isOutdated = pending > 0 || (await arePricesOlder(server.directUrl));
    if (options.check !== true && isOutdated) await migrateDatabase(server.directUrl);
    const applied = options.check === true ? 0 : pending;
    context.printJson({ pending: pending - applied, applied });
    context.say(
      pending === 0
        ? 'the database is up to date'
        : options.check === true
          ? `${pending} migration(s) pending; run: dagwright migrate`
          : `${applied} migration(s) applied`,
    );
    return options.check === true && pending > 0 ? 1 : 0;
  } finally {
    await server.stop();
  }
}
