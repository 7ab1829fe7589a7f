// What `Dagwright.connect` opens: the settings, the database, the tenant and the task types.
import { type Config, readConfig } from '../cli/settings/config.ts';
import { secretsOf } from '../cli/settings/secret-values.ts';
import { DagwrightError, dagwrightError } from '../core/dagwright-error.ts';
import type { TaskTypeRule } from '../core/definition/task-type.ts';
import type { TaskLog } from '../core/log-lines.ts';
import { type Database, openDatabase } from '../db/connection/connection.ts';
import { openServer } from '../db/embedded/given-or-embedded.ts';
import { bringUpToDate } from '../db/operations/migrate.ts';
import { findTenantId } from '../db/resources/tenants.ts';
import { createRegistry } from '../tasks/registry.ts';
import type { TaskType } from '../tasks/task-type.ts';
import { environmentOfProcess } from './environment.ts';
import { translated } from './failure.ts';
import { createLibraryLog } from './log.ts';
import type { ConnectOptions } from './options.ts';

export interface Opened {
  readonly config: Config;
  readonly log: TaskLog;
  readonly database: Database;
  /** Of a server of one's own, which may be set up in a way that keeps tenants apart badly. */
  readonly isEmbedded: boolean;
  readonly tenant: string;
  readonly tenantId: string;
  readonly types: ReadonlyMap<string, TaskType>;
  readonly rules: ReadonlyMap<string, TaskTypeRule>;
  close(): Promise<void>;
}

/** Throws a DagwrightError: `setting`, `migrations_pending`, `not_found` (the tenant), `database`, `embedded_database`, … */
export async function open(options: ConnectOptions): Promise<Opened> {
  const config = readSettings(options);
  return await translated(() => openWith(config, options), config);
}

async function openWith(
  config: Config,
  { tenant = 'default', tasks = [], ephemeral = false, ...options }: ConnectOptions,
): Promise<Opened> {
  const types = createRegistry(tasks);
  const rules = new Map(tasks.map(({ type, rule }) => [type, rule]));
  const log = createLibraryLog(options.log, secretsOf(config));
  const server = await openServer(config, { ephemeral, onProgress: (text) => log.info(text) });
  let database: Database | undefined;
  const close = async () => {
    await database?.close();
    await server.stop();
  };
  try {
    const pending = await bringUpToDate(server.directUrl, server.isEmbedded || options.migrate === true);
    if (pending > 0)
      throw dagwrightError('migrations_pending', `the database lacks ${pending} migration(s)`, {
        hint: 'Dagwright.connect({ migrate: true }), or dagwright migrate',
      });
    database = openDatabase(server.url, { max: 8, directUrl: server.directUrl });
    const tenantId = await findTenantId(database.engine, tenant);
    if (tenantId === null)
      throw dagwrightError('not_found', `there is no tenant "${tenant}"`, {
        hint: 'dagwright tenants create NAME',
      });
    const { isEmbedded } = server;
    return { config, log, database, isEmbedded, tenant, tenantId, types, rules, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function readSettings(options: ConnectOptions): Config {
  const { environment, cwd } = environmentOfProcess();
  const own = {
    DATABASE_URL: options.databaseUrl,
    DIRECT_DATABASE_URL: options.directDatabaseUrl,
    DAGWRIGHT_HOME: options.home,
  };
  const given = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
  // A way past the pooler of another database leads nowhere.
  const isOther =
    (options.databaseUrl ?? options.environment?.DATABASE_URL) !== undefined &&
    options.directDatabaseUrl === undefined &&
    options.environment?.DIRECT_DATABASE_URL === undefined;
  const read = readConfig(
    {
      ...environment,
      ...options.environment,
      ...(isOther ? { DIRECT_DATABASE_URL: undefined } : {}),
      ...given,
    },
    cwd,
  );
  if (read.ok) return read.value;
  throw new DagwrightError('setting', read.problems);
}
