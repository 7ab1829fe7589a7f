// What all command lines are made of. It is loaded for the list of commands too: nothing of their work is imported here.
import { Command } from 'commander';
import type { Io } from './io.ts';
import { withSafeOutput } from './safe-output.ts';

export { Command, CommanderError, InvalidArgumentError, Option } from 'commander';

/** The root of all commands: it knows what they read and write, and keeps the exit code of the one that ran. */
export class Program extends Command {
  readonly io: Io;
  exitCode = 0;

  constructor(io: Io) {
    super('dagwright');
    this.io = withSafeOutput(io);
    const { stdout, stderr } = this.io;
    this.configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
    });
  }
}

/** A command with the options that go with every one. */
export function command(parent: Command, name: string, description: string): Command {
  return parent
    .command(name)
    .description(description)
    .option('--json', 'one JSON object on stdout, for machines')
    .option('--ephemeral', 'a throw-away database that ends with the command')
    .option('--tenant <name>', 'act in this tenant', 'default')
    .option('--server <url>', 'a service, over HTTP, in place of the database (or DAGWRIGHT_URL)')
    .option('--key <key>', 'for that service (better: DAGWRIGHT_KEY)')
    .exitOverride();
}

/** A command that only holds others: `dagwright schedules list`. */
export function group(parent: Command, name: string, description: string): Command {
  return parent.command(name).description(description).exitOverride();
}

const SUGGESTIONS = new WeakMap<Command, readonly string[]>();

/** Words for a shell to complete the arguments of a command by; it may take others. */
export function suggestArguments(command: Command, words: readonly string[]): void {
  SUGGESTIONS.set(command, words);
}

export const suggestedArguments = (command: Command): readonly string[] => SUGGESTIONS.get(command) ?? [];
