// Counts the statements that this process sends through the engine's `pg`, and how long each took: round trip, execution
// and commit together. For the profile only; a contender with a `pg` of its own (DBOS) is not seen.
import { createRequire } from 'node:module';
import type pg from 'pg';

export interface StatementCount {
  /** Its name where it is prepared, else the beginning of its text. */
  readonly statement: string;
  readonly calls: number;
  readonly ms: number;
}

export interface StatementCounter {
  reset(): void;
  read(): StatementCount[];
  stop(): void;
}

type Query = (this: pg.Client, ...args: unknown[]) => unknown;

export function countStatements(): StatementCounter {
  // bench/ may have a second copy of pg beside its peers: the one that counts is the engine's.
  const require = createRequire(new URL('../package.json', import.meta.url));
  const { prototype } = (require('pg') as typeof pg).Client;
  const original = prototype.query as unknown as Query;
  const counts = new Map<string, { calls: number; ms: number }>();

  const query: Query = function (...args) {
    const statement = nameOf(args[0]);
    const startedAt = performance.now();
    const note = () => {
      const count = counts.get(statement) ?? { calls: 0, ms: 0 };
      counts.set(statement, { calls: count.calls + 1, ms: count.ms + performance.now() - startedAt });
    };
    const callback = args.at(-1);
    if (typeof callback !== 'function') {
      const result = original.apply(this, args);
      if (result instanceof Promise) void result.then(note, note);
      return result;
    }
    return original.apply(this, [
      ...args.slice(0, -1),
      (...answer: unknown[]) => {
        note();
        callback(...answer);
      },
    ]);
  };
  Object.assign(prototype, { query });
  return {
    reset: () => counts.clear(),
    read: () => [...counts].map(([statement, count]) => ({ statement, ...count })),
    stop: () => void Object.assign(prototype, { query: original }),
  };
}

function nameOf(query: unknown): string {
  const { name, text } = typeof query === 'string' ? { text: query } : (query as pg.QueryConfig);
  return name ?? text.replaceAll(/\s+/g, ' ').trim().slice(0, 60);
}
