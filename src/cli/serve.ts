// The service, or a part of it, until it is told to end: the work of `start` and `dev`.

import { assertIsolation } from '../db/operations/isolation-check.ts';
import type { Worker } from '../engine/worker/worker.ts';
import { hasKeys } from '../resources/api-keys.ts';
import type { Scheduler } from '../triggers/scheduler.ts';
import type { CommandContext } from './context.ts';
import type { HttpService } from './http-service.ts';
import { printEnds } from './output/ended-lines.ts';
import { createPainter } from './output/terminal.ts';
import { refuse } from './refusal.ts';
import type { Config } from './settings/config.ts';
import { isEveryAddress } from './settings/http-settings.ts';
import { announceService } from './settings/service-address.ts';
import type { System } from './system.ts';

const STARTED_BY = process.ppid;

/** How long requests and passes may take after SIGTERM; attempts have the worker's own time. */
const GRACE_MS = 10_000;

/** Ends with 0 after a drain: SIGTERM or Ctrl-C; a second signal ends it at once, and leases recover what ran. */
export async function serve(
  context: CommandContext,
  options: { readonly role?: Config['role']; readonly isDev: boolean },
): Promise<number> {
  const role = options.role ?? context.config.role;
  if (context.config.isProduction && context.config.databaseUrl === undefined && !context.isEphemeral)
    throw refuse(
      'setting',
      'DATABASE_URL is not set, and with NODE_ENV=production no embedded database is started',
      'DATABASE_URL=postgres://user:password@host:port/database',
      'DATABASE_URL',
    );
  const signalled = whenSignalled(context);
  return await context.withSystem(
    async (system) => {
      await assertIsolation(system.url);
      const running = await startRole(context, system, role);
      const withdraw = announce(context, role);
      if (options.isDev) context.note(devNote(system, running, await hasKeys(system.database.engine)));
      const lines = options.isDev ? printEndsOf(context, system, running) : null;
      const signal = await signalled;
      context.log.info('draining', { signal, running: running.worker?.running ?? 0 });
      withdraw();
      await Promise.all([running.http?.stop(GRACE_MS), running.worker?.stop(), running.scheduler?.stop()]);
      await lines?.stop();
      context.log.info(`the ${role === 'all' ? 'service' : role} has ended`);
      return 0;
    },
    { migrate: options.isDev },
  );
}

// Commands beside it print addresses; on a database of one's own they are told by its settings.
function announce({ config, isEphemeral }: CommandContext, role: Config['role']): () => void {
  const isApi = role === 'all' || role === 'api';
  const url = config.outside.publicUrl ?? null;
  if (!isApi || isEphemeral || config.databaseUrl !== undefined || url === null) return () => {};
  return announceService(config.home, url);
}

interface Running {
  readonly http: HttpService | null;
  readonly worker: Worker | null;
  readonly scheduler: Scheduler | null;
}

// A port that cannot be had is found before anything takes work. Several workers on one machine share no port, so they
// answer probes only where PORT or DAGWRIGHT_METRICS_PORT says so.
async function startRole(context: CommandContext, system: System, role: Config['role']): Promise<Running> {
  const { config, log } = context;
  const isApi = role === 'all' || role === 'api';
  const http =
    isApi || config.http.isPortGiven || config.http.metricsPort !== undefined
      ? await (await import('./http-service.ts')).openHttpService(system, { isOperationOnly: !isApi })
      : null;
  try {
    if (role !== 'scheduler') tellOfPublicUrl(context, isApi);
    const publicUrl = isApi || config.isPublicUrlGiven ? config.outside.publicUrl : null;
    const outside = { ...config.outside, publicUrl };
    const worker = role === 'all' || role === 'worker' ? system.createWorker(log, outside) : null;
    if (worker !== null) {
      await worker.start();
      http?.watchWorker(worker, system.database);
      log.info('the worker takes tasks', { workerId: worker.id, concurrency: config.concurrency });
    }
    const scheduler = role === 'all' || role === 'scheduler' ? system.createScheduler() : null;
    scheduler?.start();
    if (scheduler !== null) {
      http?.watchScheduler(scheduler);
      log.info('the scheduler looks after schedules and events', { schedulerId: scheduler.id });
    }
    return { http, worker, scheduler };
  } catch (error) {
    await http?.stop(0);
    throw error;
  }
}

// Whoever is to answer a callback later gets this address.
function tellOfPublicUrl({ config, log }: CommandContext, isApi: boolean): void {
  if (config.isPublicUrlGiven) return;
  if (!isApi)
    log.warn(
      'DAGWRIGHT_PUBLIC_URL is not set and this worker has no API: tasks with a callback fail, as nobody could answer them',
    );
  else if (isEveryAddress(config.http.host))
    log.warn(
      'DAGWRIGHT_PUBLIC_URL is not set: callbacks and webhooks have an address that others cannot use',
      {
        address: config.outside.publicUrl ?? null,
      },
    );
}

function printEndsOf(
  { note, io, config }: CommandContext,
  { database }: System,
  { worker }: Running,
): { stop(): Promise<void> } {
  const paint = createPainter(io.stderr.isTTY === true && !config.noColor);
  return printEnds({ db: database.engine, worker, print: note, paint });
}

function devNote({ url, config }: System, { http }: Running, hasKeys: boolean): string {
  const lines = [
    `ready; database ${url}`,
    `API   ${http?.url}/v1`,
    `docs  ${http?.url}/docs`,
    config.http.adminKey === undefined && !hasKeys
      ? 'Open to this machine, as tenant "default". To close it: DAGWRIGHT_ADMIN_KEY=…, or `dagwright keys create NAME --roles admin`.'
      : "It takes keys: the operator's (DAGWRIGHT_ADMIN_KEY), or one of `dagwright keys create NAME --roles admin`.",
    'Ctrl-C ends it.',
  ];
  return lines.join('\n');
}

// Listens from the first moment on: process 1 of a container, without a handler, is not ended by SIGTERM at all. A second
// signal ends the process at once.
function whenSignalled({ io, config }: CommandContext): Promise<string> {
  return new Promise((resolve) => {
    let isEnding = false;
    const end = (reason: string) => {
      isEnding = true;
      resolve(reason);
    };
    io.onSignal((signal) => (isEnding ? io.exit(1) : end(signal)));
    if (config.isUnderNpm) whenOrphaned(() => end('the process that started it has gone'));
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
