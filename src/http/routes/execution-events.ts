// GET /v1/executions/{id}/events: an execution as it goes on, for browsers' EventSource and anything that reads lines.
import { Readable } from 'node:stream';
import { Type } from 'typebox';
import { findTaskEnds, type TaskEnd } from '../../db/executions/execution-events.ts';
import { showLogged } from '../../resources/execution-log.ts';
import { createAuthenticator } from '../caller/authenticate.ts';
import { IdParams } from '../request/id-params.ts';
import type { Api } from '../server/api.ts';
import type { ApiContext } from '../server/api-context.ts';
import { outcomeToHttp } from '../server/outcome.ts';
import { ApiError, badRequest, unavailable } from '../server/problem.ts';
import { END_ID, executionStream } from '../waiting/execution-stream.ts';
import type { ExecutionWatch } from '../waiting/execution-watch.ts';
import type { OpenAnswers } from '../waiting/open-answers.ts';

const PAGE = 100;
/** Of text that waits for its reader. */
const BUFFER_BYTES = 64 * 1024;

export function addExecutionEventRoutes(
  api: Api,
  service: ApiContext,
  watch: ExecutionWatch,
  openAnswers: OpenAnswers,
): void {
  const { database, health, settings } = service;
  const { streamHeartbeatMs: heartbeatMs = 15_000, streamStalledMs: stalledMs = 60_000 } = settings;
  const authenticate = createAuthenticator(service);
  // Readers that stand at the same place share the statement.
  const underWay = new Map<string, Promise<readonly TaskEnd[]>>();

  api.get(
    '/v1/executions/:id/events',
    {
      exposeHeadRoute: false,
      config: { access: 'executions:read', takes: ['Last-Event-ID'] },
      schema: {
        tags: ['executions'],
        operationId: 'followExecution',
        summary: 'Follow an execution (server-sent events)',
        description:
          '`event: task` for each task that ended, with its object as data; `event: execution` with `{ id, status }` at the beginning and whenever the status has changed; ' +
          '`event: end` when it is over and all was sent. Ids of tasks rise, with gaps: send the last one as `Last-Event-ID` (or `?lastEventId`) to go on after it.',
        params: IdParams,
        querystring: Type.Object(
          {
            lastEventId: Type.Optional(
              Type.String({ maxLength: 20, description: 'For clients that cannot set headers.' }),
            ),
          },
          { additionalProperties: false },
        ),
        response: {
          200: {
            description: 'The stream.',
            content: { 'text/event-stream': { schema: Type.String() } },
          },
          204: Type.Unsafe<unknown>({ type: 'null', description: 'Last-Event-ID was that of `end`.' }),
        },
      },
    },
    async (request, reply) => {
      const { acting } = request;
      const { id } = request.params;
      const last = request.headers['last-event-id'] ?? request.query.lastEventId ?? '0';
      if (last !== END_ID && !(typeof last === 'string' && /^\d{1,15}$/.test(last)))
        throw badRequest([
          {
            pointer: '/headers/last-event-id',
            code: 'validation',
            message: 'must be the id of an event of this stream',
          },
        ]);
      outcomeToHttp(await database.withTenant(acting, (client) => showLogged(client, acting, { id })));
      if (last === END_ID) return reply.code(204).send();
      if (health.draining.aborted) throw unavailable('the service is ending');
      const leave = openAnswers.take(acting.tenantId);
      if (leave === null) throw unavailable('too many streams are open here', 'too_many_streams', 5);
      const gone = new AbortController();
      const chunks = executionStream({
        id,
        afterSeq: Number(last),
        watch,
        signal: AbortSignal.any([gone.signal, health.draining]),
        heartbeatMs,
        findEnds: (afterSeq) =>
          shared(`${acting.tenantId} ${id} ${afterSeq}`, () =>
            findTaskEnds(database, acting, id, { afterSeq, limit: PAGE }),
          ),
        isAllowed: () =>
          authenticate(request).then(
            () => true,
            (error: unknown) => !(error instanceof ApiError),
          ),
      });
      const stream = Readable.from(bytesOf(chunks), { objectMode: false, highWaterMark: BUFFER_BYTES });
      // Node ends a connection on which nothing moved for so long, not one that takes a large event slowly.
      reply.raw.setTimeout(stalledMs, () => reply.raw.destroy());
      stream.on('close', leave);
      reply.raw.on('close', () => {
        gone.abort();
        stream.destroy();
      });
      return reply
        .headers({ 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' })
        .send(stream);
    },
  );

  function shared(key: string, find: () => Promise<readonly TaskEnd[]>): Promise<readonly TaskEnd[]> {
    const before = underWay.get(key);
    if (before !== undefined) return before;
    const found = find().finally(() => underWay.delete(key));
    underWay.set(key, found);
    return found;
  }
}

async function* bytesOf(chunks: AsyncGenerator<string>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) yield Buffer.from(chunk);
}
