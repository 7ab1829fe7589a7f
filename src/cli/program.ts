// The command line. Each command reads its options here and does its work in commands/; exit code 0 done, 1 the run failed
// or was refused, 2 wrong usage. With --json stdout holds one JSON object and nothing else.
import packageJson from '../../package.json' with { type: 'json' };
import { EXECUTION_STATUSES } from '../core/status.ts';
import {
  action,
  Command,
  CommanderError,
  choice,
  command,
  dollars,
  group,
  listAction,
  seconds,
  wholeNumber,
} from './command.ts';
import { applyFiles } from './commands/apply.ts';
import { databaseStatus, databaseStop, databaseUrl } from './commands/db.ts';
import { runDemo } from './commands/demo.ts';
import { doctor } from './commands/doctor.ts';
import { cancelOne, listAll, pauseOne, resumeOne, showOne, whyOne } from './commands/executions.ts';
import { showLogs } from './commands/executions-logs.ts';
import { health } from './commands/health.ts';
import { migrate } from './commands/migrate.ts';
import { costOfUsage, listPrices, setPrice, showPrices } from './commands/pricing.ts';
import { runRetention } from './commands/retention.ts';
import { runWorkflow } from './commands/run.ts';
import { serve } from './commands/serve.ts';
import { listLimits, removeLimit, resetBreaker, setLimit } from './commands/services.ts';
import { printSchema, validateFiles } from './commands/validate.ts';
import { outliveClosedReaders } from './output/closed-reader.ts';
import { addAuditCommands } from './programs/audit.ts';
import { addKeyCommands } from './programs/keys.ts';
import { addScheduleCommands } from './programs/schedules.ts';
import { addTenantCommands } from './programs/tenants.ts';
import { addVariableCommands } from './programs/variables.ts';
import { addWebhookCommands } from './programs/webhooks.ts';
import { addWorkflowCommands } from './programs/workflows.ts';
import { type Config, ROLES } from './settings/config.ts';

outliveClosedReaders();
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

command(program, 'run', 'start a workflow, work until it has ended, print the result')
  .argument('<file|workflowId>', 'a definition (it is applied first), or the id of an applied one')
  .option('--input <json|@file>', 'the input', '{}')
  .option('--priority <1-10>', 'higher first', wholeNumber(1, 10))
  .option('--idempotency-key <key>', 'the same key returns the first execution')
  .action(action(runWorkflow));

command(program, 'validate', 'check definitions; warnings alone exit 0')
  .argument('<file...>')
  .option('--explain', 'say in words how each join is understood')
  .action(listAction<{ explain?: boolean }>(validateFiles));

command(program, 'schema', 'print the JSON Schema of a definition, for editors').action(action(printSchema));

command(program, 'apply', 'save definitions; a changed one becomes a new revision')
  .argument('<file...>')
  .action(listAction((context, _options, files) => applyFiles(context, files)));

command(program, 'migrate', 'bring the database up to date')
  .option('--check', 'change nothing; exit 1 if migrations are pending')
  .action(action(migrate));

command(program, 'start', 'the service for production')
  .addOption(choice('--role <role>', 'what this process does', ROLES))
  .action(action<{ role?: Config['role'] }>((context, { role }) => serve(context, { role, isDev: false })));

command(
  program,
  'dev',
  'embedded database, migrations, HTTP on 127.0.0.1:3000, a worker and the scheduler',
).action(action((context) => serve(context, { role: 'all', isDev: true })));

command(
  program,
  'doctor',
  'check database, roles, isolation, queue, workers: what is wrong and what to do',
).action(action(doctor));

command(program, 'health', 'exit 0 if the worker of this machine or container beats')
  .option('--live', 'for liveness probes: a database that does not answer is no reason to restart')
  .action(action<{ live?: boolean }>(health));

command(program, 'demo', 'run the demo workflow on the embedded database').action(action(runDemo));

const executions = group(program, 'executions', 'list, show, follow, cancel, pause and resume executions');
command(executions, 'list', 'newest first')
  .addOption(choice('--status <status>', 'only these', EXECUTION_STATUSES))
  .option('--workflow <workflowId>')
  .option('--limit <n>', 'at most 200', wholeNumber(1, 200), 50)
  .option('--cursor <cursor>', 'nextCursor of the page before')
  .action(action(listAll));
