// Checks of the engine's state: workers, queue, orphans, prices; and of settings that are legal and yet unwise.
import type pg from 'pg';
import { PRICE_LIBRARY_VERSION } from '../../core/cost/price-library.ts';
import { MIN_SECRET_LENGTH } from '../../core/redaction/forms.ts';
import {
  readOrphans,
  readPrices,
  readQueue,
  readRepairs,
  readScheduleState,
  readTaskTypes,
  readWorkers,
} from '../../db/operations/doctor-engine.ts';
import { variableOf } from '../../tasks/installation-secrets.ts';
import { formatDuration } from '../output/terminal.ts';
import type { Config } from '../settings/config.ts';
import { type Check, type Finding, fail, ok, warn } from './check.ts';

/** Two beats and some: a sound worker is never silent for longer. */
const BEATS_MS = 7_000;
const WAIT_WARN_SECONDS = 60;

export function engineChecks(client: pg.Client): Check[] {
  return [
    { name: 'workers', look: () => checkWorkers(client) },
    { name: 'task types', look: () => checkTaskTypes(client) },
    { name: 'queue', look: () => checkQueue(client) },
    {
      name: 'orphans',
      look: () => checkOrphans(client),
      ifBroken: 'on a very large database: select * from dagwright.v_orphans',
    },
    { name: 'schedules', look: () => checkSchedules(client) },
    { name: 'prices', look: () => checkPrices(client) },
  ];
}

export function settingsCheck(config: Config): Check {
  return { name: 'settings', look: () => checkSettings(config) };
}

async function checkWorkers(client: pg.Client): Promise<Finding> {
  const workers = await readWorkers(client);
  const alive = workers.filter(({ silentMs }) => silentMs < BEATS_MS);
  const slots = alive.reduce((sum, { concurrency }) => sum + concurrency, 0);
  const text = `${alive.length} alive with ${slots} slots`;
  const [silent] = workers;
  if (silent !== undefined && silent.silentMs >= BEATS_MS) {
    const who = `the worker of process ${silent.pid} on ${silent.host} has been silent for ${formatDuration(Math.round(silent.silentMs))}`;
    if (silent.holdsLock)
      return warn(
        `${text}; ${who}, but its process lives`,
        'it hangs: restart that process (kill -9 if it must be)',
      );
    if (alive.length === 0 || silent.silentMs > silent.leaseSeconds * 2_000)
      return warn(
        `${text}; ${who}, and nobody has taken its tasks over`,
        'start a worker: it takes over within its lease',
      );
    return warn(`${text}; ${who}`, 'another worker takes its tasks over within seconds: look again');
  }
  if (alive.length === 0) return warn('none: nothing runs', 'dagwright start --role worker');
  return ok(text);
}

async function checkTaskTypes(client: pg.Client): Promise<Finding> {
  const { missing, differing, live, silent } = await readTaskTypes(client);
  const text = live.length === 0 ? 'built-in ones only' : `built-in ones and ${[...live].sort().join(', ')}`;
  // One of the release before may have what the others lack.
  if (missing.length > 0 && silent === 0) {
    const each = missing.map(({ type, jobs, workflows }) => {
      const by = workflows.length === 0 ? '' : `, needed by ${workflows.join(', ')}`;
      return `"${type}" (${jobs} job(s) wait${by})`;
    });
    return warn(
      `no live worker has the task type ${each.join(', ')}`,
      'start a worker whose DAGWRIGHT_TASKS names its module; what waits goes on by itself then',
    );
  }
  if (differing.length > 0)
    return warn(
      `${text}; live workers have different config schemas of ${differing.join(', ')}`,
      'a config may fit either: restart the workers that have the older module',
    );
  return ok(text);
}

