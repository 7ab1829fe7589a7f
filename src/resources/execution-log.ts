// The log of an execution, as its tenant reads it: page by page, or line after line while it grows. `client` is in a
// transaction of the tenant's role.
import type pg from 'pg';
import { type BoundedPage, pageOfRows } from '../db/connection/byte-bounded.ts';
import type { Acting } from '../db/connection/connection.ts';
import {
  findLoggedExecution,
  findLogLines,
  findLogPage,
  type LoggedExecution,
  type LogLineFilter,
  type LogLineView,
  type LogPage,
} from '../db/executions/execution-logs.ts';
import { unknownExecution } from './executions.ts';
import { done, type Outcome } from './outcome.ts';

export { LATE_LINE_MS } from '../db/executions/execution-logs.ts';

/** Of an execution. */
export interface LogRequest extends LogLineFilter {
  readonly id: string;
}

/** A page that is final where it has a next one (see {@link findLogPage}). */
export async function showLog(
  client: pg.ClientBase,
  { tenantId }: Acting,
  { id, ...filter }: LogRequest,
): Promise<Outcome<LogPage>> {
  const page = await findLogPage(client, tenantId, id, filter);
  return page === null ? unknownExecution(id) : done(page);
}

/** The lines that are there now. */
export async function listLogLines(
  client: pg.ClientBase,
  { tenantId }: Acting,
  { id, limit, ...filter }: LogRequest,
): Promise<BoundedPage<LogLineView>> {
  return pageOfRows(await findLogLines(client, tenantId, id, { ...filter, limit: limit + 1 }), limit);
}

/** Where the execution stands whose lines are read, and whether it has the task that is asked for. */
export async function showLogged(
  client: pg.ClientBase,
  { tenantId }: Acting,
  { id, taskId }: { readonly id: string; readonly taskId?: string | undefined },
): Promise<Outcome<LoggedExecution>> {
  const found = await findLoggedExecution(client, tenantId, id, taskId);
  return found === null ? unknownExecution(id) : done(found);
}
