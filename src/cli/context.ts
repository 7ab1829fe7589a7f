// What every command gets: settings, log, terminal; and the one place where a command's failure becomes text or JSON and
// an exit code.

import type pg from 'pg';
import type { TaskLog } from '../core/log-lines.ts';
import { createRedact } from '../core/redact.ts';
import type { Acting, Operator } from '../db/connection/connection.ts';
import { CLI_ACTOR } from './actor.ts';
import type { Io } from './io.ts';
import { createLog } from './output/log.ts';
import { createPainter } from './output/terminal.ts';
import { problemLines, Refusal, refuse } from './refusal.ts';
import type { RemoteService } from './remote/service.ts';
import { type Config, readConfig } from './settings/config.ts';
import { secretsOf } from './settings/secret-values.ts';
import type { System } from './system.ts';

export interface GlobalOptions {
  readonly json?: boolean;
  readonly ephemeral?: boolean;
  readonly tenant: string;
  /** Whether --tenant named it. */
  readonly isTenantGiven?: boolean;
  readonly server?: string;
  readonly key?: string;
  /** The command's first word. */
  readonly command?: string;
}

export interface CommandContext {
  readonly io: Io;
  readonly config: Config;
  readonly isJson: boolean;
  readonly isEphemeral: boolean;
  readonly tenant: string;
  /** The service that --server names, in place of a database; null: none. */
  readonly server: RemoteService | null;
  readonly log: TaskLog;
  readonly paint: ReturnType<typeof createPainter>;
  /** Text on stdout; nothing with --json. */
  readonly say: (text: string) => void;
  /** Progress on stderr. */
  readonly note: (text: string) => void;
  /** The one JSON object of --json. */
  readonly printJson: (value: unknown) => void;
  /** Opens the database and runs `work` in one transaction of the tenant of --tenant, as the command line. */
  readonly withTenant: <T>(work: (client: pg.PoolClient, acting: Acting) => Promise<T>) => Promise<T>;
  /** The same in the engine's role, for what belongs to the installation. */
  readonly withEngine: <T>(work: (client: pg.PoolClient, acting: Operator) => Promise<T>) => Promise<T>;
  /** Opens the database and the task types for the time of `work`. */
  readonly withSystem: <T>(
    work: (system: System) => Promise<T>,
    options?: {
      migrate?: boolean;
      /** The embedded database, whatever DATABASE_URL names: nothing of it may come to another. */
      embedded?: boolean;
    },
  ) => Promise<T>;
}

/** Runs a command; its exit code. */
export async function withContext(
  io: Io,
  options: GlobalOptions,
  work: (context: CommandContext) => Promise<number>,
): Promise<number> {
  const isJson = options.json === true;
  const fail = (refusal: Refusal): number => {
    if (isJson) io.stdout.write(`${JSON.stringify({ errors: refusal.problems })}\n`);
    else io.stderr.write(`${problemLines(refusal.problems)}\n`);
    return refusal.problems.some(({ code }) => code === 'usage') ? 2 : 1;
  };
  const read = readConfig(io.environment(), io.cwd);
  if (!read.ok) return fail(new Refusal(read.problems));
  const config = read.value;
  const log = createLog({
    level: config.logLevel,
    isText: io.stderr.isTTY === true,
    write: (line) => void io.stderr.write(line),
    redact: createRedact(secretsOf(config)),
  });
  // What is said within a transaction is printed when that has been committed: a key that is shown must be there.
  let held: (() => void)[] | null = null;
  const print = (write: () => unknown) => void (held === null ? write() : held.push(() => void write()));
  const committed = async <T>(transaction: () => Promise<T>): Promise<T> => {
    try {
      held = [];
      const result = await transaction();
      const writes = held;
      held = null;
      for (const write of writes) write();
      return result;
    } finally {
      held = null;
    }
  };
  const note = (text: string) => print(() => io.stderr.write(`${text}\n`));
  const server = await openServerOf(options, config, note).catch((error: unknown) => error as Error);
  if (server instanceof Error) return fail(server as Refusal);
  const withSystem: CommandContext['withSystem'] = async (use, { migrate, embedded = false } = {}) => {
    if (server !== null) {
      const { needsDatabase } = await import('./remote/service.ts');
      throw needsDatabase();
    }
    // With it comes the engine, which help and wrong usage need not wait for.
    const { openSystem } = await import('./system.ts');
    const system = await openSystem({
      config: embedded ? { ...config, databaseUrl: undefined, directDatabaseUrl: undefined } : config,
      log,
      tenant: options.tenant,
      ephemeral: options.ephemeral === true,
      migrate,
      onProgress: note,
    });
    try {
      return await use(system);
    } finally {
      await system.close();
    }
  };
  try {
    return await work({
      io,
      config,
      isJson,
      isEphemeral: options.ephemeral === true,
      tenant: options.tenant,
      server,
      log,
      paint: createPainter(io.stdout.isTTY === true && !config.noColor),
      say: (text) => void (isJson || print(() => io.stdout.write(`${text}\n`))),
      note,
      printJson: (value) => void (isJson && print(() => io.stdout.write(`${JSON.stringify(value)}\n`))),
      withSystem,
      withTenant: async (use) => {
        if (server !== null) return await committed(() => elsewhere(server, use));
        return await withSystem(({ database, tenantId }) => {
          const acting = { tenantId, ...CLI_ACTOR };
          return committed(() => database.withTenant(acting, (client) => use(client, acting)));
        });
      },
      withEngine: async (use) => {
        if (server !== null) return await committed(() => elsewhere(server, use));
        return await withSystem(({ database }) =>
          committed(() => database.asEngine(CLI_ACTOR, (client) => use(client, CLI_ACTOR))),
        );
      },
    });
  } catch (error) {
    if (error instanceof Refusal) return fail(error);
    const { databaseProblems } = await import('../db/operations/database-problem.ts');
    const problems = databaseProblems(error, config);
    if (problems.length > 0) return fail(new Refusal(problems));
    const message = error instanceof Error ? error.message : String(error);
    if (config.logLevel === 'debug' && error instanceof Error) note(error.stack ?? '');
    return fail(
      new Refusal([{ pointer: '', code: 'unexpected', message, hint: 'LOG_LEVEL=debug shows where' }]),
    );
  }
}

