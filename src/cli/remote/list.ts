// Pages of the API as the command line has them: rows, whether there are more, and keys in place of opaque cursors.
import { cursorAt, keyOfCursor } from '../../http/request/page.ts';
import type { Outcome } from '../../resources/outcome.ts';
import type { Answer, RemoteRequest } from './service.ts';
import { bodyOrRefuse } from './service.ts';

export type Ask = (request: RemoteRequest) => Promise<Outcome<Answer>>;

/** A list: which query its filter becomes. `keyField`: what of an item its cursor names, where the API shows no such member. */
export interface ListRoute {
  readonly path: string;
  readonly query: RemoteRequest['query'];
  /** The key after which it goes on; null: from its beginning. */
  readonly after: string | null;
  readonly keyField?: string;
}

interface ApiPage {
  readonly items: readonly Readonly<Record<string, unknown>>[];
  readonly nextCursor: string | null;
}

/** One page. A key becomes a cursor by the first of the list, which names the list and the tenant. */
export async function readPage(
  ask: Ask,
  { path, query = {}, after, keyField }: ListRoute,
): Promise<Outcome<{ readonly rows: readonly unknown[]; readonly hasMore: boolean }>> {
  const read = async (more: RemoteRequest['query']) =>
    await ask({ method: 'GET', path, query: { ...query, ...more } });
  let cursor: string | undefined;
  if (after !== null) {
    const first = await read({ limit: 1 });
    if (!first.ok) return first;
    const { nextCursor } = first.value.body as ApiPage;
    // One item at most: nothing comes after it.
    if (nextCursor === null) return { ok: true, value: { rows: [], hasMore: false } };
    cursor = cursorAt(nextCursor, after);
  }
  const answer = await read({ cursor });
  if (!answer.ok) return answer;
  const { items, nextCursor } = answer.value.body as ApiPage;
  const key = nextCursor === null ? '' : keyOfCursor(nextCursor);
  const rows = keyField === undefined ? items : items.map((item) => ({ ...item, [keyField]: key }));
  return { ok: true, value: { rows, hasMore: nextCursor !== null } };
}

/** All items of a list that is bounded by what it is about. */
export async function readWhole(ask: Ask, path: string): Promise<readonly unknown[]> {
  const items: unknown[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const answer = await ask({ method: 'GET', path, query: { limit: 100, cursor } });
    const page = bodyOrRefuse(answer) as ApiPage;
    items.push(...page.items);
    cursor = page.nextCursor;
  }
  return items;
}
