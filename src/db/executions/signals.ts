// Signals as they are sent in a tenant's name (functions/protocol/signals.sql); `client` is in a transaction of the tenant's role.
import type pg from 'pg';
import type { SignalStatus } from '../../core/signal.ts';

/** `ended`: the execution has; `full`: it keeps as many of this name as it may; `too_large`: the payload, as the database writes JSON. */
export type SentStatus = SignalStatus | 'ended' | 'full' | 'too_large';

const PROGRAM_LIMIT_EXCEEDED = '54000';

export interface SignalToSend {
  readonly executionId: string;
  readonly name: string;
  readonly payloadJson: string;
  readonly dedupeKey: string | null;
  readonly broadcast: boolean;
}

/** Null where the tenant has no such execution. Where it is `full`, the transaction is to be rolled back. */
export async function sendSignal(
  client: pg.ClientBase,
  { executionId, name, payloadJson, dedupeKey, broadcast }: SignalToSend,
  maxBytes: number,
): Promise<SentStatus | null> {
  try {
    const { rows } = await client.query<{ status: SentStatus | null }>(
      `select case when octet_length($3::jsonb::text) > $6 then 'too_large'
         else dagwright.signal_execution($1, $2, $3::jsonb, $4, $5) end as status`,
      [executionId, name, payloadJson, dedupeKey, broadcast, maxBytes],
    );
    return rows[0]!.status;
  } catch (error) {
    if ((error as { code?: unknown }).code === PROGRAM_LIMIT_EXCEEDED) return 'full';
    throw error;
  }
}
