// What a command works with: the database (given or embedded, up to date), the task types, the tenant, a worker.

import { pathToFileURL } from 'node:url';
import type { TaskTypeRule } from '../core/definition/task-type.ts';
import type { TaskLog } from '../core/log-lines.ts';
import { type Database, openDatabase } from '../db/connection/connection.ts';
import { openServer } from '../db/embedded/given-or-embedded.ts';
import { bringUpToDate } from '../db/operations/migrate.ts';
import { findTenantId } from '../db/resources/tenants.ts';
import type { OutsideSettings } from '../engine/services/outside.ts';
import { Worker } from '../engine/worker/worker.ts';
import type { CustomTaskType } from '../tasks/custom-task.ts';
import { createRegistry } from '../tasks/registry.ts';
import type { TaskType } from '../tasks/task-type.ts';
import { createEventPass } from '../triggers/events.ts';
import { createHousekeepingPass } from '../triggers/housekeeping.ts';
import { Scheduler } from '../triggers/scheduler.ts';
import { createStarts } from '../triggers/starts/starts.ts';
import { loadHint, loadPlace } from './load-problem.ts';
import { shareOwnPackage } from './own-package.ts';
import { refuse } from './refusal.ts';
import type { Config } from './settings/config.ts';

export interface SystemOptions {
  readonly config: Config;
  readonly log: TaskLog;
  readonly tenant: string;
  readonly ephemeral: boolean;
  /** Bring a given database up to date; embedded ones always are. */
  readonly migrate?: boolean;
  readonly onProgress?: (text: string) => void;
}

export interface System {
  readonly config: Config;
  readonly log: TaskLog;
  readonly url: string;
  readonly database: Database;
  readonly tenantId: string;
  readonly types: ReadonlyMap<string, TaskType>;
  /** Of the types from DAGWRIGHT_TASKS. */
  readonly rules: ReadonlyMap<string, TaskTypeRule>;
  /** With a log of its own, or the process's; and with another outside world than the settings tell of. */
  createWorker(log?: TaskLog, outside?: OutsideSettings): Worker;
  /** Of schedules, events, and what is kept for a time only. */
  createScheduler(): Scheduler;
  close(): Promise<void>;
}

/** The task types of this installation: built in, and from the modules of DAGWRIGHT_TASKS. */
export async function loadTaskTypes(
  config: Config,
): Promise<{ types: ReadonlyMap<string, TaskType>; rules: ReadonlyMap<string, TaskTypeRule> }> {
  const custom: CustomTaskType[] = [];
  if (config.taskModules.length > 0) shareOwnPackage();
  for (const path of config.taskModules) {
    let module: Record<string, unknown>;
    try {
      module = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
    } catch (error) {
      throw refuse(
        'setting',
        `DAGWRIGHT_TASKS: cannot load ${path}: ${(error as Error).message}${loadPlace(error)}`,
        loadHint(path, error as Error & { readonly code?: string }),
      );
    }
    const found = Object.values(module).flat().filter(isCustomTaskType);
    if (found.length === 0)
      throw refuse(
        'setting',
        `DAGWRIGHT_TASKS: ${path} exports no task type`,
        'export const mine = defineTask({ type, run })',
      );
    custom.push(...new Set(found));
  }
  return { types: createRegistry(custom), rules: new Map(custom.map(({ type, rule }) => [type, rule])) };
}

function isCustomTaskType(value: unknown): value is CustomTaskType {
  return (
    typeof value === 'object' && value !== null && 'rule' in value && 'prepare' in value && 'type' in value
  );
}

/** Opens everything. Throws a Refusal where the database is not reachable or not up to date. */
export async function openSystem(options: SystemOptions): Promise<System> {
  const { config, log } = options;
  const { types, rules } = await loadTaskTypes(config);
  const server = await openServer(options.config, options);
  let database: Database | undefined;
  const close = async () => {
    await database?.close();
    await server.stop();
  };
  try {
    await prepareDatabase(server.directUrl, server.isEmbedded || options.migrate === true);
    const opened = openDatabase(server.url, { max: 8, directUrl: server.directUrl });
    database = opened;
    const tenantId = await findTenantId(opened.engine, options.tenant);
    if (tenantId === null)
      throw refuse(
        'not_found',
        `there is no tenant "${options.tenant}"`,
        'dagwright tenants list; dagwright tenants create NAME',
      );
    return {
      config,
      log,
      url: server.url,
      database: opened,
      tenantId,
      types,
      rules,
      createWorker: (workerLog = log, outside = config.outside) =>
        new Worker({
          database: opened,
          types,
          log: workerLog,
          concurrency: config.concurrency,
          outside,
          leaseSeconds: config.leaseSeconds,
          keepsDebugLines: config.logLevel === 'debug',
          retentionDays: config.retentionDays,
        }),
      createScheduler: () =>
        new Scheduler({
          database: opened,
          log,
          passes: [
            createEventPass({ database: opened, log, starts: createStarts({ database: opened, log }) }),
            createHousekeepingPass({ database: opened, retentionDays: config.retentionDays }),
          ],
        }),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function prepareDatabase(url: string, mayMigrate: boolean): Promise<void> {
  const pending = await bringUpToDate(url, mayMigrate);
  if (pending > 0)
    throw refuse('migrations_pending', `the database lacks ${pending} migration(s)`, 'dagwright migrate');
}
