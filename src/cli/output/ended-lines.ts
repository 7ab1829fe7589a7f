// A line for each execution that has ended, for whoever watches `dev`: status, workflow, duration, cost, id. Whatever ended it: this
// process tells at once of what its worker ends, and a look at what is open finds the rest (a cancel, a timeout, another worker).
import type { Queryable } from '../../db/connection/connection.ts';
import { type EndedExecution, readEnds, readOpenIds } from '../../db/executions/ended-executions.ts';
import type { Worker } from '../../engine/worker/worker.ts';
import { oneLine } from '../safe-output.ts';
import { type Colour, type createPainter, formatDuration, formatUsd } from './terminal.ts';

const LOOK_MS = 500;
/** Of open executions that are looked at, and of lines for one look. */
const MOST_OPEN = 1_000;
const MOST_LINES = 50;

const MARKS: Partial<Record<EndedExecution['status'], readonly [Colour, string]>> = {
  completed: ['green', '✔'],
  failed: ['red', '✘'],
  cancelled: ['yellow', '■'],
};

type Paint = ReturnType<typeof createPainter>;

export interface EndedLinesOptions {
  readonly db: Queryable;
  readonly worker: Worker | null;
  readonly print: (line: string) => void;
  readonly paint: Paint;
}

/** Prints until it is stopped. */
export function printEnds({ db, worker, print, paint }: EndedLinesOptions): { stop(): Promise<void> } {
  const heard = new Set<string>();
  const hear = (id: string) => void heard.add(id);
  worker?.events.on('executionEnded', hear);
  let open: readonly string[] = [];
  let pass: Promise<void> = Promise.resolve();
  const look = async () => {
    const now = await readOpenIds(db, MOST_OPEN);
    const stillOpen = new Set(now);
    const over = [...new Set([...open.filter((id) => !stillOpen.has(id)), ...heard])];
    for (const id of over) heard.delete(id);
    open = now;
    if (over.length === 0) return;
    const ends = await readEnds(db, over);
    for (const end of ends.slice(0, MOST_LINES)) print(endLine(end, paint));
    if (ends.length > MOST_LINES) print(`… and ${ends.length - MOST_LINES} more have ended`);
  };
  let isBusy = false;
  const timer = setInterval(() => {
    if (isBusy) return;
    isBusy = true;
    // While the database is away there is nothing to tell.
    pass = look()
      .catch(() => {})
      .finally(() => {
        isBusy = false;
      });
  }, LOOK_MS);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      worker?.events.off('executionEnded', hear);
      await pass;
      await look().catch(() => {});
    },
  };
}

/** One end as a line. */
export function endLine(
  { status, workflowId, tenant, durationMs, costUsd, errorCode, id }: EndedExecution,
  paint: Paint,
): string {
  const [colour, mark] = MARKS[status] ?? ['gray', '·'];
  const code = errorCode === null || status === 'completed' ? '' : ` (${errorCode})`;
  const of = tenant === 'default' ? workflowId : `${tenant}/${workflowId}`;
  const took = formatDuration(durationMs) || 'never began';
  return oneLine(
    `${paint(colour, `${mark} ${status}`)}${code}  ${paint('bold', of)}  ${took}  ${formatUsd(costUsd)}  ${paint('gray', id)}`,
  );
}
