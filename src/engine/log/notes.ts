// What the engine has to say in an execution's own log: what its users would otherwise have to ask operators for. What ends
// or takes over executions in the database writes its lines there (functions/protocol/end-execution.sql, take-over.sql).
import type { AttemptEnd } from '../../core/attempt-end.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Claim } from '../../db/protocol/transitions.ts';
import type { Work } from '../attempt/work.ts';
import type { WorkerContext } from '../context.ts';
import type { ExecutionLog } from './execution-log.ts';
import type { LogSubject } from './log-text.ts';

/** An attempt failed and that is recorded. To operators it is no trouble of the worker, so the process's log has it as info. */
export function noteFailure(
  worker: WorkerContext,
  { memory, claim }: Work,
  end: Extract<AttemptEnd, { kind: 'failed' | 'retrying' }>,
): void {
  const retryInMs = end.kind === 'retrying' ? end.retryInMs : null;
  const subject = subjectOf(memory.row.id, claim);
  const { code, message, status } = end.error;
  const fields: JsonObject = {
    code,
    ...(status === undefined ? {} : { status }),
    ...(retryInMs === null ? {} : { retryInMs }),
    ...end.place,
  };
  const text =
    retryInMs === null
      ? `the task failed: ${code}: ${message}`
      : `attempt ${claim.attempt} failed and will be retried: ${code}: ${message}`;
  worker.executionLog.note(subject, retryInMs === null ? 'error' : 'warn', text, fields);
  worker.log.info(retryInMs === null ? 'a task failed' : 'an attempt failed', {
    ...subject,
    mapIndex: subject.mapIndex ?? null,
    tenantId: memory.row.tenantId,
    workerId: worker.id,
    ...fields,
    error: message,
  } as JsonObject);
}

/** A result came from a worker that had been taken for dead, or otherwise too late; another attempt has the task. */
export function noteStaleWrite(log: ExecutionLog, executionId: string, claim: Claim): void {
  log.note(
    subjectOf(executionId, claim),
    'warn',
    'a stale result was refused: another attempt has this task by now',
    { fence: claim.fence },
  );
}

function subjectOf(executionId: string, { taskId, mapIndex, attempt }: Claim): LogSubject {
  return { executionId, taskId, mapIndex: mapIndex < 0 ? null : mapIndex, attempt };
}
