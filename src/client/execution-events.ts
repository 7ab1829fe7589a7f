// The events of one execution, over as many connections as it takes.
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { Client } from 'openapi-fetch';
import type { components, paths } from './api-description.ts';
import { ApiError, dataOf } from './refusal.ts';

type Task = components['schemas']['Task'];
type Status = components['schemas']['Execution']['status'];

/**
 * What one sees of an execution that goes on: each task that ended, once, in the order of the commits; its status whenever that is
 * seen to have changed; and `end`, after which nothing comes. `seq` rises, with gaps: go on after it by `after`.
 */
export type ExecutionEvent =
  | { readonly type: 'task'; readonly seq: number; readonly task: Task }
  | { readonly type: 'status'; readonly status: Status }
  | { readonly type: 'end'; readonly status: Status };

export interface EventsOptions {
  /** Goes on after the event with this `seq`. */
  readonly after?: number;
  /** Throws its reason. */
  readonly signal?: AbortSignal;
}

/** Where the service says nothing of its own. */
const RETRY_SECONDS = 2;

export async function* executionEvents(
  api: Client<paths>,
  id: string,
  { after = 0, signal }: EventsOptions,
): AsyncGenerator<ExecutionEvent, void, void> {
  let seq = after;
  for (let hasOpened = false; ; ) {
    let retrySeconds = RETRY_SECONDS;
    try {
      const query = seq === 0 ? {} : { lastEventId: String(seq) };
      const answer = await api.GET('/v1/executions/{id}/events', {
        params: { path: { id }, query },
        parseAs: 'stream',
        ...(signal === undefined ? {} : { signal }),
      });
      const body = dataOf(answer);
      hasOpened = true;
      if (body === undefined || body === null) return;
      for await (const message of messagesOf(body as ReadableStream<Uint8Array>)) {
        const event = eventOf(message);
        if (event === null) continue;
        if (event.type === 'task') seq = event.seq;
        yield event;
        if (event.type === 'end') return;
      }
    } catch (error) {
      signal?.throwIfAborted();
      // Once it was there, what breaks is the way to it.
      const isBroken = error instanceof ApiError ? error.status >= 500 || error.status === 429 : hasOpened;
      if (!isBroken || !hasOpened) throw error;
      if (error instanceof ApiError) retrySeconds = error.retryAfter ?? RETRY_SECONDS;
    }
    await pause(retrySeconds, signal);
  }
}

function eventOf({ event, id, data }: EventSourceMessage): ExecutionEvent | null {
  switch (event) {
    case 'task':
      return { type: 'task', seq: Number(id), task: JSON.parse(data) as Task };
    case 'execution':
      return { type: 'status', status: (JSON.parse(data) as { status: Status }).status };
    case 'end':
      return { type: 'end', status: (JSON.parse(data) as { status: Status }).status };
    default:
      // Of a later release.
      return null;
  }
}

// By a reader: not every browser iterates over streams.
async function* messagesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<EventSourceMessage, void, void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const read: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (message) => void read.push(message) });
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      parser.feed(decoder.decode(value, { stream: true }));
      yield* read.splice(0);
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

async function pause(seconds: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, seconds * 1000);
    function done() {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    }
    signal?.addEventListener('abort', done);
    if (signal?.aborted) done();
  });
  signal?.throwIfAborted();
}
