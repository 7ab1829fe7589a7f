// What a command does when it is called: its work, in its context; the exit code goes to the program.
import type { Command, Program } from './command.ts';
import { type CommandContext, type GlobalOptions, withContext } from './context.ts';

/** Runs `work` in its context. Commander hands over positional arguments, then options, then the command. */
export function action<Options>(
  work: (context: CommandContext, options: Options, ...args: string[]) => Promise<number>,
) {
  return async (...received: unknown[]) => {
    const command = received.at(-1) as Command;
    const options = optionsOf<Options>(command);
    const args = received.slice(0, -2) as string[];
    const program = programOf(command);
    program.exitCode = await withContext(program.io, options, (context) => work(context, options, ...args));
  };
}

/** As {@link action}, for a command whose one argument is a list. */
export function listAction<Options>(
  work: (context: CommandContext, options: Options, list: readonly string[]) => Promise<number>,
) {
  return async (list: string[], _options: unknown, command: Command) => {
    const options = optionsOf<Options>(command);
    const program = programOf(command);
    program.exitCode = await withContext(program.io, options, (context) => work(context, options, list));
  };
}

// What stands before the command counts where the command itself does not say it.
function optionsOf<Options>(command: Command): GlobalOptions & Options {
  const before = programOf(command).opts<Partial<GlobalOptions>>();
  const own = command.opts();
  const said = (name: string) => command.getOptionValueSource(name) === 'cli';
  const kept = Object.entries(before).filter(([name]) => !said(name));
  const isTenantGiven = said('tenant') || before.tenant !== undefined;
  return {
    ...own,
    ...Object.fromEntries(kept),
    isTenantGiven,
    command: firstWordOf(command),
  } as GlobalOptions & Options;
}

function firstWordOf(command: Command): string {
  let at = command;
  while (at.parent !== null && at.parent.parent !== null) at = at.parent;
  return at.name();
}

function programOf(command: Command): Program {
  let root = command;
  while (root.parent !== null) root = root.parent;
  return root as Program;
}
