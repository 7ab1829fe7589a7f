// A connection through a pooler in transaction mode (pgbouncer): each transaction may meet another server session.
//   P1  Nothing of a session is used: no startup options, no named statements; role and settings hold for a transaction.
//   P2  A statement on its own is sent as three messages at once (begin with the settings, the statement, commit) and
//       costs one round trip. It has succeeded when its commit has.
//   P3  A statement whose `begin` failed does nothing: the transaction is aborted, or the connection is gone.
import type pg from 'pg';
import { BoundedClient } from './bounded-client.ts';

type Callback = (error: Error | undefined, result?: unknown) => void;
type Statement = string | (pg.QueryConfig & { readonly callback?: undefined });

/** The class of connections whose every transaction begins with `settings`, statements separated by semicolons. */
export function poolerClient(settings: string): typeof BoundedClient {
  return class PoolerClient extends BoundedClient {
    readonly #begin = `begin; ${settings}`;
    #isWithin = false;

    constructor(config?: string | pg.ClientConfig) {
      super({ ...(config as pg.ClientConfig), pipeline: true });
    }

    override query(...[statement, values, callback]: unknown[]): never {
      const done = [values, callback].find((value) => typeof value === 'function') as Callback | undefined;
      const answer = this.#send(statement as Statement, Array.isArray(values) ? values : undefined);
      if (done === undefined) return answer as never;
      answer.then((result) => done(undefined, result), done);
      return undefined as never;
    }

    async #send(statement: Statement, values: readonly unknown[] | undefined): Promise<unknown> {
      const text = typeof statement === 'string' ? statement : statement.text;
      if (/^begin(;|$)/i.test(text)) {
        this.#isWithin = true;
        return await super.query(`${this.#begin}${text.slice('begin'.length)}`);
      }
      if (/^(commit|rollback)$/i.test(text)) {
        this.#isWithin = false;
        return await super.query(text);
      }
      const unnamed = typeof statement === 'string' ? { text, values } : { ...statement, name: undefined };
      if (this.#isWithin) return await super.query(unnamed);
      const limit = 'query_timeout' in unnamed ? { query_timeout: unnamed.query_timeout } : {};
      const sent: Promise<unknown>[] = [
        super.query({ text: this.#begin, ...limit }),
        super.query(unnamed),
        super.query({ text: 'commit', ...limit }),
      ];
      const [began, answered, committed] = await Promise.allSettled(sent);
      for (const part of [began, answered, committed]) if (part!.status === 'rejected') throw part!.reason;
      return (answered as PromiseFulfilledResult<unknown>).value;
    }
  };
}
