// dagwright keys …
import { KEY_NAME } from '../../resources/api-keys.ts';
import { action, type Command, command, group, textWithin, wholeNumber } from '../command.ts';
import { createOneKey, listAllKeys, revokeOneKey } from '../commands/keys.ts';

export function addKeyCommands(program: Command): void {
  const keys = group(program, 'keys', 'keys of the HTTP API, of one tenant');
  command(keys, 'list', 'newest first; never the keys themselves')
    .option('--limit <n>', 'at most 200', wholeNumber(1, 200), 50)
    .option('--cursor <cursor>', 'nextCursor of the page before')
    .action(action(listAllKeys));
  command(keys, 'create', 'make a key and print it, once')
    .argument('<name>', 'what it is for', textWithin(KEY_NAME))
    .option('--roles <list>', 'admin, editor, viewer, reviewer; with commas between')
    .option('--scopes <list>', 'executions:read, executions:write, …; with commas between')
    .option('--subject <actor>', 'for whom it acts, such as user:alice; else for itself')
    .option('--expires-at <instant>', 'from then on it is refused')
    .action(action(createOneKey));
  command(keys, 'revoke', 'refuse a key for good, everywhere within 5 s')
    .argument('<id>')
    .action(action(revokeOneKey));
}
