// Pages of a list, newest first: `?limit` and an opaque `?cursor`, which names the list, the tenant and the last id seen.
// What is added meanwhile comes before the first page and moves nothing.
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { isStorableText } from '../../core/json.ts';
import type { BoundedPage } from '../../db/connection/byte-bounded.ts';
import { PAGE_LIMIT } from '../../resources/list-limits.ts';
import { ApiError } from '../server/problem.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Members of a query: `Type.Object({ ...PageQuery, status: … }, { additionalProperties: false })`. */
export const PageQuery = {
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: PAGE_LIMIT.max,
      default: PAGE_LIMIT.default,
      description: 'How many at most.',
    }),
  ),
  cursor: Type.Optional(
    Type.String({ maxLength: 1000, description: '`nextCursor` of the page before; absent: the newest.' }),
  ),
};

export interface PageRequest {
  readonly limit: number;
  /** Rows strictly older than this key; null: from the newest on. */
  readonly before: string | null;
}

/** A page as it is answered. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Null: there are no more. */
  readonly nextCursor: string | null;
}

/** `kind` names the list, such as `schedules` or `ticks:<scheduleId>`. Keys are UUIDs, or `text`. */
export function readPage(
  request: FastifyRequest,
  kind: string,
  { key = 'uuid' }: { readonly key?: 'uuid' | 'text' } = {},
): PageRequest {
  const { limit = PAGE_LIMIT.default, cursor } = request.query as { limit?: number; cursor?: string };
  if (cursor === undefined) return { limit, before: null };
  const before = readCursor(cursor, kind, request.principal?.tenantId ?? null);
  if (before === null || !(key === 'text' ? isStorableText(before) : UUID.test(before)))
    throw new ApiError(400, 'invalid_cursor', 'this cursor is not of this list', {
      errors: [
        { pointer: '/query/cursor', code: 'invalid_cursor', message: 'this cursor is not of this list' },
      ],
    });
  return { limit, before };
}

/** `rows`: limit + 1 of them, if there are so many. `tenantId`: null for lists of the installation. */
export function pageOf<T>(
  kind: string,
  tenantId: string | null,
  rows: readonly T[],
  limit: number,
  keyOf: (row: T) => string,
): Page<T> {
  const page = { rows: rows.slice(0, limit), hasMore: rows.length > limit };
  return pageOfBounded(kind, tenantId, page, keyOf);
}

/** The same from a page that ended where it was large enough. */
export function pageOfBounded<T>(
  kind: string,
  tenantId: string | null,
  { rows, hasMore }: BoundedPage<T>,
  keyOf: (row: T) => string,
): Page<T> {
  const last = rows.at(-1);
  return pageUpTo(kind, tenantId, rows, hasMore && last !== undefined ? keyOf(last) : null);
}

/** A page that ends at a key; null: there are no more. */
export function pageUpTo<T>(
  kind: string,
  tenantId: string | null,
  items: readonly T[],
  key: string | null,
): Page<T> {
  return { items, nextCursor: key === null ? null : writeCursor(kind, tenantId, key) };
}

/** The key that a cursor of any list ends at: what the command line shows of it. */
export function keyOfCursor(cursor: string): string {
  return String((JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[])[2]);
}

/** A cursor of the same list that ends at another key. */
export function cursorAt(cursor: string, key: string): string {
  const [kind, tenantId] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as string[];
  return writeCursor(kind!, tenantId!, key);
}

function writeCursor(kind: string, tenantId: string | null, key: string): string {
  return Buffer.from(JSON.stringify([kind, tenantId ?? '', key])).toString('base64url');
}

function readCursor(cursor: string, kind: string, tenantId: string | null): string | null {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (!Array.isArray(parts) || parts.length !== 3) return null;
    if (parts[0] !== kind || parts[1] !== (tenantId ?? '')) return null;
    return typeof parts[2] === 'string' && parts[2] !== '' ? parts[2] : null;
  } catch {
    return null;
  }
}
