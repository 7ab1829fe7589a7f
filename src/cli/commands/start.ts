// dagwright start: the service for production, or a part of it.
import { action } from '../action.ts';
import type { Command } from '../command.ts';
import { choice } from '../input/arguments.ts';
import { serve } from '../serve.ts';
import { type Config, ROLES } from '../settings/config.ts';

export function defineCommand(command: Command): void {
  command
    .addOption(choice('--role <role>', 'what this process does', ROLES))
    .action(action<{ role?: Config['role'] }>((context, { role }) => serve(context, { role, isDev: false })));
}