/** Commands of which all, or a part, goes over HTTP. */
const TAKES_SERVER: ReadonlySet<string> = new Set([
  ...['apply', 'validate', 'run', 'executions', 'workflows', 'variables', 'schedules', 'webhooks'],
  ...['keys', 'audit', 'tenants', 'services'],
]);

/** Commands about the installation's database that no route does. */
const ABOUT_DATABASE: ReadonlySet<string> = new Set(['pricing', 'retention']);

// --server, or DAGWRIGHT_URL where there is no DATABASE_URL: what a service's own folder says is not taken for another's.
async function openServerOf(
  { server: given, key, tenant, isTenantGiven, ephemeral, command = '' }: GlobalOptions,
  { server, databaseUrl }: Config,
  note: CommandContext['note'],
): Promise<RemoteService | null> {
  if (given !== undefined && !TAKES_SERVER.has(command))
    throw (await import('./remote/service.ts')).needsDatabase();
  if (ephemeral === true) {
    if (given !== undefined) throw refuse('usage', '--ephemeral: a service has a database of its own');
    return null;
  }
  const url = given ?? (databaseUrl === undefined ? server.url : undefined);
  if (url === undefined) return null;
  // What works on a database of its own goes on; what is about the one behind the service is refused.
  if (ABOUT_DATABASE.has(command)) throw (await import('./remote/service.ts')).needsDatabase();
  if (!TAKES_SERVER.has(command)) return null;
  if (!/^https?:\/\//.test(url) || !URL.canParse(url))
    // What stands before an @ may be a password.
    throw refuse(
      'usage',
      `--server: "${url.replace(/^.*@/s, '…@')}" is no address`,
      `--server ${withScheme(url)}`,
    );
  if (new URL(url).username !== '' || new URL(url).password !== '')
    throw refuse(
      'usage',
      '--server: an address has no user and password here',
      '--key KEY, or DAGWRIGHT_KEY',
    );
  const { openKeyWarning, RemoteService } = await import('./remote/service.ts');
  const settings = { url, key: key ?? server.key, tenant, isTenantGiven: isTenantGiven === true };
  const warning = openKeyWarning(settings);
  if (warning !== null) note(warning);
  return new RemoteService(settings);
}

/** What was probably meant: an address without http://, or none. */
function withScheme(url: string): string {
  return /^[\w.-]+(:\d+)?\/?$/.test(url) && URL.canParse(`http://${url}`)
    ? `http://${url} (or https://)`
    : 'https://dagwright.example.com';
}

// Acts go over HTTP; who acts is the key's affair.
async function elsewhere<Acting, T>(
  server: RemoteService,
  use: (client: pg.PoolClient, acting: Acting) => Promise<T>,
): Promise<T> {
  const { RemoteClient } = await import('./remote/client.ts');
  return await use(new RemoteClient(server) as unknown as pg.PoolClient, CLI_ACTOR as Acting);
}
