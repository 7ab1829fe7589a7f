// dagwright dev: everything in one process, for one's own machine.
import { action } from '../action.ts';
import type { Command } from '../command.ts';
import { serve } from '../serve.ts';

export function defineCommand(command: Command): void {
  command.action(action((context) => serve(context, { role: 'all', isDev: true })));
}
