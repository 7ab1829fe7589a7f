// dagwright start and dev: a worker that runs until it is told to end.
import type { Config } from '../config.ts';
import type { CommandContext } from '../context.ts';
import { refuse } from '../refusal.ts';

const STARTED_BY = process.ppid;

/** Ends with 0 after a drain: SIGTERM or Ctrl-C; a second signal ends it at once, and leases recover what ran. */
export async function serve(
  context: CommandContext,
  options: { readonly role?: Config['role']; readonly isDev: boolean },
): Promise<number> {
  const role = options.role ?? context.config.role;
  if (role === 'api' || role === 'scheduler')
    throw refuse('not_supported', `role "${role}" is not built yet`, 'start --role worker');
  if (context.config.isProduction && context.config.databaseUrl === undefined && !context.isEphemeral)
    throw refuse(
      'setting',
      'DATABASE_URL is not set, and with NODE_ENV=production no embedded database is started',
      'DATABASE_URL=postgres://user:password@host:port/database',
      'DATABASE_URL',
    );
  const signalled = whenSignalled(context.config.isUnderNpm);
  return await context.withSystem(
    async (system) => {
      const worker = system.createWorker();
      await worker.start();
      context.log.info('the worker takes tasks', {
        workerId: worker.id,
        concurrency: context.config.concurrency,
      });
      if (options.isDev) context.note(`worker ready; database ${system.url}\nCtrl-C ends it.`);
      const signal = await signalled;
      context.log.info('draining', { signal, running: worker.running });
      await worker.stop();
      context.log.info('the worker has ended');
      return 0;
    },
    { migrate: options.isDev },
  );
}

// Listens from the first moment on: process 1 of a container, without a handler, is not ended by SIGTERM at all. A second
// signal ends the process at once.
function whenSignalled(isUnderNpm: boolean): Promise<string> {
  return new Promise((resolve) => {
    const end = (reason: string) => {
      process.once('SIGTERM', () => process.exit(1));
      process.once('SIGINT', () => process.exit(1));
      resolve(reason);
    };
    process.once('SIGTERM', end);
    process.once('SIGINT', end);
    if (isUnderNpm) whenOrphaned(() => end('the process that started it has gone'));
  });
}

// npm and npx end on a signal without handing it on: the worker would live on, unseen.
function whenOrphaned(act: () => void): void {
  const timer = setInterval(() => {
    if (process.ppid === STARTED_BY) return;
    clearInterval(timer);
    act();
  }, 250);
  timer.unref();
}
