// POST /v1/workflows/{workflowId}/executions: starts, once per Idempotency-Key, and waits for the end where that is asked for.
import { createHash } from 'node:crypto';
import { type Static, type TOptional, type TUnknown, Type } from 'typebox';
import { canonicalJson, type Json } from '../../core/json.ts';
import { REFUSED_START_FIELDS, type RefusedStartField, refusedInStart } from '../../core/not-supported.ts';
import { isTerminalExecution } from '../../core/status.ts';
import { MAX_PAGE_BYTES } from '../../db/connection/byte-bounded.ts';
import { isConnectionLoss, isRetryable } from '../../db/connection/connection.ts';
import { findRun, type RunView } from '../../db/executions/execution-views.ts';
import { isAtLimit, LIMIT_RETRY_SECONDS } from '../../triggers/starts/start-check.ts';
import type { StartRefusal, StartResult, Starts } from '../../triggers/starts/starts.ts';
import { readInstant } from '../request/instant.ts';
import { readKey } from '../request/once.ts';
import { RunSchema, StartedSchema } from '../schemas/executions.ts';
import type { Api } from '../server/api.ts';
import type { ApiContext } from '../server/api-context.ts';
import { ApiError, unprocessable } from '../server/problem.ts';
import type { ExecutionWatch } from '../waiting/execution-watch.ts';
import type { OpenAnswers } from '../waiting/open-answers.ts';

const MAX_WAIT_SECONDS = 60;

const refusedFields = Object.fromEntries(
  REFUSED_START_FIELDS.map((field) => [
    field,
    Type.Optional(Type.Unknown({ description: 'Not supported yet: refused.' })),
  ]),
) as Record<RefusedStartField, TOptional<TUnknown>>;

const StartBody = Type.Object(
  {
    input: Type.Optional(
      Type.Unknown({
        description:
          "The execution's input, at most 1 MB. `defaultParameters` fill it before it is checked against `inputSchema`. Default `{}`.",
      }),
    ),
    priority: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 10, description: 'Higher goes first; 5 where absent.' }),
    ),
    runAt: Type.Optional(
      Type.String({
        maxLength: 40,
        description: 'Not opened before this instant; one that is past means at once.',
        examples: ['2030-01-31T09:00:00Z'],
      }),
    ),
    revision: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 2_147_483_647,
        description: 'Absent: the one that starts take now.',
      }),
    ),
    metadata: Type.Optional(
      Type.Object(
        {},
        {
          additionalProperties: true,
          description: 'Yours to find it by (`?metadata=`); at most 16 KB.',
          examples: [{ order: 'A-17' }],
        },
      ),
    ),
    ...refusedFields,
  },
  { additionalProperties: false },
);

