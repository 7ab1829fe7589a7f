// An execution as it goes on, for one reader in this process; http/waiting/execution-stream.ts is the same over HTTP.
import { isTerminalExecution } from '../core/status.ts';
import type { TaskEnd } from '../db/executions/execution-events.ts';
import type { ExecutionWatch, Seen } from '../http/waiting/execution-watch.ts';
import type { ExecutionEvent } from './views.ts';

export interface ReadEvents {
  readonly id: string;
  readonly after: number;
  readonly watch: ExecutionWatch;
  /** A page of ends after a number, however long the database is away. */
  readonly findEnds: (afterSeq: number) => Promise<readonly TaskEnd[]>;
  /** Its reason is thrown. */
  readonly signal: AbortSignal;
}

/** Ends after `end`, or where the execution was deleted. */
export async function* executionEvents(options: ReadEvents): AsyncGenerator<ExecutionEvent, void, void> {
  const { id, watch, findEnds, signal } = options;
  let { after } = options;
  let readSeq = 0;
  let status: string | null = null;
  let seen: Seen | undefined;
  let changed = Promise.withResolvers<void>();
  const stop = watch.subscribe(id, (state) => {
    seen = state;
    changed.resolve();
  });
  const abort = () => changed.resolve();
  signal.addEventListener('abort', abort);
  try {
    for (;;) {
      changed = Promise.withResolvers();
      signal.throwIfAborted();
      const state = seen;
      if (state === null) return;
      if (state !== undefined) {
        const isOver = isTerminalExecution(state.status);
        if (!isOver && state.status !== status) {
          status = state.status;
          yield { type: 'status', status: state.status };
        }
        while (isOver || readSeq < state.nextSeq) {
          const ends = await findEnds(after);
          for (const { seq, task } of ends) {
            yield { type: 'task', seq, task };
            after = seq;
          }
          if (ends.length > 0) continue;
          readSeq = state.nextSeq;
          if (!isOver) break;
          yield { type: 'end', status: state.status };
          return;
        }
      }
      if (seen === state) await changed.promise;
    }
  } finally {
    signal.removeEventListener('abort', abort);
    stop();
  }
}