command(executions, 'show', 'one execution with its tasks').argument('<id>').action(action(showOne));
command(executions, 'why', 'what each of its unfinished tasks waits for')
  .argument('<id>')
  .action(action(whyOne));
command(executions, 'logs', 'what its tasks logged, in the order of time')
  .argument('<id>')
  .option('--follow', 'go on until it has ended; with --json one object a line')
  .option('--task <taskId>')
  .option('--level <level>', 'this level and above: debug, info, warn, error')
  .option('--limit <n>', 'without --follow, at most 10000', wholeNumber(1, 10_000), 1_000)
  .option('--cursor <cursor>', 'nextCursor of the page before')
  .action(action(showLogs));
command(executions, 'cancel', 'end an execution; nothing of it starts again')
  .argument('<id>')
  .option('--reason <text>')
  .action(action(cancelOne));
command(executions, 'pause', 'what runs may end, nothing else begins; timers and the deadline stand still')
  .argument('<id>')
  .action(action(pauseOne));
command(executions, 'resume', 'let a paused execution go on').argument('<id>').action(action(resumeOne));

const services = group(
  program,
  'services',
  'limits of outside services, shared by all workers, and their circuit breakers',
);
command(services, 'list', 'services that are limited or held back').action(action(listLimits));
command(services, 'set', 'limit a service; what is not named stays as it is')
  .argument('<service>', 'a provider, a host, or the serviceId of definitions')
  .option('--max-concurrency <n>', 'calls at once', wholeNumber(1, 100_000))
  .option('--rate <n>', 'calls that may start within any --per seconds', wholeNumber(1, 100_000))
  .option('--per <seconds>', 'with --rate', seconds(0.001, 86_400))
  .action(action(setLimit));
command(services, 'remove', 'lift all limits of a service').argument('<service>').action(action(removeLimit));
command(services, 'reset', 'close the circuit breaker of a service, end its pause')
  .argument('<service>')
  .action(action(resetBreaker));

const pricing = group(
  program,
  'pricing',
  'what models cost: the price library, and your own prices before it',
);
command(pricing, 'list', 'what each model costs now')
  .option('--provider <provider>')
  .action(action(listPrices));
command(pricing, 'show', 'all prices of a model: past, present, coming')
  .argument('<model>', 'PROVIDER/MODEL, or MODEL at all providers')
  .action(action(showPrices));
command(pricing, 'set', "set your own price of a model, in place of the price library's")
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
command(pricing, 'cost', "what calls cost, from the providers' own usage blocks; prints a JSON line for each")
  .requiredOption('--usage <json|@file>', '{ provider, model, at?, usage }, or JSON lines of them')
  .action(action(costOfUsage));

const retention = group(program, 'retention', 'delete executions that ended long ago');
command(retention, 'run', 'one pass over all tenants; workers do it by themselves every ten minutes')
  .option('--days <n>', 'instead of DAGWRIGHT_RETENTION_DAYS', wholeNumber(1, 36_500))
  .option('--dry-run', 'only say how many there are')
  .action(action(runRetention));

addWorkflowCommands(program);
addVariableCommands(program);
addScheduleCommands(program);
addTenantCommands(program);
addKeyCommands(program);
addAuditCommands(program);
addWebhookCommands(program);

const db = group(program, 'db', 'the embedded PostgreSQL server');
command(db, 'status', 'whether it runs, and where its data are').action(action(databaseStatus));
command(db, 'stop', 'stop it').action(action(databaseStop));
command(db, 'url', 'start it if needed and print its URL').action(action(databaseUrl));

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : 2;
  // Commander has said it on stderr. Before options are read, only the arguments tell who listens.
  if (process.exitCode === 2 && process.argv.includes('--json')) {
    const message = error.code === 'commander.help' ? 'a command is missing' : error.message;
    const problem = { pointer: '', code: 'usage', message: message.replace(/^error: /, '') };
    process.stdout.write(`${JSON.stringify({ errors: [problem] })}\n`);
  }
}