export function addExecutionStartRoutes(
  api: Api,
  service: ApiContext,
  watch: ExecutionWatch,
  openAnswers: OpenAnswers,
): void {
  const { database, starts, health } = service;
  api.post(
    '/v1/workflows/:workflowId/executions',
    {
      config: { access: ['workflows:write', 'executions:write'], gives: ['Location'] },
      schema: {
        tags: ['executions'],
        operationId: 'startExecution',
        summary: 'Start a workflow',
        description:
          'Answers 201 once the start is committed: from then on it is not lost. With `Idempotency-Key` the same request may be sent again and starts once. ' +
          'With `?wait=30` the answer waits up to so many seconds for the end: 201 with the finished execution, else 202, also where its output or those of its tasks are more than 8 MB; a client that goes away stops nothing.',
        params: Type.Object({ workflowId: Type.String({ maxLength: 100 }) }),
        querystring: Type.Object(
          {
            wait: Type.Optional(
              Type.Integer({
                minimum: 0,
                maximum: MAX_WAIT_SECONDS,
                description: 'Seconds.',
                examples: [30],
              }),
            ),
          },
          { additionalProperties: false },
        ),
        body: StartBody,
        response: { 201: Type.Unsafe<unknown>(Type.Union([StartedSchema, RunSchema])), 202: StartedSchema },
      },
    },
    async (request, reply) => {
      const { acting } = request;
      const { workflowId } = request.params;
      const result = await starts.start(acting, readStart(workflowId, request.body, readKey(request)));
      if (!result.ok) throw refusalOf(result);
      const { id, existing } = result;
      // It is stored: who waits for the end keeps nothing of it in memory.
      (request as { body: unknown }).body = undefined;
      reply.header('location', `/v1/executions/${id}`);
      if (existing) reply.header('idempotency-replayed', 'true');
      const { wait = 0 } = request.query;
      if (wait === 0) return reply.code(201).send({ id, status: 'pending' });
      // Started it is; where too many wait already, this one comes back for the rest.
      const giveBack = openAnswers.take(acting.tenantId, request.bodyBytes);
      if (giveBack === null) return reply.code(202).send({ id, status: 'pending' });

      const gone = new AbortController();
      const leave = () => gone.abort();
      reply.raw.on('close', leave);
      // It may have gone while the start was recorded.
      if (request.raw.socket.destroyed) leave();
      const signal = AbortSignal.any([gone.signal, health.draining]);
      try {
        const seen = await watch.untilTerminal(id, { timeoutMs: wait * 1000, signal });
        const isOver = seen === 'ended' || (seen && isTerminalExecution(seen.status));
        const run =
          isOver && !gone.signal.aborted
            ? await ended(() =>
                database.withTenant(acting, (client) => findRun(client, acting.tenantId, id, MAX_PAGE_BYTES)),
              )
            : null;
        if (run !== null) return reply.code(201).send(run);
        const state = seen === 'ended' ? await watch.look(id) : seen;
        return reply
          .code(202)
          .send({ id, status: state?.status ?? (seen === 'ended' ? 'running' : 'pending') });
      } finally {
        giveBack();
        reply.raw.off('close', leave);
      }
    },
  );
}

/** `key`: of the request, null where it has none. */
function readStart(
  workflowId: string,
  given: Static<typeof StartBody>,
  key: string | null,
): Parameters<Starts['start']>[1] {
  const { runAt, ...body } = given;
  const refused = refusedInStart(body);
  if (refused.length > 0) throw unprocessable(refused);
  return {
    ...(body as typeof body & { input?: Json; metadata?: Json }),
    workflowId,
    triggerType: 'api',
    ...(runAt === undefined ? {} : { runAt: readRunAt(runAt) }),
    ...(key === null
      ? {}
      : {
          idempotencyKey: key,
          scope: `http:${workflowId}`,
          requestHash: createHash('sha256').update(canonicalJson(given)).digest('hex'),
        }),
  };
}

function readRunAt(text: string): string {
  const instant = readInstant(text);
  if (instant !== null) return instant;
  throw unprocessable([
    {
      pointer: '/runAt',
      code: 'validation',
      message: 'must be an ISO 8601 instant with its offset',
      hint: '2030-01-31T09:00:00Z',
    },
  ]);
}

// The start is committed: that its end cannot be read now makes it no failure.
async function ended(read: () => Promise<RunView | null>): Promise<RunView | null> {
  try {
    return await read();
  } catch (error) {
    if (isConnectionLoss(error) || isRetryable(error)) return null;
    throw error;
  }
}

const STATUS_OF: Readonly<Record<StartRefusal, number>> = {
  not_found: 404,
  not_active: 409,
  tenant_suspended: 403,
  tier_too_low: 403,
  key_reused: 409,
  too_many_starts: 429,
  too_many_waiting: 429,
  validation: 422,
  payload_too_large: 413,
};

/** A refused start as an answer. */
export function refusalOf(refused: Extract<StartResult, { ok: false }>): ApiError {
  const { code, problems } = refused;
  if (code === 'validation') return unprocessable(problems);
  const headers: Record<string, string> = isAtLimit(code)
    ? { 'retry-after': String(LIMIT_RETRY_SECONDS) }
    : {};
  return new ApiError(STATUS_OF[code], code, problems[0]?.message ?? code, { errors: problems, headers });
}
