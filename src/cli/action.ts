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
  const { tenant } = programOf(command).opts<{ tenant?: string }>();
  const isOwn = command.getOptionValueSource('tenant') === 'cli';
  return { ...command.opts(), ...(tenant === undefined || isOwn ? {} : { tenant }) } as GlobalOptions &
    Options;
}

function programOf(command: Command): Program {
  let root = command;
  while (root.parent !== null) root = root.parent;
  return root as Program;
}
