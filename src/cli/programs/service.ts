// dagwright migrate, start, dev, doctor, health and demo: the installation itself
import { action, type Command, choice, command } from '../command.ts';
import { runDemo } from '../commands/demo.ts';
import { doctor } from '../commands/doctor.ts';
import { health } from '../commands/health.ts';
import { migrate } from '../commands/migrate.ts';
import { serve } from '../commands/serve.ts';
import { type Config, ROLES } from '../settings/config.ts';

export function addServiceCommands(program: Command): void {
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
}
