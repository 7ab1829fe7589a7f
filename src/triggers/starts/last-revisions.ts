// The revision that starts of a workflow take. The one that a start took last is remembered, as a guess that the start itself
// judges (StartRequest.latest): no look-up of its own, and no answer by what was replaced meanwhile.
import { LRUCache } from 'lru-cache';
import type { Queryable } from '../../db/connection/connection.ts';
import { findStartable, type StartableVersion } from '../../db/triggers/startable.ts';

const MAX_REMEMBERED = 10_000;

interface Wanted {
  readonly workflowId: string;
  readonly revision?: number | undefined;
}

export interface FoundRevisions {
  /** In the order that was asked; null: there is no such workflow or revision. */
  readonly versions: readonly (StartableVersion | null)[];
  /** Places of those that are only remembered. */
  readonly guessed: ReadonlySet<number>;
}

export class LastRevisions {
  readonly #remembered = new LRUCache<string, StartableVersion>({ max: MAX_REMEMBERED });

  async find(
    db: Queryable,
    tenantId: string,
    wanted: readonly Wanted[],
    limitMs: number,
  ): Promise<FoundRevisions> {
    const known = wanted.map((one) =>
      one.revision === undefined ? this.#remembered.get(keyOf(tenantId, one)) : undefined,
    );
    const unknown = wanted.filter((_, i) => known[i] === undefined);
    const found = unknown.length === 0 ? [] : await findStartable(db, tenantId, unknown, limitMs);
    for (const [k, one] of unknown.entries()) {
      const version = found[k] ?? null;
      if (version !== null && one.revision === undefined) this.#remembered.set(keyOf(tenantId, one), version);
    }
    let next = 0;
    return {
      versions: known.map((version) => version ?? found[next++] ?? null),
      guessed: new Set(known.flatMap((version, i) => (version === undefined ? [] : [i]))),
    };
  }

  /** It was replaced. */
  forget(tenantId: string, wanted: Wanted): void {
    this.#remembered.delete(keyOf(tenantId, wanted));
  }
}

const keyOf = (tenantId: string, { workflowId }: Wanted) => `${tenantId} ${workflowId}`;
