// The command line. programs/ reads the options of each command, commands/ does its work; exit code 0 done, 1 the run failed or
// was refused, 2 wrong usage. With --json stdout holds one JSON object and nothing else.
import packageJson from '../../package.json' with { type: 'json' };
import { CommanderError, Program } from './command.ts';
import type { Io } from './io.ts';
import { addAuditCommands } from './programs/audit.ts';
import { addDatabaseCommands } from './programs/database.ts';
import { addDefinitionCommands } from './programs/definitions.ts';
import { addExecutionCommands } from './programs/executions.ts';
import { addKeyCommands } from './programs/keys.ts';
import { addPricingCommands } from './programs/pricing.ts';
import { addRetentionCommands } from './programs/retention.ts';
import { addRunCommand } from './programs/run.ts';
import { addScheduleCommands } from './programs/schedules.ts';
import { addServiceCommands } from './programs/service.ts';
import { addServiceLimitCommands } from './programs/services.ts';
import { addTenantCommands } from './programs/tenants.ts';
import { addVariableCommands } from './programs/variables.ts';
import { addWebhookCommands } from './programs/webhooks.ts';
import { addWorkflowCommands } from './programs/workflows.ts';

/** The program with all its commands, in the order in which help lists them. */
export function createProgram(io: Io): Program {
  const program = new Program(io);
  program
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
  for (const addCommands of [
    addRunCommand,
    addDefinitionCommands,
    addServiceCommands,
    addExecutionCommands,
    addServiceLimitCommands,
    addPricingCommands,
    addRetentionCommands,
    addWorkflowCommands,
    addVariableCommands,
    addScheduleCommands,
    addTenantCommands,
    addKeyCommands,
    addAuditCommands,
    addWebhookCommands,
    addDatabaseCommands,
  ])
    addCommands(program);
  return program;
}

/** Runs one command line, without the program's name; its exit code. */
export async function runProgram(io: Io, args: readonly string[]): Promise<number> {
  const program = createProgram(io);
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
      io.stdout.write(`${JSON.stringify({ errors: [problem] })}\n`);
    }
    return 2;
  }
}
