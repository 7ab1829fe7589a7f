// What all command lines are made of: a command with the options that go with every one, and readers of arguments.
import { Command, InvalidArgumentError, Option } from 'commander';
import { PAGE_LIMIT } from '../resources/list-limits.ts';
import { USD } from '../resources/prices.ts';
import { type CommandContext, type GlobalOptions, withContext } from './context.ts';
import type { Io } from './io.ts';

export { Command, CommanderError, Option } from 'commander';

/** The root of all commands: it knows what they read and write, and keeps the exit code of the one that ran. */
export class Program extends Command {
  readonly io: Io;
  exitCode = 0;

  constructor(io: Io) {
    super('dagwright');
    this.io = io;
    this.configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
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
    .exitOverride();
}

/** A command that only holds others: `dagwright schedules list`. */
export function group(parent: Command, name: string, description: string): Command {
  return parent.command(name).description(description).exitOverride();
}

/** Runs `work` in its context. Commander hands over positional arguments, then options, then the command. */
export function action<Options>(
  work: (context: CommandContext, options: Options, ...args: string[]) => Promise<number>,
) {
  return async (...received: unknown[]) => {
    const options = received.at(-2) as GlobalOptions & Options;
    const args = received.slice(0, -2) as string[];
    const program = programOf(received.at(-1) as Command);
    program.exitCode = await withContext(program.io, options, (context) => work(context, options, ...args));
  };
}

/** As {@link action}, for a command whose one argument is a list. */
export function listAction<Options>(
  work: (context: CommandContext, options: Options, list: readonly string[]) => Promise<number>,
) {
  return async (list: string[], options: GlobalOptions & Options, command: Command) => {
    const program = programOf(command);
    program.exitCode = await withContext(program.io, options, (context) => work(context, options, list));
  };
}

function programOf(command: Command): Program {
  let root = command;
  while (root.parent !== null) root = root.parent;
  return root as Program;
}

export function choice(flags: string, description: string, values: readonly string[]): Option {
  return new Option(flags, description).choices(values);
}

export function wholeNumber(min: number, max: number) {
  return (text: string) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`expected a whole number from ${min} to ${max}`);
    return value;
  };
}

export function textWithin({
  minLength,
  maxLength,
}: {
  readonly minLength: number;
  readonly maxLength: number;
}) {
  return (text: string) => {
    const { length } = [...text];
    if (length < minLength || length > maxLength)
      throw new InvalidArgumentError(`expected ${minLength} to ${maxLength} characters`);
    return text;
  };
}

/** Adds what every list takes. */
export function paged(
  list: Command,
  cursor: { readonly flag?: string; readonly read?: (text: string) => unknown } = {},
): Command {
  const { flag = '--cursor <cursor>', read } = cursor;
  const page = list.option(
    '--limit <n>',
    `at most ${PAGE_LIMIT.max}`,
    wholeNumber(1, PAGE_LIMIT.max),
    PAGE_LIMIT.default,
  );
  const described = 'nextCursor of the page before';
  return read === undefined ? page.option(flag, described) : page.option(flag, described, read);
}

export function seconds(min: number, max: number) {
  return (text: string) => {
    const value = Number(text);
    if (!/^\d+(\.\d+)?$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`expected seconds from ${min} to ${max}`);
    return value;
  };
}

/** An amount of 0 or more, kept as it is written. */
export function dollars(text: string): string {
  if (!USD.pattern.test(text)) throw new InvalidArgumentError(`expected ${USD.expected}`);
  return text;
}
