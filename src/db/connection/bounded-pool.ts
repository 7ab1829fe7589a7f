// A pool of connections that give up, and that are given up: a connection that the network has forgotten is found out by
// a statement without an answer, and should cost no more than that one.
//   G1  A statement that is given up at its limit takes with it every idle connection of its pool that has not been heard
//       since the statement was sent. One that was heard since then stays: the network let it through.
//   G2  So any number of dead connections costs two limits in a row at most. The second only where the silence began
//       after the first statement was sent; whatever is dead then was last heard before the second was.
//   G3  A connection in use is given up by its own limit, or by the watch (silence.ts), which has better evidence.
import pg from 'pg';
import { BoundedClient, isReadTimeout } from './bounded-client.ts';

export class BoundedPool extends pg.Pool {
  readonly #clients = new Set<BoundedClient>();
  readonly #idle = new Set<BoundedClient>();

  /** Connections are of a subclass of BoundedClient, or of itself where `config` names none. */
  constructor(config: pg.PoolConfig) {
    super({ Client: BoundedClient as new () => pg.ClientBase, ...config });
    // An error on an idle one must not end the process: the pool drops the connection, the next query opens another.
    this.on('error', () => {});
    this.on('connect', (connected) => {
      const client = connected as unknown as BoundedClient;
      this.#clients.add(client);
      client.on('error', (error) => this.#noteFailure(error, client));
    });
    this.on('acquire', (client) => void this.#idle.delete(client as unknown as BoundedClient));
    this.on('release', (error: Error | null | undefined, released) => {
      const client = released as unknown as BoundedClient;
      if (error) this.#noteFailure(error, client);
      else this.#idle.add(client);
    });
    this.on('remove', (removed) => this.#forget(removed as unknown as BoundedClient));
  }

  /** Whether a statement on one of its connections has gone unanswered for `ms`. */
  hasUnanswered(ms: number): boolean {
    for (const client of this.#clients) if (client.isUnansweredFor(ms)) return true;
    return false;
  }

  /** Ends the connections that have not been heard since, in use or not. */
  endUnheard(sinceMs: number, error: Error): void {
    this.#endUnheard(this.#clients, sinceMs, error);
  }

  #noteFailure(error: Error, { sentAtMs }: BoundedClient): void {
    if (isReadTimeout(error))
      this.#endUnheard(this.#idle, sentAtMs, new Error('Connection terminated: others are silent'));
  }

  #endUnheard(clients: Iterable<BoundedClient>, sinceMs: number, error: Error): void {
    for (const client of [...clients]) {
      if (client.heardAtMs >= sinceMs) continue;
      this.#forget(client);
      client.giveUp(error);
    }
  }

  #forget(client: BoundedClient): void {
    this.#clients.delete(client);
    this.#idle.delete(client);
  }
}
