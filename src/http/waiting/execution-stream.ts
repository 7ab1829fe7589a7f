// The events of one execution for one reader, as text/event-stream (WHATWG HTML, server-sent events).
//   V1  Each task that ended is sent once, in the order of the commits; its id is the number of its end, by which a reader
//       goes on after a break. Ids have gaps.
//   V2  `execution` tells the status at the beginning and whenever it is seen to have changed; it has no id.
//   V3  `end` comes after the execution is terminal and all its tasks were sent; a reader that comes back with its id is
//       answered 204, which ends a browser's reconnecting.
//   V4  Nothing is read ahead of a slow reader.
//   V5  A stream says something every `heartbeatMs` (and what two statements may take), also while the database is away.
//   V6  A key that was revoked or has expired, or a suspended tenant, is sent nothing more after 5 s.
import { isTerminalExecution } from '../../core/status.ts';
import { isConnectionLoss, isRetryable } from '../../db/connection/connection.ts';
import type { TaskEnd } from '../../db/executions/execution-events.ts';
import type { ExecutionWatch, Seen } from './execution-watch.ts';

/** The id of the last event of a stream. */
export const END_ID = 'end';

export interface StreamOptions {
  readonly id: string;
  /** Ends up to this number were sent before. */
  readonly afterSeq: number;
  readonly watch: ExecutionWatch;
  /** A page of ends after a number. */
  readonly findEnds: (afterSeq: number) => Promise<readonly TaskEnd[]>;
  /** Aborted when the reader is gone or the service drains. */
  readonly signal: AbortSignal;
  /** Whether the reader may still read; asked before anything is sent, every 2 s at most. */
  readonly isAllowed: () => Promise<boolean>;
  readonly heartbeatMs: number;
}

const ALLOWED_FOR_MS = 2_000;

/** How long a reader waits before it comes back, in milliseconds. */
const RETRY_MS = 2_000;

export async function* executionStream(options: StreamOptions): AsyncGenerator<string> {
  const { id, watch, findEnds, signal, heartbeatMs } = options;
  let askedAtMs = performance.now();
  const isAllowed = async () => {
    if (performance.now() - askedAtMs < ALLOWED_FOR_MS) return true;
    askedAtMs = performance.now();
    return await options.isAllowed();
  };
  let afterSeq = options.afterSeq;
  let readSeq = 0;
  let status: string | null = null;
  let saidAtMs = performance.now();
  let seen: Seen | undefined;
  let wake = Promise.withResolvers<void>();
  const stop = watch.subscribe(id, (state) => {
    seen = state;
    wake.resolve();
  });
  const abort = () => wake.resolve();
  signal.addEventListener('abort', abort);
  try {
    yield `retry: ${RETRY_MS}\n\n`;
    while (!signal.aborted) {
      wake = Promise.withResolvers();
      const state = seen;
      if (state === null || !(await isAllowed())) return;
      if (state !== undefined) {
        const isOver = isTerminalExecution(state.status);
        if (!isOver && state.status !== status) {
          status = state.status;
          yield event('execution', { id, status });
          saidAtMs = performance.now();
        }
        while (readSeq < state.nextSeq || isOver) {
          const ends = await read(findEnds, afterSeq);
          if (ends === null) break;
          if (!(await isAllowed())) return;
          for (const { seq, task } of ends) {
            yield event('task', task, String(seq));
            afterSeq = seq;
          }
          if (ends.length > 0) {
            saidAtMs = performance.now();
            continue;
          }
          readSeq = state.nextSeq;
          if (!isOver) break;
          yield event('execution', { id, status: state.status });
          yield event('end', { id, status: state.status }, END_ID);
          return;
        }
        if ((readSeq < state.nextSeq || isOver) && seen === state) setTimeout(wake.resolve, RETRY_MS);
      }
      if (seen !== state || signal.aborted) continue;
      const timer = setTimeout(() => wake.resolve(), Math.max(0, saidAtMs + heartbeatMs - performance.now()));
      await wake.promise;
      clearTimeout(timer);
      if (performance.now() - saidAtMs < heartbeatMs - 5) continue;
      if (!(await isAllowed())) return;
      yield ': still here\n\n';
      saidAtMs = performance.now();
    }
    yield ': the service ends; come back\n\n';
  } finally {
    signal.removeEventListener('abort', abort);
    stop();
  }
}

// Null: the database is away.
async function read(
  findEnds: StreamOptions['findEnds'],
  afterSeq: number,
): Promise<readonly TaskEnd[] | null> {
  try {
    return await findEnds(afterSeq);
  } catch (error) {
    if (isConnectionLoss(error) || isRetryable(error)) return null;
    throw error;
  }
}

function event(name: string, value: unknown, id?: string): string {
  return `event: ${name}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(value)}\n\n`;
}
