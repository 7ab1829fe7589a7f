// Lists of statuses that the functions write out (`status in (…)`) are lists that follow from core/status.ts: a status that is
// added there, or a list that forgets one, is found here.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  EXECUTION_MOVES,
  EXECUTION_STATUSES,
  isTerminalExecution,
  isTerminalTask,
  TASK_MOVES,
  TASK_STATUSES,
  type TaskStatus,
} from '../../src/core/status.ts';

const FUNCTIONS = new URL('../../src/db/functions/', import.meta.url);

const movesTo = (from: TaskStatus, to: TaskStatus) =>
  (TASK_MOVES[from] as readonly TaskStatus[]).includes(to);
const openExecutions = EXECUTION_STATUSES.filter((status) => !isTerminalExecution(status));
const claimable = TASK_STATUSES.filter((status) => movesTo(status, 'running'));
const LISTS: Readonly<Record<string, readonly string[]>> = {
  'open tasks': TASK_STATUSES.filter((status) => !isTerminalTask(status)),
  'tasks that have ended': TASK_STATUSES.filter(isTerminalTask),
  'tasks that may be claimed': claimable,
  'tasks that have begun and do not run': claimable.filter((status) => !movesTo(status, 'skipped')),
  'open executions': openExecutions,
  'executions that have ended': EXECUTION_STATUSES.filter(isTerminalExecution),
  'opened executions': openExecutions.filter((status) => status !== 'pending'),
  'executions that may be paused': EXECUTION_STATUSES.filter((status) =>
    (EXECUTION_MOVES[status] as readonly string[]).includes('paused'),
  ),
};
const known = new Set<string>([...TASK_STATUSES, ...EXECUTION_STATUSES]);
const keyOf = (statuses: readonly string[]) => [...statuses].sort().join(', ');

test('every list of statuses in SQL follows from core/status.ts', () => {
  const allowed = new Set(Object.values(LISTS).map(keyOf));
  const written = readdirSync(FUNCTIONS, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.sql'))
    .flatMap((name) => {
      const sql = readFileSync(new URL(name, FUNCTIONS), 'utf8').replace(/--.*$/gm, '');
      return [...sql.matchAll(/(?:status|"to")\s+(?:not\s+)?in\s+\(([^)]*)\)/g)].map(([, list]) => ({
        name,
        statuses: list!.split(',').map((status) => status.trim().replaceAll("'", '')),
      }));
    })
    .filter(({ statuses }) => statuses.every((status) => known.has(status)));
  expect(written.length).toBeGreaterThan(20);
  expect(written.filter(({ statuses }) => !allowed.has(keyOf(statuses)))).toEqual([]);
});
