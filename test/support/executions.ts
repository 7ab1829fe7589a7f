// What people do to executions and see of them, each in a transaction of its own.
import type pg from 'pg';
import type { Acting, Database } from '../../src/db/connection/connection.ts';
import * as costs from '../../src/db/executions/costs.ts';
import * as acts from '../../src/db/executions/execution-acts.ts';
import * as lists from '../../src/db/executions/execution-list.ts';
import * as logs from '../../src/db/executions/execution-logs.ts';
import * as views from '../../src/db/executions/execution-views.ts';

type Who = Acting | string;

const acted =
  <Rest extends unknown[], Result>(act: (client: pg.ClientBase, ...rest: Rest) => Promise<Result>) =>
  (database: Database, who: Who, ...rest: Rest): Promise<Result> =>
    database.withTenant(who, (client) => act(client, ...rest));
const read =
  <Rest extends unknown[], Result>(
    find: (client: pg.ClientBase, tenantId: string, ...rest: Rest) => Promise<Result>,
  ) =>
  (database: Database, who: Who, ...rest: Rest): Promise<Result> =>
    database.withTenant(who, (client) => find(client, typeof who === 'string' ? who : who.tenantId, ...rest));

export const pauseExecution = acted(acts.pauseExecution);
export const resumeExecution = acted(acts.resumeExecution);
export const cancelExecution = acted((client, id: string, reason?: string) =>
  acts.cancelExecution(client, id, reason ?? null),
);
export const listExecutions = read(lists.findExecutions);
export const findExecution = read(views.findExecution);
export const findTasks = read(views.findTasks);
export const findCosts = read(costs.findCosts);
export const findLogLines = read(logs.findLogLines);
export const findLogPage = read(logs.findLogPage);
export const findLoggedExecution = read(logs.findLoggedExecution);