async function checkQueue(client: pg.Client): Promise<Finding> {
  const queue = await readQueue(client);
  const age = formatDuration(Math.round((queue.oldestSeconds ?? 0) * 1000));
  const text = `${queue.waiting} waiting${queue.waiting === 0 ? '' : `, the oldest for ${age}`}, ${queue.locked} taken`;
  if (queue.givenUp > 0)
    return fail(
      `${text}; ${queue.givenUp} job(s) out of attempts, which cannot happen in a sound engine`,
      'their executions are in v_orphans and are enqueued again after 30 s; keep the rows of graphile_worker.jobs for a report',
    );
  if (queue.lockedByNobody > 0)
    return warn(
      `${text}; ${queue.lockedByNobody} job(s) locked by pools of no registered worker`,
      'unlocked when a worker takes over: look again in 30 s; with no worker running, start one',
    );
  if ((queue.oldestSeconds ?? 0) > WAIT_WARN_SECONDS)
    return warn(
      text,
      'more workers, or a higher DAGWRIGHT_CONCURRENCY; see "The backlog grows" in docs/runbook.md',
    );
  return ok(text);
}

async function checkOrphans(client: pg.Client): Promise<Finding> {
  const { count, examples } = await readOrphans(client);
  const repairs = await readRepairs(client);
  const before = repairs === 0 ? '' : `; ${repairs} repaired in the past`;
  if (count > 0)
    return fail(
      `${count} without anything that will wake them: ${examples.join('; ')}${before}`,
      'a running worker mends ready ones after 30 s; keep: select * from dagwright.v_orphans, and report it',
    );
  if (repairs > 0)
    return warn(
      `none now${before}`,
      'a sound engine needs no repairs: please report it with the log around "the reconciler repaired orphans"',
    );
  return ok('none, and none ever repaired');
}

async function checkSchedules(client: pg.Client): Promise<Finding> {
  const { active, overdue, oldestSeconds, schedulersAlive } = await readScheduleState(client);
  const text = `${active} active, ${schedulersAlive} scheduler(s) alive`;
  if (overdue > 0) {
    const late = `${overdue} overdue by up to ${formatDuration(Math.round((oldestSeconds ?? 0) * 1000))}`;
    if (schedulersAlive === 0)
      return fail(`${text}; ${late}`, 'nobody looks after schedules: dagwright start --role scheduler');
    return warn(
      `${text}; ${late}`,
      'look at the log of the scheduler: "a schedule could not be looked after"',
    );
  }
  if (active > 0 && schedulersAlive === 0)
    return warn(text, 'nobody looks after schedules: dagwright start --role scheduler');
  return ok(text);
}

async function checkPrices(client: pg.Client): Promise<Finding> {
  const { library, operator, isOutdated } = await readPrices(client);
  const text = `${library} from the price library ${PRICE_LIBRARY_VERSION}, ${operator} of your own`;
  if (library === 0) return warn('no prices: model calls cost null', 'run: dagwright migrate');
  if (isOutdated)
    return warn(
      'the prices in the database are older than those of this installation',
      'run: dagwright migrate',
    );
  return ok(text);
}

function checkSettings(config: Config): Finding {
  const unwise: [string, string][] = [];
  if (config.logLevel === 'silent' || config.logLevel === 'error')
    unwise.push([
      `LOG_LEVEL=${config.logLevel} hides take-overs and refused writes`,
      'LOG_LEVEL=warn or info',
    ]);
  if (config.directDatabaseUrl !== undefined && config.databaseUrl === undefined)
    unwise.push([
      'DIRECT_DATABASE_URL is set without DATABASE_URL, and so unused',
      'set DATABASE_URL as well',
    ]);
  if (config.databaseUrl !== undefined && !isEncryptedOrNear(config.databaseUrl))
    unwise.push([
      'DATABASE_URL leads to another machine without TLS',
      'append ?sslmode=verify-full, unless the network is private',
    ]);
  const short = (config.outside.secrets?.all ?? []).filter(({ value }) => value.length < MIN_SECRET_LENGTH);
  if (short.length > 0)
    unwise.push([
      `${short.map(variableOf).join(', ')}: too short to be recognized, and so not hidden in logs and errors`,
      `secrets of ${MIN_SECRET_LENGTH} characters or more`,
    ]);
  if (unwise.length > 0)
    return warn(unwise.map(([what]) => what).join('; '), unwise.map(([, what]) => what).join('; '));
  return ok(`lease ${config.leaseSeconds} s, ${config.concurrency} attempts at once`);
}

function isEncryptedOrNear(url: string): boolean {
  if (!URL.canParse(url)) return true;
  const { hostname, searchParams } = new URL(url);
  const mode = searchParams.get('sslmode');
  if (mode !== null && mode !== 'disable') return true;
  return hostname === '' || hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
}
