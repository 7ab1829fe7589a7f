// The command line: its commands by name. What one takes and does is in commands/NAME.ts, which is loaded when it is asked for,
// so that help is there at once. Exit code 0 done, 1 the run failed or was refused, 2 wrong usage. With --json stdout holds one
// JSON object and nothing else.
import packageJson from '../../package.json' with { type: 'json' };
import { type Command, CommanderError, command, group, Program } from './command.ts';
import type { Io } from './io.ts';
import { ownExample } from './own-examples.ts';

interface Entry {
  readonly name: string;
  readonly description: string;
  readonly argument?: readonly [term: string, description?: string];
  /** `defineCommand` adds options and work, or the commands of a group. */
  readonly load: () => Promise<{
    readonly defineCommand: (command: Command, loadAll: () => Promise<Command>) => void;
  }>;
}

const COMMANDS: readonly Entry[] = [
  {
    name: 'init',
    description: 'write a project that runs: a workflow, a task of its own, a test',
    argument: ['[folder]', 'where; this folder if absent'],
    load: () => import('./commands/init/init.ts'),
  },
  {
    name: 'run',
    description: 'start a workflow, work until it has ended, print the result',
    argument: ['<file|workflowId>', 'a definition (it is applied first), or the id of an applied one'],
    load: () => import('./commands/run.ts'),
  },
  {
    name: 'validate',
    description: 'check definitions; warnings alone exit 0',
    argument: ['<file...>'],
    load: () => import('./commands/validate.ts'),
  },
  {
    name: 'schema',
    description: 'print the JSON Schema of a definition, for editors',
    load: () => import('./commands/schema.ts'),
  },
  {
    name: 'explain',
    description:
      'what a task type takes, a function does, a code means: of errors, problems, answers, skipped tasks',
    argument: ['[name]', 'such as parallel, join, timeout, http_503, unknown_task; absent: all names'],
    load: () => import('./commands/explain.ts'),
  },
  {
    name: 'apply',
    description: 'save definitions; a changed one becomes a new revision',
    argument: ['<file...>'],
    load: () => import('./commands/apply.ts'),
  },
  {
    name: 'migrate',
    description: 'bring the database up to date',
    load: () => import('./commands/migrate.ts'),
  },
  {
    name: 'start',
    description: 'the service for production',
    load: () => import('./commands/start.ts'),
  },
  {
    name: 'dev',
    description: 'embedded database, migrations, HTTP on 127.0.0.1:3000, a worker and the scheduler',
    load: () => import('./commands/dev.ts'),
  },
  {
    name: 'doctor',
    description: 'check database, roles, isolation, queue, workers: what is wrong and what to do',
    load: () => import('./commands/doctor.ts'),
  },
  {
    name: 'health',
    description: 'exit 0 if the worker of this machine or container beats',
    load: () => import('./commands/health.ts'),
  },
  {
    name: 'demo',
    description: 'run a workflow on the embedded database, and kill its worker in the middle',
    load: () => import('./commands/demo/demo.ts'),
  },
  {
    name: 'completion',
    description: 'print what your shell needs to complete commands and options',
    argument: ['<shell>', 'bash, zsh or fish'],
    load: () => import('./commands/completion.ts'),
  },
];

