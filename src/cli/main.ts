#!/usr/bin/env node
// The command line. Each command reads its options here and does its work in commands/; exit code 0 done, 1 the run failed
// or was refused, 2 wrong usage. With --json stdout holds one JSON object and nothing else.
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { applyFiles } from './commands/apply.ts';
import { databaseStatus, databaseStop, databaseUrl } from './commands/db.ts';
import { runDemo } from './commands/demo.ts';
import { cancelOne, listAll, showOne } from './commands/executions.ts';
import { migrate } from './commands/migrate.ts';
import { runWorkflow } from './commands/run.ts';
import { serve } from './commands/serve.ts';
import { printSchema, validateFiles } from './commands/validate.ts';
import { type Config, ROLES } from './config.ts';
import { type CommandContext, type GlobalOptions, withContext } from './context.ts';

const program = new Command('dagwright')
  .description('Durable DAG workflows on nothing but PostgreSQL.')
  .version(packageJson.version)
  .showSuggestionAfterError()
  .showHelpAfterError('(add --help for usage)')
  .exitOverride()
  .addHelpText(
    'after',
    `
Examples:
  dagwright run examples/research-brief.yaml --input '{"question":"Why DAGs?"}'
  dagwright validate flow.yaml --explain
  DATABASE_URL=postgres://user:pass@host/db dagwright start --role worker

Without DATABASE_URL a PostgreSQL server is started in .dagwright/ and stops a minute after its last use.`,
  );

/** A command with the options that go with every one. */
function command(name: string, description: string, parent: Command = program): Command {
  return parent
    .command(name)
    .description(description)
    .option('--json', 'one JSON object on stdout, for machines')
    .option('--ephemeral', 'a throw-away database that ends with the command')
    .option('--tenant <name>', 'act in this tenant', 'default')
    .exitOverride();
}

// Commander hands over positional arguments, then options, then the command.
function action<Options>(
  work: (context: CommandContext, options: Options, ...args: string[]) => Promise<number>,
) {
  return async (...received: unknown[]) => {
    const options = received.at(-2) as GlobalOptions & Options;
    const args = received.slice(0, -2) as string[];
    process.exitCode = await withContext(options, (context) => work(context, options, ...args));
  };
}

function wholeNumber(min: number, max: number) {
  return (text: string) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`expected a whole number from ${min} to ${max}`);
    return value;
  };
}

command('run', 'start a workflow, work until it has ended, print the result')
  .argument('<file|workflowId>', 'a definition (it is applied first), or the id of an applied one')
  .option('--input <json|@file>', 'the input', '{}')
  .option('--priority <1-10>', 'higher first', wholeNumber(1, 10))
  .option('--idempotency-key <key>', 'the same key returns the first execution')
  .action(action(runWorkflow));

command('validate', 'check definitions; warnings alone exit 0')
  .argument('<file...>')
  .option('--explain', 'say in words how each join is understood')
  .action(async (files: string[], options: GlobalOptions & { explain?: boolean }) => {
    process.exitCode = await withContext(options, (context) => validateFiles(context, options, files));
  });

command('schema', 'print the JSON Schema of a definition, for editors').action(action(printSchema));

command('apply', 'save definitions; a changed one becomes a new revision')
  .argument('<file...>')
  .action(async (files: string[], options: GlobalOptions) => {
    process.exitCode = await withContext(options, (context) => applyFiles(context, files));
  });

command('migrate', 'bring the database up to date')
  .option('--check', 'change nothing; exit 1 if migrations are pending')
  .action(action(migrate));

command('start', 'the service for production')
  .addOption(new Option('--role <role>', 'what this process does').choices(ROLES))
  .action(action<{ role?: Config['role'] }>((context, { role }) => serve(context, { role, isDev: false })));

command('dev', 'embedded database, migrations and a worker').action(
  action((context) => serve(context, { role: 'worker', isDev: true })),
);

command('demo', 'run the demo workflow on the embedded database').action(action(runDemo));

const executions = program
  .command('executions')
  .description('list, show and cancel executions')
  .exitOverride();
command('list', 'newest first', executions)
  .option('--status <status>')
  .option('--workflow <workflowId>')
  .option('--limit <n>', 'at most 200', wholeNumber(1, 200), 50)
  .option('--cursor <cursor>', 'nextCursor of the page before')
  .action(action(listAll));
command('show', 'one execution with its tasks', executions).argument('<id>').action(action(showOne));
command('cancel', 'end an execution; nothing of it starts again', executions)
  .argument('<id>')
  .option('--reason <text>')
  .action(action(cancelOne));

const db = program.command('db').description('the embedded PostgreSQL server').exitOverride();
command('status', 'whether it runs, and where its data are', db).action(action(databaseStatus));
command('stop', 'stop it', db).action(action(databaseStop));
command('url', 'start it if needed and print its URL', db).action(action(databaseUrl));

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}
