// Signals: sent by name to an execution, whose tasks wait for them or will. `client` is in a transaction of the tenant's role.
import type pg from 'pg';
import type { Problem } from '../core/errors.ts';
import { type Json, toStorableJson } from '../core/json.ts';
import {
  MAX_DEDUPE_KEY,
  MAX_SIGNAL_BYTES,
  MAX_STORED_SIGNALS,
  SIGNAL_NAME,
  type SignalStatus,
} from '../core/signal.ts';
import type { Acting } from '../db/connection/connection.ts';
import * as rows from '../db/executions/signals.ts';
import { unknownExecution } from './executions.ts';
import { done, invalid, type Outcome, refused, refusedWhole } from './outcome.ts';

export interface GivenSignal {
  readonly id: string;
  readonly name: string;
  readonly payload?: Json | undefined;
  /** The same key of the same sender, for the same execution, sends nothing again. */
  readonly dedupeKey?: string | undefined;
  /** To all that wait for it, not to the oldest alone. */
  readonly broadcast?: boolean | undefined;
}

export interface SentSignal {
  readonly id: string;
  readonly signal: string;
  readonly status: SignalStatus;
}

/** Sends a signal; it counts with the commit of the transaction. */
export async function signalExecution(
  client: pg.ClientBase,
  _acting: Acting,
  { id, name, payload = null, dedupeKey, broadcast = false }: GivenSignal,
): Promise<Outcome<SentSignal>> {
  const judged = toStorableJson(payload, MAX_SIGNAL_BYTES);
  if (!judged.ok) {
    const problem = { pointer: '/payload', code: judged.code, message: `payload ${judged.message}` } as const;
    return judged.code === 'payload_too_large' ? refused(judged.code, problem) : invalid([problem]);
  }
  const problems = [...problemsOfName(name), ...problemsOfKey(dedupeKey)];
  if (problems.length > 0) return invalid(problems);
  const signal = {
    executionId: id,
    name,
    payloadJson: judged.json,
    dedupeKey: dedupeKey ?? null,
    broadcast,
  };
  const status = await rows.sendSignal(client, signal, MAX_SIGNAL_BYTES);
  switch (status) {
    case null:
      return unknownExecution(id);
    case 'ended':
      return refusedWhole('already_ended', 'the execution has ended: nothing of it waits for a signal');
    case 'full':
      return refusedWhole(
        'too_many_signals',
        `the execution keeps ${MAX_STORED_SIGNALS} signals "${name}" that nothing has taken`,
      );
    case 'too_large':
      return refused('payload_too_large', {
        pointer: '/payload',
        code: 'payload_too_large',
        message: `payload is more than ${MAX_SIGNAL_BYTES} bytes of JSON as the database writes it`,
      });
    default:
      return done({ id, signal: name, status });
  }
}

function problemsOfName(name: string): Problem[] {
  if (SIGNAL_NAME.pattern.test(name)) return [];
  const message = `the name of a signal is ${SIGNAL_NAME.expected}`;
  return [{ pointer: '/name', code: 'pattern', message }];
}

function problemsOfKey(key: string | undefined): Problem[] {
  if (key === undefined || (key !== '' && Buffer.byteLength(key) <= MAX_DEDUPE_KEY && !key.includes('\0')))
    return [];
  const message = `dedupeKey has 1 to ${MAX_DEDUPE_KEY} bytes, and no NUL`;
  return [{ pointer: '/dedupeKey', code: 'validation', message }];
}