const GROUPS: readonly Entry[] = [
  {
    name: 'executions',
    description: 'list, show, follow, cancel, pause and resume executions',
    load: () => import('./commands/executions/executions.ts'),
  },
  {
    name: 'reviews',
    description: 'what people are asked: list, show, approve, reject, hand on',
    load: () => import('./commands/reviews.ts'),
  },
  {
    name: 'services',
    description: 'limits of outside services, shared by all workers, and their circuit breakers',
    load: () => import('./commands/services.ts'),
  },
  {
    name: 'pricing',
    description: 'what models cost: the price library, and your own prices before it',
    load: () => import('./commands/pricing.ts'),
  },
  {
    name: 'retention',
    description: 'delete executions that ended long ago',
    load: () => import('./commands/retention.ts'),
  },
  {
    name: 'workflows',
    description: 'saved definitions, their revisions, on and off',
    load: () => import('./commands/workflows.ts'),
  },
  {
    name: 'variables',
    description: 'values that definitions read as variables.NAME; no place for secrets',
    load: () => import('./commands/variables.ts'),
  },
  {
    name: 'schedules',
    description: 'start workflows by cron expressions',
    load: () => import('./commands/schedules/schedules.ts'),
  },
  {
    name: 'tenants',
    description: 'the units of isolation: each sees its own rows only',
    load: () => import('./commands/tenants.ts'),
  },
  {
    name: 'keys',
    description: 'keys of the HTTP API, of one tenant',
    load: () => import('./commands/keys.ts'),
  },
  {
    name: 'audit',
    description: 'who changed what; only ever appended to',
    load: () => import('./commands/audit.ts'),
  },
  {
    name: 'webhooks',
    description: 'URLs where deliveries of outside services start workflows',
    load: () => import('./commands/webhooks/webhooks.ts'),
  },
  {
    name: 'db',
    description: 'the embedded PostgreSQL server',
    load: () => import('./commands/db.ts'),
  },
];

/** The program with all its commands, in the order in which help lists them. They do nothing until they are loaded. */
export function createProgram(io: Io): Program {
  const program = new Program(io);
  program
    .description('Durable DAG workflows on nothing but PostgreSQL.')
    .version(packageJson.version)
    .showSuggestionAfterError()
    .showHelpAfterError('(add --help for usage)')
    .option('--tenant <name>', 'as with each command: act in this tenant')
    .option('--server <url>', 'as with each command: a service, over HTTP, in place of the database')
    .option('--key <key>', 'for that service')
    .exitOverride()
    .addHelpText(
      'after',
      `
Examples:
  dagwright run ${ownExample('research-brief.yaml')} --input '{"question":"Why DAGs?"}'
  dagwright validate flow.yaml --explain
  DATABASE_URL=postgres://user:pass@host/db dagwright start --role worker

Without DATABASE_URL a PostgreSQL server is started in .dagwright/ and stops a minute after its last use.`,
    );
  for (const { name, description, argument } of COMMANDS) {
    const made = command(program, name, description);
    if (argument !== undefined) made.argument(...argument);
  }
  for (const { name, description } of GROUPS) group(program, name, description);
  return program;
}

/** Options before the command that take a value, which may be called like a command. */
const ROOT_VALUES = ['--tenant', '--server', '--key'];

/** Loads the command that a command line asks for, also by `help NAME`: the first word that names one. */
export async function loadCommand(program: Program, args: readonly string[]): Promise<void> {
  const entries = new Map([...COMMANDS, ...GROUPS].map((entry) => [entry.name, entry]));
  const named = args.find((word, i) => entries.has(word) && !ROOT_VALUES.includes(args[i - 1] ?? ''));
  if (named !== undefined) await loadEntry(program, entries.get(named)!);
}

async function loadEntry(program: Program, { name, load }: Entry): Promise<void> {
  const { defineCommand } = await load();
  const made = program.commands.find((one) => one.name() === name)!;
  // Another program, so that a command that is loaded already is not defined twice.
  defineCommand(made, async () => {
    const whole = createProgram(program.io);
    for (const entry of [...COMMANDS, ...GROUPS]) await loadEntry(whole, entry);
    return whole;
  });
}

/** Runs one command line, without the program's name; its exit code. */
export async function runProgram(io: Io, args: readonly string[]): Promise<number> {
  const program = createProgram(io);
  await loadCommand(program, args);
  try {
    await program.parseAsync(args, { from: 'user' });
    return program.exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    // Commander has said it on stderr. Before options are read, only the arguments tell who listens.
    if (args.includes('--json')) {
      const message = error.code === 'commander.help' ? 'a command is missing' : error.message;
      const problem = { pointer: '', code: 'usage', message: message.replace(/^error: /, '') };
      program.io.stdout.write(`${JSON.stringify({ errors: [problem] })}\n`);
    }
    return 2;
  }
}
