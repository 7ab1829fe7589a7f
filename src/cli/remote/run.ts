// dagwright run with --server: the service's workers do the work, this process waits and shows what came of it.

import { setTimeout as delay } from 'node:timers/promises';
import type { ProblemCode } from '../../core/codes/code.ts';
import type { Json } from '../../core/json.ts';
import { type ExecutionStatus, isTerminalExecution } from '../../core/status.ts';
import type { RunView } from '../../db/executions/execution-views.ts';
import { cancelExecution, showRun } from '../../resources/executions.ts';
import { at } from '../at.ts';
import type { CommandContext } from '../context.ts';
import { abortOnSignal } from '../io.ts';
import { executionSummary, taskTable } from '../output/task-table.ts';
import { outcomeToRefusal, Refusal, refuse } from '../refusal.ts';
import { bodyOrRefuse, type RemoteService } from './service.ts';

const POLL_MS = 500;
/** For so long it need not answer. */
const PATIENCE_MS = 60_000;
/** Codes of a service, or of what stands before it, that will answer again. */
const PASSING: ReadonlySet<ProblemCode> = new Set<ProblemCode>([
  ...(['unreachable', 'unexpected', 'rate_limited'] as const),
  // Its 503s (http/server/failure.ts).
  ...(['unavailable', 'busy', 'draining', 'database_unavailable', 'too_slow'] as const),
]);

export interface RemoteRun {
  readonly workflowId: string;
  readonly input: Json;
  readonly priority?: number | undefined;
  readonly idempotencyKey?: string | undefined;
}

/** Starts it, and shows it when it has ended. Ctrl-C cancels it. */
export async function runRemotely(
  context: CommandContext,
  service: RemoteService,
  { workflowId, input, priority, idempotencyKey }: RemoteRun,
): Promise<number> {
  const started = await service.ask({
    method: 'POST',
    path: `/v1/workflows/${encodeURIComponent(workflowId)}/executions`,
    body: { input, ...(priority === undefined ? {} : { priority }) },
    headers: idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey },
  });
  const { id } = bodyOrRefuse(started) as { readonly id: string };
  context.note(`execution ${id}`);
  const { stop, done } = abortOnSignal(context.io);
  try {
    await untilEnded(service, id, stop.signal);
    if (stop.signal.aborted)
      await context.withTenant(async (client, acting) => {
        const cancelled = await at(cancelExecution)(client, acting, { id, reason: 'interrupted' });
        if (!cancelled.ok && cancelled.code !== 'already_ended') outcomeToRefusal(cancelled);
      });
  } finally {
    done();
  }
  const run = await patiently(id, () =>
    context.withTenant(async (client, acting) => outcomeToRefusal(await at(showRun)(client, acting, id)).run),
  );
  return tell(context, run);
}

async function untilEnded(service: RemoteService, id: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const status = await patiently(id, () => readStatus(service, id), signal);
    if (status === null || isTerminalExecution(status)) return;
    await delay(POLL_MS, undefined, { signal }).catch(() => {});
  }
}

async function readStatus(service: RemoteService, id: string): Promise<ExecutionStatus> {
  const answer = await service.ask({ method: 'GET', path: `/v1/executions/${id}` });
  return (bodyOrRefuse(answer) as { readonly status: ExecutionStatus }).status;
}

// It may not answer for a while, as while it is deployed anew; what it refuses otherwise is told. Null: the signal came.
async function patiently<T>(id: string, ask: () => Promise<T>): Promise<T>;
async function patiently<T>(id: string, ask: () => Promise<T>, signal: AbortSignal): Promise<T | null>;
async function patiently<T>(id: string, ask: () => Promise<T>, signal?: AbortSignal): Promise<T | null> {
  const sinceMs = performance.now();
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof Refusal && error.problems.some(({ code }) => PASSING.has(code)))) throw error;
      if (performance.now() - sinceMs > PATIENCE_MS)
        throw refuse(
          'unreachable',
          `the service has not answered for a minute; execution ${id} goes on there`,
          `dagwright executions show ${id}`,
        );
    }
    await delay(POLL_MS, undefined, signal === undefined ? {} : { signal }).catch(() => {});
    if (signal?.aborted === true) return null;
  }
}

function tell(context: CommandContext, run: RunView): number {
  context.say(`${taskTable(run.tasks, context.paint, 200)}\n\n${executionSummary(run, context.paint)}`);
  context.printJson(run);
  return run.status === 'completed' ? 0 : 1;
}
