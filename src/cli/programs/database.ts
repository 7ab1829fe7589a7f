// dagwright db …
import { action, type Command, command, group } from '../command.ts';
import { databaseStatus, databaseStop, databaseUrl } from '../commands/db.ts';

export function addDatabaseCommands(program: Command): void {
  const db = group(program, 'db', 'the embedded PostgreSQL server');
  command(db, 'status', 'whether it runs, and where its data are').action(action(databaseStatus));
  command(db, 'stop', 'stop it').action(action(databaseStop));
  command(db, 'url', 'start it if needed and print its URL').action(action(databaseUrl));
}
