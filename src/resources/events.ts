// Events of a tenant: emitted, listed, shown. They start the workflows that have a trigger for their type (triggers/events.ts).
// `client` is in a transaction of the tenant's role.

import type pg from 'pg';
import type { ProblemCode } from '../core/codes/code.ts';
import { type Json, toStorableJson } from '../core/json.ts';
import { MAX_EVENT_BYTES } from '../core/trigger/event-type.ts';
import type { BoundedPage } from '../db/connection/byte-bounded.ts';
import type { Acting } from '../db/connection/connection.ts';
import type { EventView } from '../db/triggers/events.ts';
import * as rows from '../db/triggers/events.ts';
import { done, invalid, notFound, type Outcome } from './outcome.ts';

/** Newest first; `before` is the id to go on after. */
export function listEvents(
  client: pg.ClientBase,
  { tenantId }: Acting,
  filter: { readonly limit: number; readonly before: string | null; readonly type?: string | undefined },
): Promise<BoundedPage<EventView>> {
  return rows.findEvents(client, tenantId, filter);
}

export async function showEvent(
  client: pg.ClientBase,
  { tenantId }: Acting,
  id: string,
): Promise<Outcome<EventView>> {
  const found = await rows.findEvent(client, tenantId, id);
  return found === null ? notFound('event', `there is no event ${id}`) : done(found);
}

/** Records an event. After a refusal the transaction is to be rolled back. */
export async function emitEvent(
  client: pg.ClientBase,
  { tenantId }: Acting,
  { type, payload = {} }: { readonly type: string; readonly payload?: Json | undefined },
): Promise<Outcome<EventView>> {
  const judged = toStorableJson(payload);
  if (!judged.ok) return refusePayload(judged.code, `the payload ${judged.message}`);
  const id = await rows.recordEvent(client, { type, payload });
  // The database counts the bytes as it writes JSON: with spaces, and 1e300 with all its digits.
  if (id === null)
    return refusePayload(
      'payload_too_large',
      `the payload is more than ${MAX_EVENT_BYTES} bytes of JSON as the database writes it`,
    );
  return done((await rows.findEvent(client, tenantId, id))!);
}

const refusePayload = (code: ProblemCode, message: string) =>
  invalid([{ pointer: '/payload', code, message }]);
