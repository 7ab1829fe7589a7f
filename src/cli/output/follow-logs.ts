// Follows the lines of an execution that several workers write: each is printed once, none is missed.
//   F1  A worker writes a line a moment after it was made, so the seconds before the newest line are read again each time;
//       and once it is over, all of it, for what was written later than that.
//   F2  It is over when the execution has ended and its workers have had time to write what they held.
import { setTimeout as delay } from 'node:timers/promises';
import { firstIdAt, timeOfId } from '../../core/id.ts';
import { isTerminalExecution } from '../../core/status.ts';
import { LATE_LINE_MS, type LoggedExecution, type LogLineView } from '../../db/executions/execution-logs.ts';

export interface FollowOptions {
  /** A page of lines after an id, in the order of their ids; short where there are no more. */
  readonly read: (after: string | undefined, limit: number) => Promise<readonly LogLineView[]>;
  /** Null: it is gone. */
  readonly execution: () => Promise<LoggedExecution | null>;
  readonly print: (line: LogLineView) => void;
  readonly stop: AbortSignal;
  /** Begins after this id. */
  readonly after?: string;
  readonly pollMs?: number;
  /** How long after its end lines may still come. */
  readonly quietMs?: number;
}

const PAGE = 1_000;
/** Ids that are remembered so that nothing is printed twice. */
const MAX_SEEN = 200_000;

export async function followLogs(options: FollowOptions): Promise<void> {
  const { read, print, stop, after: start, pollMs = 300, quietMs = 1_500 } = options;
  const seen = new Set<string>();
  let newest: string | undefined;
  const readFrom = async (from: string | undefined) => {
    for (let after = from; !stop.aborted; ) {
      const lines = await read(after, PAGE);
      for (const line of lines) {
        if (seen.has(line.id) || stop.aborted) continue;
        seen.add(line.id);
        if (newest === undefined || line.id > newest) newest = line.id;
        print(line);
      }
      if (lines.length < PAGE) break;
      after = lines.at(-1)!.id;
    }
    for (const id of seen) {
      if (seen.size <= MAX_SEEN) break;
      seen.delete(id);
    }
  };
  while (!stop.aborted) {
    // Asked before the lines are read: what was written by its end is among them.
    const execution = await options.execution();
    const isOver =
      execution === null || (isTerminalExecution(execution.status) && (execution.endedMsAgo ?? 0) >= quietMs);
    if (isOver) return await readFrom(seen.size < MAX_SEEN ? start : [...seen][0]);
    await readFrom(newest === undefined ? start : latest(start, firstIdAt(timeOfId(newest) - LATE_LINE_MS)));
    await delay(pollMs, undefined, { signal: stop }).catch(() => {});
  }
}

function latest(a: string | undefined, b: string): string {
  return a === undefined || a < b ? b : a;
}
