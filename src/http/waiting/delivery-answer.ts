// The answer that a webhook's owner wants for its sender: made at once, or when the execution that the delivery started has ended.
//   D1  The event and its execution are committed before anything is waited for: whoever goes away stops nothing, and a repetition of
//       the delivery waits for the same execution.
//   D2  Null, where the sender is told what it is told without `respond`: the time is over, the execution has been lost from sight, too
//       many wait, or the answer cannot be made of what there is (that is logged).
import { compileOnce } from '../../core/expression/compile-once.ts';
import { isTerminalExecution } from '../../core/status.ts';
import { MAX_PAGE_BYTES } from '../../db/connection/byte-bounded.ts';
import { isConnectionLoss, isRetryable, type Operator } from '../../db/connection/connection.ts';
import { findRun } from '../../db/executions/execution-views.ts';
import { eventLoop } from '../../tasks/event-loop.ts';
import {
  type AnsweredExecution,
  compileRespond,
  type WebhookAnswer,
} from '../../triggers/webhooks/event/respond.ts';
import type { Receipt } from '../../triggers/webhooks/receive.ts';
import type { ApiContext } from '../server/api-context.ts';
import type { Waiting } from './waiting.ts';

const respondOf = compileOnce(compileRespond);

type Stored = Extract<Receipt, { kind: 'stored' }>;

/** `gone`: aborted when the sender goes away; `bodyBytes`: of the delivery, which is kept until it is answered. */
export async function answerOfDelivery(
  service: ApiContext,
  { watch, openAnswers }: Waiting,
  { asked, executionId, status }: Stored,
  { gone, bodyBytes }: { readonly gone: AbortSignal; readonly bodyBytes: number },
): Promise<WebhookAnswer | null> {
  if (asked === undefined || executionId === null || status !== 'processed') return null;
  const { respond, tenantId, webhookId, event } = asked;
  const compiled = await eventLoop.run(tenantId, () => respondOf(respond));
  if (!compiled.ok) return null;
  const make = async (execution: AnsweredExecution): Promise<WebhookAnswer | null> => {
    try {
      return await eventLoop.run(tenantId, () => compiled.value(event, execution));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      service.log.warn('the answer to a delivery could not be made', { webhookId, executionId, reason });
      return null;
    }
  };
  if (respond.when === 'received')
    return await make({ id: executionId, status: 'pending', output: null, error: null });
  const giveBack = openAnswers.take(tenantId, bodyBytes);
  if (giveBack === null) return null;
  try {
    const signal = AbortSignal.any([gone, service.health.draining]);
    const timeoutMs = respond.withinSeconds * 1000;
    const seen = await watch.untilTerminal(executionId, { timeoutMs, signal });
    const hasEnded =
      seen === 'ended' || (seen !== undefined && seen !== null && isTerminalExecution(seen.status));
    if (!hasEnded || gone.aborted) return null;
    const execution = await readEnd(service, { tenantId, actor: `webhook:${webhookId}` }, executionId);
    return execution === null ? null : await make(execution);
  } finally {
    giveBack();
  }
}

async function readEnd(
  { database }: ApiContext,
  acting: Operator & { readonly tenantId: string },
  id: string,
): Promise<AnsweredExecution | null> {
  try {
    const run = await database.withTenant(acting, (client) =>
      findRun(client, acting.tenantId, id, MAX_PAGE_BYTES),
    );
    if (run === null) return null;
    const { status, output, error } = run;
    return { id, status, output: output ?? null, error: (error ?? null) as AnsweredExecution['error'] };
  } catch (error) {
    if (isConnectionLoss(error) || isRetryable(error)) return null;
    throw error;
  }
}
