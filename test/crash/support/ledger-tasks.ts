// The task type of the crash tests: writes its start and its end into a ledger outside the database, one appended line
// each, and waits a while in between.
import { openSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { defineTask } from '../../../src/tasks/custom-task.ts';
import type { TaskType } from '../../../src/tasks/task-type.ts';

export interface LedgerLine {
  readonly event: 'start' | 'end';
  readonly execution: string;
  readonly task: string;
  readonly attempt: number;
  /** The idempotency key: names the task, and the item of a fan-out, in all attempts. */
  readonly key: string;
  readonly pid: number;
  /** Milliseconds since the epoch; all processes share one clock. */
  readonly at: number;
}

/** What a body is told by `config`. */
interface Body {
  /** How long it runs. */
  readonly ms?: number;
  /** Starts with the next multiple of so many milliseconds, so that bodies in several processes end together. */
  readonly alignMs?: number;
  /** Does not listen to its abort signal. */
  readonly isDeaf?: boolean;
  /** Holds up its process's main loop while it runs: what it returns is written before the process hears anything. */
  readonly isBlocking?: boolean;
  /** Ends its process once it has run so long. */
  readonly abortsAfterMs?: number;
}

/** `ledger`: the file's path. */
export function ledgerTasks(ledger: string): TaskType[] {
  const file = openSync(ledger, 'a');
  return [
    defineTask({
      type: 'ledger',
      async run({ executionId, taskId, attempt, config, signal, idempotencyKey }) {
        const { ms = 0, alignMs = 0, isDeaf = false, isBlocking = false, abortsAfterMs } = config as Body;
        const write = (event: LedgerLine['event']) => {
          const line: LedgerLine = {
            ...{ event, execution: executionId, task: taskId, attempt, key: idempotencyKey },
            ...{ pid: process.pid, at: Date.now() },
          };
          writeSync(file, `${JSON.stringify(line)}\n`);
        };
        write('start');
        if (abortsAfterMs !== undefined) {
          await delay(abortsAfterMs);
          process.abort();
        }
        const aligned = alignMs > 0 ? alignMs - (Date.now() % alignMs) : 0;
        if (isBlocking) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
        else if (ms + aligned > 0) await delay(ms + aligned, undefined, isDeaf ? {} : { signal });
        write('end');
        return taskId;
      },
    }),
  ];
}
