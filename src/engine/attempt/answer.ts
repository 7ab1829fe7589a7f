// The answers that an attempt waits for: their keys are made with it (a callback's from a one-time token), and what has come is
// looked for when its wait ends.
import { createHash, randomBytes } from 'node:crypto';
import { type TaskError, TerminalError } from '../../core/errors.ts';
import { isJsonObject, type Json, storableText } from '../../core/json.ts';
import { redactJson } from '../../core/redact.ts';
import { untilAnswered } from '../../db/connection/connection.ts';
import {
  type AnswerKind,
  isOverdue,
  loadAnswer,
  openAnswer,
  redactAnswer,
  type StoredAnswer,
} from '../../db/protocol/answers.ts';
import type { Claim } from '../../db/protocol/transitions.ts';
import type { AnswerState, Callback, CallbackLimits } from '../../tasks/task-type.ts';
import type { WorkerContext } from '../context.ts';
import { AttemptAbort } from './abort.ts';

const TOKEN_BYTES = 32;
const CODE = /^[A-Za-z][A-Za-z0-9_.]{0,99}$/;

/** A new token, known to the database when this resolves. Throws `validation` where nobody would find whom to answer. */
export async function openCallbackOf(
  worker: WorkerContext,
  executionId: string,
  claim: Claim,
  limits: CallbackLimits,
): Promise<Callback> {
  const { publicUrl } = worker.outside;
  if (publicUrl === null)
    throw new TerminalError(
      'validation',
      'this worker cannot say where callbacks are sent to: it has no API, and no DAGWRIGHT_PUBLIC_URL',
    );
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  const key = createHash('sha256').update(token).digest();
  const answer = { kind: 'callback', key, ...limits } as const;
  const open = () => openAnswer(worker.pool, executionId, claim, answer);
  if (!(await worker.locked.run(executionId, open))) throw new AttemptAbort('lost');
  return { token, url: `${publicUrl}/v1/callbacks/${token}` };
}

/** What has come for a task that waits for such an answer. */
export async function answerStateOf(
  worker: WorkerContext,
  executionId: string,
  claim: Claim,
  kind: AnswerKind,
): Promise<AnswerState> {
  const found = await loadInTime(worker, executionId, claim, kind);
  if (found === null) return { status: 'open', output: null, error: null, leftMs: 0 };
  const { isCompleted, output, error, leftMs, longNumbers } = await withoutSecrets(
    worker,
    executionId,
    found,
  );
  if (!isCompleted) return { status: 'open', output: null, error: null, leftMs };
  const warning = longNumbers.warning('the answer');
  if (error === null) return { status: 'completed', output, error: null, leftMs, warning };
  return { status: 'failed', output: null, error: sentError(error), leftMs, warning };
}

// What was accepted just before the end of its time may be committed after it was looked for: so that end is told under the lock.
async function loadInTime(
  worker: WorkerContext,
  executionId: string,
  claim: Claim,
  kind: AnswerKind,
): Promise<StoredAnswer | null> {
  const load = () => untilAnswered(() => loadAnswer(worker.pool, executionId, claim, kind));
  const found = await load();
  if (found === null || found.isCompleted || found.leftMs > 0) return found;
  if (await worker.locked.run(executionId, () => isOverdue(worker.pool, executionId, claim, kind)))
    return found;
  const late = await load();
  return late === null ? null : { ...late, leftMs: Math.max(1, late.leftMs) };
}

// Who answers in SQL writes past every filter of ours; what holds a secret is written anew without it.
async function withoutSecrets(
  worker: WorkerContext,
  executionId: string,
  found: StoredAnswer,
): Promise<StoredAnswer> {
  const { redact } = worker.outside;
  const { output, error } = found;
  const clean = { ...found, output: redactJson(output, redact), error: redactJson(error, redact) };
  if (clean.output !== output || clean.error !== error)
    await worker.locked.run(executionId, () => redactAnswer(worker.pool, executionId, clean));
  return clean;
}

// Callers send what they like: a code that is none becomes handler_error, and nothing is lost.
function sentError(error: Json): TaskError {
  const sent = isJsonObject(error) ? error : { message: error };
  const code = typeof sent.code === 'string' && CODE.test(sent.code) ? sent.code : 'handler_error';
  const text = typeof sent.message === 'string' ? sent.message : JSON.stringify(sent.message ?? error);
  return {
    code,
    message: storableText(text),
    ...(sent.details === undefined ? {} : { details: sent.details }),
  };
}
