#!/usr/bin/env node
// The command line. Each command reads its options here and does its work in commands/; exit code 0 done, 1 the run failed
// or was refused, 2 wrong usage. With --json stdout holds one JSON object and nothing else.
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { applyFiles } from './commands/apply.ts';
import { databaseStatus, databaseStop, databaseUrl } from './commands/db.ts';
import { runDemo } from './commands/demo.ts';
import { doctor } from './commands/doctor.ts';
import { cancelOne, listAll, pauseOne, resumeOne, showOne } from './commands/executions.ts';
import { showLogs } from './commands/executions-logs.ts';
import { health } from './commands/health.ts';
import { migrate } from './commands/migrate.ts';
import { costOfUsage, listPrices, setPrice, showPrices } from './commands/pricing.ts';
import { runRetention } from './commands/retention.ts';
import { runWorkflow } from './commands/run.ts';
import { serve } from './commands/serve.ts';
import { listLimits, removeLimit, resetBreaker, setLimit } from './commands/services.ts';
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

function seconds(min: number, max: number) {
  return (text: string) => {
    const value = Number(text);
    if (!/^\d+(\.\d+)?$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`expected seconds from ${min} to ${max}`);
    return value;
  };
}

/** An amount of 0 or more, kept as it is written. */
function dollars(text: string): string {
  if (!/^\d{1,12}(\.\d{1,30})?$/.test(text))
    throw new InvalidArgumentError('expected US dollars such as 2.50');
  return text;
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

command('doctor', 'check database, roles, isolation, queue, workers: what is wrong and what to do').action(
  action(doctor),
);

command('health', 'exit 0 if the worker of this machine or container beats')
  .option('--live', 'for liveness probes: a database that does not answer is no reason to restart')
  .action(action<{ live?: boolean }>(health));

command('demo', 'run the demo workflow on the embedded database').action(action(runDemo));

const executions = program
  .command('executions')
  .description('list, show, follow, cancel, pause and resume executions')
  .exitOverride();
command('list', 'newest first', executions)
  .option('--status <status>')
  .option('--workflow <workflowId>')
  .option('--limit <n>', 'at most 200', wholeNumber(1, 200), 50)
  .option('--cursor <cursor>', 'nextCursor of the page before')
  .action(action(listAll));
command('show', 'one execution with its tasks', executions).argument('<id>').action(action(showOne));
command('logs', 'what its tasks logged, in the order of time', executions)
  .argument('<id>')
  .option('--follow', 'go on until it has ended; with --json one object a line')
  .option('--task <taskId>')
  .option('--level <level>', 'this level and above: debug, info, warn, error')
  .option('--limit <n>', 'without --follow, at most 10000', wholeNumber(1, 10_000), 1_000)
  .option('--cursor <cursor>', 'nextCursor of the page before')
  .action(action(showLogs));
command('cancel', 'end an execution; nothing of it starts again', executions)
  .argument('<id>')
  .option('--reason <text>')
  .action(action(cancelOne));
command('pause', 'what runs may end, nothing else begins; timers and the deadline stand still', executions)
  .argument('<id>')
  .action(action(pauseOne));
command('resume', 'let a paused execution go on', executions).argument('<id>').action(action(resumeOne));

const services = program
  .command('services')
  .description('limits of outside services, shared by all workers, and their circuit breakers')
  .exitOverride();
command('list', 'services that are limited or held back', services).action(action(listLimits));
command('set', 'limit a service; what is not named stays as it is', services)
  .argument('<service>', 'a provider, a host, or the serviceId of definitions')
  .option('--max-concurrency <n>', 'calls at once', wholeNumber(1, 100_000))
  .option('--rate <n>', 'calls that may start within any --per seconds', wholeNumber(1, 100_000))
  .option('--per <seconds>', 'with --rate', seconds(0.001, 86_400))
  .action(action(setLimit));
command('remove', 'lift all limits of a service', services).argument('<service>').action(action(removeLimit));
command('reset', 'close the circuit breaker of a service, end its pause', services)
  .argument('<service>')
  .action(action(resetBreaker));

const pricing = program
  .command('pricing')
  .description('what models cost: the price library, and your own prices before it')
  .exitOverride();
command('list', 'what each model costs now', pricing)
  .option('--provider <provider>')
  .action(action(listPrices));
command('show', 'all prices of a model: past, present, coming', pricing)
  .argument('<model>', 'PROVIDER/MODEL, or MODEL at all providers')
  .action(action(showPrices));
command('set', "set your own price of a model, in place of the price library's", pricing)
  .argument('<model>', 'PROVIDER/MODEL; PROVIDER/* for all models of a provider')
  .option('--input <usd>', 'per million input tokens', dollars)
  .option('--output <usd>', 'per million output tokens', dollars)
  .option('--cached-input <usd>', 'per million tokens read from a cache; else as --input', dollars)
  .option('--cache-write <usd>', 'per million tokens written to a cache; else as --input', dollars)
  .option(
    '--from <date>',
    'a date (UTC) or instant; else always for a first price, from now on for a later one',
  )
  .option('--remove', 'take away what was set')
  .action(action(setPrice));
command('cost', "what calls cost, from the providers' own usage blocks; prints a JSON line for each", pricing)
  .requiredOption('--usage <json|@file>', '{ provider, model, at?, usage }, or JSON lines of them')
  .action(action(costOfUsage));

const retention = program
  .command('retention')
  .description('delete executions that ended long ago')
  .exitOverride();
command('run', 'one pass over all tenants; workers do it by themselves every ten minutes', retention)
  .option('--days <n>', 'instead of DAGWRIGHT_RETENTION_DAYS', wholeNumber(1, 36_500))
  .option('--dry-run', 'only say how many there are')
  .action(action(runRetention));

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
