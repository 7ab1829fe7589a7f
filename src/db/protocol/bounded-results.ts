// Results of several tasks that are read at once: as many as may be assembled to one value, and no more.
//   R1  The database measures before it sends: what is more than MAX_ASSEMBLED_BYTES together never leaves it.
//   R2  Outputs come as text, since a text that is looked at first costs its bytes, and what is made of it may cost twenty times as
//       much: more than MAX_VALUES are not made.
import { type Json, MAX_ASSEMBLED_BYTES, MAX_VALUES } from '../../core/json.ts';
import { JsonShape } from '../../core/json-shape.ts';
import { boundedPage, withinBytes } from '../connection/byte-bounded.ts';
import type { Queryable } from '../connection/connection.ts';
import { resultColumns, type TaskResultRow } from './reads.ts';

type WithText<Row> = Omit<Row, 'output'> & { readonly outputText: string | null };

/** A fan-out's issued parts, or so many of the last, by index; null where they are too many bytes or values. */
export async function loadParts(
  db: Queryable,
  executionId: string,
  taskId: string,
  last: number | null = null,
): Promise<(TaskResultRow & { readonly index: number })[] | null> {
  type Part = WithText<TaskResultRow & { readonly index: number }>;
  const { rows } = await db.query<Part & { place: number; found: number }>({
    name: 'load_parts_within',
    text: withinBytes(
      `select map_index as index, ${resultColumns('output::text as "outputText"')} from dagwright.task_executions
        where workflow_execution_id = $1 and task_id = $2 and map_index >= greatest(0, $3) order by map_index`,
      { maxBytes: MAX_ASSEMBLED_BYTES, json: ['"outputText"'] },
    ),
    values: [executionId, taskId, last === null ? 0 : await firstOfLast(db, executionId, taskId, last)],
  });
  const page = boundedPage<Part>(rows);
  return page.hasMore ? null : parseWithin(page.rows, null);
}

async function firstOfLast(
  db: Queryable,
  executionId: string,
  taskId: string,
  last: number,
): Promise<number> {
  const { rows } = await db.query<{ first: number }>({
    name: 'first_of_last_parts',
    text: `select max(map_index) + 1 - $3::int as first from dagwright.task_executions where workflow_execution_id = $1 and task_id = $2`,
    values: [executionId, taskId, last],
  });
  return rows[0]?.first ?? 0;
}

export interface ResultsWanted {
  /** Whose results are read. */
  readonly taskIds: readonly string[];
  /** Whose outputs must fit together. */
  readonly measured: readonly string[];
  /** How many values the outputs have that the caller knows already. */
  readonly known?: readonly number[];
}

/**
 * Results of `taskIds`; null where the outputs of all in `measured` are too many bytes or values beside the largest, so that the result of a fan-out may be read with others. Only those in `measured` come with their output.
 */
export async function loadResultsWithin(
  db: Queryable,
  executionId: string,
  { taskIds, measured, known = [] }: ResultsWanted,
): Promise<TaskResultRow[] | null> {
  type Row = WithText<TaskResultRow> & { readonly isTooMuch: boolean };
  const output = 'case when task_id = any($3) then output::text end as "outputText"';
  const { rows } = await db.query<Row>({
    name: 'load_results_within',
    text: `with beside as (
        select sum(bytes) over so_far - max(bytes) over so_far as largest from (
          select coalesce(octet_length(output::text), 0) + coalesce(octet_length(part_errors::text), 0) as bytes
          from dagwright.task_executions where workflow_execution_id = $1 and task_id = any($3) and map_index = -1) measured
        window so_far as (rows unbounded preceding)),
      judged as materialized (select exists (select from beside where largest > ${MAX_ASSEMBLED_BYTES}) as much)
      select judged.much as "isTooMuch", r.* from judged left join lateral (
        select ${resultColumns(output)} from dagwright.task_executions
        where workflow_execution_id = $1 and task_id = any($2) and map_index = -1) r on not judged.much`,
    values: [executionId, taskIds, measured],
  });
  if (rows[0]!.isTooMuch) return null;
  const found = rows.flatMap(({ isTooMuch: _, ...row }) => (row.taskId === null ? [] : [row]));
  return parseWithin(found, known);
}

// R2. `beside`: the largest is not counted, but these are.
function parseWithin<Row extends { readonly outputText: string | null }>(
  rows: readonly Row[],
  beside: readonly number[] | null,
): (Omit<Row, 'outputText'> & { readonly output: Json })[] | null {
  let values = (beside ?? []).reduce((sum, count) => sum + count, 0);
  let largest = Math.max(0, ...(beside ?? []));
  if (values - largest > MAX_VALUES) return null;
  const parsed: (Omit<Row, 'outputText'> & { readonly output: Json })[] = [];
  for (const { outputText, ...row } of rows) {
    const shape = new JsonShape();
    if (outputText !== null) shape.push(Buffer.from(outputText));
    values += shape.values;
    if (beside !== null) largest = Math.max(largest, shape.values);
    if (values - largest > MAX_VALUES) return null;
    parsed.push({ ...row, output: outputText === null ? null : (JSON.parse(outputText) as Json) });
  }
  return parsed;
}
