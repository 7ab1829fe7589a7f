// Answers from outside to tasks that wait for them (core/wait.ts): who has the key may give one, whatever the tenant, and the
// first counts. A callback's key is the SHA-256 of its token; reviews and signals will have keys of their own.
import { createHash } from 'node:crypto';
import { CALLBACK } from '../core/caller/actor.ts';
import { newId } from '../core/id.ts';
import { type Json, toStorableJson } from '../core/json.ts';
import type { JsonWarning } from '../core/long-numbers.ts';
import type { Operator, Queryable } from '../db/connection/connection.ts';
import { type AnswerStatus, giveAnswer, noteAnswer } from '../db/protocol/answers.ts';
import { done, invalid, notFound, type Outcome, refused, refusedWhole } from './outcome.ts';

/** What an answer may be: exactly one of them. */
export const ANSWER_PARTS = ['output', 'error', 'heartbeat'] as const;
type AnswerPart = (typeof ANSWER_PARTS)[number];

/** An answer that can be given. */
export interface GivenAnswer {
  readonly part: AnswerPart;
  /** As it is stored. */
  readonly json: string;
  /** What was taken otherwise than it was sent: the log of the task says so. */
  readonly warning?: JsonWarning | null;
}

/** Reads an answer. Needs no database. */
export function readAnswer(given: { readonly [Part in AnswerPart]?: unknown }): Outcome<GivenAnswer> {
  const [part, ...others] = ANSWER_PARTS.filter((name) => given[name] !== undefined);
  if (part === undefined || others.length > 0)
    return invalid([
      {
        pointer: '',
        code: 'validation',
        message: 'must have one of output, error and heartbeat',
        hint: '{ "output": … }, { "error": { "code": …, "message": … } } or { "heartbeat": true }',
      },
    ]);
  const stored = toStorableJson(part === 'heartbeat' ? null : (given[part] as Json));
  if (stored.ok) return done({ part, json: stored.json });
  const problem = { pointer: `/${part}`, code: stored.code, message: `${part} ${stored.message}` };
  return stored.code === 'payload_too_large' ? refused(stored.code, problem) : invalid([problem]);
}

/** Answers the call that was made with this callback token, for whoever has it. */
export async function answerCallback(
  db: Queryable,
  from: Omit<Operator, 'actor'>,
  token: string,
  { part, json, warning = null }: GivenAnswer,
): Promise<Outcome<{ readonly status: Exclude<AnswerStatus, 'expired'> }>> {
  const key = createHash('sha256').update(token).digest();
  const status = await giveAnswer(db, { ...from, actor: CALLBACK }, { kind: 'callback', key }, part, json);
  if (status === null) return notFound('callback', 'there is no callback with this token');
  if (status === 'accepted' && warning !== null) await noteAnswer(db, newId(), key, warning);
  if (status !== 'expired') return done({ status });
  return refusedWhole('expired', 'the task that waited for it has ended or timed out');
}
