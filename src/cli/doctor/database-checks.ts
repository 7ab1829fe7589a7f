// Checks of the database itself: server, migrations, roles, row-level security, isolation, sessions, clock, upkeep.
import type pg from 'pg';
import { TAKEN_ROLES } from '../../db/connection/roles.ts';
import {
  findGrantProblems,
  inspect,
  readRoles,
  readServer,
  trySession,
  tryWriting,
} from '../../db/operations/doctor.ts';
import { readHorizon, readHotTables } from '../../db/operations/doctor-engine.ts';
import { findPolicyProblems, findRoleProblems, tryIsolation } from '../../db/operations/isolation-check.ts';
import { pendingMigrations, unknownMigrations } from '../../db/operations/migrate.ts';
import { formatDuration } from '../output/terminal.ts';
import { type Check, type Finding, fail, ok, warn } from './check.ts';

const SKEW_WARN_MS = 2_000;
const HORIZON_WARN_SECONDS = 300;
const DEAD_ROWS_WARN = 50_000;
/** What one worker opens at most: 8 and 4 for work, 4 for the queue, a witness for each of these two, 1 for its heartbeat. */
const CONNECTIONS_PER_WORKER = 19;

export interface DatabaseUrls {
  readonly url: string;
  /** Past a pooler; else the same. */
  readonly directUrl: string;
}

export function databaseChecks(client: pg.Client, { url, directUrl }: DatabaseUrls): Check[] {
  return [
    { name: 'database', look: () => checkServer(client) },
    { name: 'migrations', look: () => checkMigrations(directUrl) },
    { name: 'roles', look: () => checkRoles(client), ifBroken: 'run: dagwright migrate' },
    { name: 'policies', look: () => checkPolicies(client) },
    {
      name: 'isolation',
      look: () => checkIsolation(client),
      ifBroken: 'mend migrations, roles and policies first; the try itself changes nothing',
    },
    { name: 'sessions', look: () => checkSessions({ url, directUrl }) },
    { name: 'clock', look: () => checkClock(client) },
    { name: 'room', look: () => checkRoom(client) },
    { name: 'durability', look: () => checkDurability(client) },
    { name: 'transactions', look: () => checkTransactions(client) },
    { name: 'vacuum', look: () => checkVacuum(client) },
  ];
}

async function checkServer(client: pg.Client): Promise<Finding> {
  const startedAt = performance.now();
  await inspect(client, null, async () => {});
  // begin, settings, rollback
  const tripMs = (performance.now() - startedAt) / 3;
  const server = await readServer(client);
  const text = `PostgreSQL ${server.version}, ${tripMs.toFixed(1)} ms away, ${server.connections} of ${server.maxConnections} connections`;
  if (server.isStandby || server.isReadOnly)
    return fail(`${text}; it takes no writes`, 'point DATABASE_URL at the primary');
  if (server.versionNumber < 150_000)
    return fail(`${text}; too old`, 'PostgreSQL 15 to 18 are supported: upgrade the server');
  if (server.versionNumber >= 190_000)
    return warn(`${text}; newer than tested`, 'PostgreSQL 15 to 18 are supported');
  if (server.maxConnections - server.connections < CONNECTIONS_PER_WORKER)
    return warn(
      `${text}: no room for another worker`,
      `a worker opens up to ${CONNECTIONS_PER_WORKER}; raise max_connections or put a pooler before DATABASE_URL (docs/operations.md)`,
    );
  return ok(text);
}

async function checkMigrations(directUrl: string): Promise<Finding> {
  const pending = await pendingMigrations(directUrl);
  if (pending > 0) return fail(`${pending} pending`, 'run: dagwright migrate');
  const unknown = await unknownMigrations(directUrl);
  if (unknown > 0)
    return warn(
      `the database has ${unknown} that this build does not know`,
      'a newer release has migrated it; finish its roll-out, or see "A bad deploy" in docs/runbook.md',
    );
  return ok('up to date');
}

async function checkRoles(client: pg.Client): Promise<Finding> {
  const roles = await readRoles(client);
  const missing = roles.filter((role) => !role.exists);
  if (missing.length > 0)
    return fail(`there is no role ${missing.map(({ name }) => name).join(', ')}`, 'run: dagwright migrate');
  const strong = await findRoleProblems(client);
  if (strong.length > 0)
    return fail(strong.map(({ problem }) => problem).join('; '), strong.map(({ fix }) => fix).join(' '));
  const closed = roles.filter((role) => TAKEN_ROLES.includes(role.name) && !role.canBeTaken);
  if (closed.length > 0)
    return fail(
      `this login may not take ${closed.map(({ name }) => name).join(', ')}`,
      `as an administrator: grant ${closed.map(({ name }) => name).join(', ')} to the login of DATABASE_URL`,
    );
  const problems = await findGrantProblems(client);
  if (problems.length > 0)
    return fail(
      problems.slice(0, 5).join('; '),
      'run: dagwright migrate; then undo what was granted or taken by hand',
    );
  return ok('owner, engine, tenant and caller, none above the policies');
}

