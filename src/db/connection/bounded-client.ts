// A connection that does not wait for ever. A statement that is not answered within the connection's query_timeout fails,
// and the connection ends with it: node-postgres would hand it on while the statement still occupies it (node-postgres
// #3399), and the other side of a connection that went silent may never speak again.
import pg from 'pg';

/** What node-postgres calls a statement without an answer. */
const READ_TIMEOUT = 'Query read timeout';

/** Whether a statement was given up by the client: what the server made of it is unknown. */
export function isReadTimeout(error: unknown): boolean {
  return error instanceof Error && error.message === READ_TIMEOUT;
}

/** Limits one statement more tightly than its connection does: spread into its query configuration. */
export const within = (ms: number) => ({ query_timeout: ms });

export class BoundedClient extends pg.Client {
  #sentAtMs = Number.NEGATIVE_INFINITY;
  #heardAtMs = Number.NEGATIVE_INFINITY;

  constructor(config?: string | pg.ClientConfig) {
    super(config);
    // Only now is the stream the one that stays: TLS replaces the first.
    this.once('connect', () => {
      const hear = () => {
        this.#heardAtMs = performance.now();
      };
      hear();
      this.connection.stream.on('data', hear);
    });
  }

  /** When the last statement was sent, on the monotonic clock. */
  get sentAtMs(): number {
    return this.#sentAtMs;
  }

  /** When the server was last heard. */
  get heardAtMs(): number {
    return this.#heardAtMs;
  }

  /** Whether a statement is under way, and nothing has been heard for `ms`. */
  isUnansweredFor(ms: number): boolean {
    const { readyForQuery } = this as unknown as { readonly readyForQuery: boolean };
    return !readyForQuery && performance.now() - Math.max(this.#sentAtMs, this.#heardAtMs) >= ms;
  }

  // A pool's own queries pass a callback, and the pool ends the connection after any error. The others return a promise.
  override query(...args: unknown[]): never {
    this.#sentAtMs = performance.now();
    const answer = (super.query as (...all: unknown[]) => unknown).apply(this, args);
    if (!(answer instanceof Promise)) return answer as never;
    return answer.catch((error: unknown) => {
      if (isReadTimeout(error)) this.giveUp(error as Error);
      throw error;
    }) as never;
  }

  /** Ends the connection at once, whatever is under way, and tells those who listen for its errors. */
  giveUp(error: Error): void {
    void this.end().catch(() => {});
    // No goodbye: on a connection that is dead it would never be acknowledged.
    this.connection.stream.destroy();
    if (this.listenerCount('error') > 0) this.emit('error', error);
  }
}

/** As those see it who send statements: the override has no types of its own. */
export type Bounded = pg.Client & Pick<BoundedClient, 'giveUp'>;

/** Ends a listening connection that does not answer within `ms`, or listens to nothing any more. */
export async function probeListener(client: pg.ClientBase, ms: number): Promise<void> {
  const { rowCount } = await client.query({ text: 'select from pg_listening_channels()', ...within(ms) });
  if (rowCount === 0 && client instanceof BoundedClient) client.giveUp(new Error('LISTEN was lost'));
}