async function checkPolicies(client: pg.Client): Promise<Finding> {
  const { tables, problems } = await findPolicyProblems(client);
  if (tables === 0) return fail('there are no tables', 'run: dagwright migrate');
  if (problems.length > 0)
    return fail(
      problems
        .slice(0, 5)
        .map(({ problem }) => problem)
        .join('; '),
      problems
        .slice(0, 5)
        .map(({ fix }) => fix)
        .join(' '),
    );
  return ok(`forced on ${tables} tables`);
}

async function checkIsolation(client: pg.Client): Promise<Finding> {
  const leaks = await tryIsolation(client);
  if (leaks.length > 0)
    return fail(leaks.slice(0, 5).join('; '), 'stop the service until roles and policies are right');
  return ok('tried: another tenant, and nobody, see and change nothing');
}

async function checkSessions({ url, directUrl }: DatabaseUrls): Promise<Finding> {
  const name = directUrl === url ? 'DATABASE_URL' : 'DIRECT_DATABASE_URL';
  const session = await trySession(directUrl);
  if (!session.listens || !session.keepsLocks)
    return fail(
      `${name} leads through a transaction pooler: ${session.listens ? 'session locks are' : 'LISTEN is'} lost`,
      'set DIRECT_DATABASE_URL to the server itself (or a pooler in session mode)',
    );
  if (directUrl === url) return ok('LISTEN and session locks work');
  const { server } = await trySession(url);
  if (server !== session.server)
    return fail(
      'DATABASE_URL and DIRECT_DATABASE_URL lead to different databases',
      'point both at the same one',
    );
  return ok('LISTEN and session locks work on DIRECT_DATABASE_URL, the same database as DATABASE_URL');
}

async function checkClock(client: pg.Client): Promise<Finding> {
  const sentAt = Date.now();
  const { nowMs } = await readServer(client);
  const skewMs = Math.round(Math.abs(nowMs - (sentAt + Date.now()) / 2));
  if (skewMs > SKEW_WARN_MS)
    return warn(
      `this machine and the database are ${formatDuration(skewMs)} apart`,
      'run an NTP service on both; leases and timers go by the database, log lines by this machine',
    );
  return ok(`this machine and the database are ${skewMs} ms apart`);
}

async function checkRoom(client: pg.Client): Promise<Finding> {
  try {
    return ok(`4 MB written and undone in ${await tryWriting(client)} ms`);
  } catch (error) {
    if (!/^53/.test(String((error as { code?: unknown }).code))) throw error;
    return fail(
      `the server cannot write: ${(error as Error).message}`,
      'free disk space there, or enlarge it; workers try again until then, nothing is lost',
    );
  }
}

async function checkDurability(client: pg.Client): Promise<Finding> {
  const { settings } = await readServer(client);
  const unsafe = ['fsync', 'full_page_writes'].filter((name) => settings[name] === 'off');
  if (unsafe.length > 0)
    return fail(
      `${unsafe.join(' and ')} off: a crash of the server may destroy the database`,
      unsafe.map((name) => `alter system set ${name} = on;`).join(' '),
    );
  if (settings.synchronous_commit === 'off')
    return warn(
      'synchronous_commit is off: a crash of the server may lose the last starts that were acknowledged',
      'set synchronous_commit = on for the database and the login',
    );
  return ok(`what is committed is on disk (synchronous_commit ${settings.synchronous_commit})`);
}

async function checkTransactions(client: pg.Client): Promise<Finding> {
  const { holders, hidden } = await readHorizon(client);
  const oldest = holders[0];
  const blind =
    hidden === 0 ? '' : `; ${hidden} sessions are hidden from this login (grant pg_read_all_stats)`;
  if (oldest !== undefined && (oldest.seconds === null || oldest.seconds > HORIZON_WARN_SECONDS)) {
    const age =
      oldest.seconds === null
        ? ''
        : ` has been open for ${formatDuration(Math.round(oldest.seconds * 1000))}`;
    return warn(
      `${oldest.what}${age}: dead rows cannot be removed, everything slows down${blind}`,
      'end it: select pg_terminate_backend(PID), rollback prepared …, select pg_drop_replication_slot(…)',
    );
  }
  return ok(
    `the oldest transaction is ${formatDuration(Math.round((oldest?.seconds ?? 0) * 1000))} old${blind}`,
  );
}

async function checkVacuum(client: pg.Client): Promise<Finding> {
  const { settings } = await readServer(client);
  const tables = await readHotTables(client);
  const off = ['autovacuum', 'track_counts'].filter((name) => settings[name] === 'off');
  if (off.length > 0)
    return warn(
      `${off.join(' and ')} off: tables grow without end`,
      off.map((name) => `alter system set ${name} = on;`).join(' '),
    );
  const bloated = tables.filter(({ live, dead }) => dead > DEAD_ROWS_WARN && dead > 0.2 * live);
  if (bloated.length > 0)
    return warn(
      bloated.map(({ name, dead }) => `${name} has ${dead} dead rows`).join('; '),
      'see the check "transactions"; else: vacuum (analyze) the table, and give autovacuum more workers',
    );
  const dead = tables.reduce((sum, table) => sum + table.dead, 0);
  return ok(`${dead} dead rows in the tables that change most`);
}
