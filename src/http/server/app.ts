// The HTTP application: plugins, parsers, hooks, and one line for each file of routes. No port: server.ts listens.
import fastifyHelmet from '@fastify/helmet';
import Fastify, { type FastifyReply, type FastifyRequest, type RouteOptions } from 'fastify';
import { newId } from '../../core/id.ts';
import { LongNumbers } from '../../core/long-numbers.ts';
import { keepCool } from '../../tasks/cooling.ts';
import { eventLoop } from '../../tasks/event-loop.ts';
import { addGate } from '../caller/gate.ts';
import { addOpenApi } from '../openapi/openapi.ts';
import { BODY_LIMIT, readBody } from '../request/body.ts';
import { addApiKeyRoutes } from '../routes/api-keys.ts';
import { addAuditRoutes } from '../routes/audit.ts';
import { addCallbackRoutes } from '../routes/callbacks.ts';
import { addEventRoutes } from '../routes/events.ts';
import { addExecutionRoutes } from '../routes/executions.ts';
import { addHookRoutes } from '../routes/hooks.ts';
import { addOperationRoutes } from '../routes/operation.ts';
import { addPricingRoutes } from '../routes/pricing.ts';
import { addReviewLinkRoutes } from '../routes/review-links.ts';
import { addReviewRoutes } from '../routes/reviews.ts';
import { addScheduleTickRoutes } from '../routes/schedule-ticks.ts';
import { addScheduleRoutes } from '../routes/schedules.ts';
import { addServiceLimitRoutes } from '../routes/service-limits.ts';
import { addSignalRoutes } from '../routes/signals.ts';
import { addStatsRoutes } from '../routes/stats.ts';
import { addTenantRoutes } from '../routes/tenants.ts';
import { addVariableRoutes } from '../routes/variables.ts';
import { addWebhookEventRoutes } from '../routes/webhook-events.ts';
import { addWebhookRoutes } from '../routes/webhooks.ts';
import { addWorkflowRevisionRoutes } from '../routes/workflow-revisions.ts';
import { addWorkflowRoutes } from '../routes/workflows.ts';
import { openWaiting } from '../waiting/waiting.ts';
import type { Api } from './api.ts';
import type { ApiContext } from './api-context.ts';
import { answerBrokenRequest } from './broken-request.ts';
import type { Connections } from './connections.ts';
import { createErrorHandler } from './failure.ts';
import { addRouteRules, refuseUnknown } from './routing.ts';

/** Node's own name of its check; seconds in which slow senders are found. */
const CHECK_EVERY_MS = 2_000;
/** After so long without a byte in either direction a connection is ended: streams speak oftener, and no answer takes so long. */
const SILENT_MS = 120_000;
/** Whose bodies have one place in the turns of the event loop together. */
const STRANGERS = 'strangers';
/** nginx's status of a request whose client closed the connection. */
const CLIENT_GONE = 499;

export interface AppOptions {
  /** Only what operators ask for: the server of a worker or scheduler. */
  readonly isOperationOnly?: boolean;
  /** Sees every route as it is added. */
  readonly onRoute?: (route: RouteOptions) => void;
  /** Who may hold a connection; nobody counts them where absent. */
  readonly connections?: Connections;
  /** Routes of a test. */
  readonly addRoutes?: (api: Api) => void;
  /** The clock of rate limits; the process's where absent. */
  readonly nowMs?: () => number;
  /** How long a request may take to arrive, in milliseconds; 30 000 where absent. */
  readonly requestTimeoutMs?: number;
  /** How long its headers may take; 10 000 where absent. */
  readonly headersTimeoutMs?: number;
  /** After how long without a byte a connection is ended; 120 000 where absent. */
  readonly silentMs?: number;
}

/** Makes the application; `listen` and `close` are the caller's. */
export async function createApp(service: ApiContext, options: AppOptions = {}): Promise<Api> {
  const { requestTimeoutMs = 30_000, headersTimeoutMs = 10_000, connections } = options;
  const { isProxy } = service.settings;
  const api: Api = Fastify({
    logger: false,
    bodyLimit: BODY_LIMIT,
    requestTimeout: requestTimeoutMs,
    connectionTimeout: options.silentMs ?? SILENT_MS,
    keepAliveTimeout: 65_000,
    genReqId: () => newId(),
    requestIdHeader: false,
    trustProxy: isProxy ?? false,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: true,
    routerOptions: { maxParamLength: 500, ignoreTrailingSlash: false },
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (error, request, reply) => handleError(error, request, reply),
    http: {
      maxHeaderSize: 16_384,
      headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs),
      connectionsCheckingInterval: Math.min(CHECK_EVERY_MS, requestTimeoutMs, headersTimeoutMs),
    },
  });
  const handleError = createErrorHandler(service.log);
  api.setErrorHandler(handleError);
  api.setSerializerCompiler(() => (body) => JSON.stringify(body));
  api.removeAllContentTypeParsers();
  api.decorateRequest('bodyBytes', 0);
  api.decorateRequest('longNumbers', { getter: () => LongNumbers.NONE });
  api.addContentTypeParser('*', { parseAs: 'buffer' }, async (request: FastifyRequest, bytes: Buffer) => {
    request.bodyBytes = bytes.length;
    // Nothing is read of it here: a delivery must not wait behind all that strangers have sent.
    if (request.routeOptions.config.body === 'raw') return bytes;
    const { principal, ip } = request;
    return await eventLoop.run(
      principal?.tenantId ?? STRANGERS,
      () => readBody(request, bytes),
      principal === null ? ip : '',
    );
  });
  connections?.watch(api.server);
  const stopCooling = keepCool();
  api.addHook('onClose', async () => stopCooling());
  const routes = addRouteRules(api);
  if (options.onRoute !== undefined) api.addHook('onRoute', options.onRoute);
  api.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    reply.header('cache-control', 'no-store');
  });
  api.addHook('onSend', (_request, reply, _payload, done) => {
    if (service.health.draining.aborted) reply.header('connection', 'close');
    done();
  });
  const countRequest = (request: FastifyRequest, reply: FastifyReply, status: number) =>
    service.metrics.requestEnded({
      method: request.method,
      route: request.is404 ? 'unknown' : (request.routeOptions.url ?? 'unknown'),
      status,
      seconds: reply.elapsedTime / 1000,
    });
  api.addHook('onRequest', async (request, reply) => {
    // There is no onResponse for a client that went before its answer, and nothing else tells how impatient they are.
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) countRequest(request, reply, CLIENT_GONE);
    });
  });
  api.addHook('onResponse', async (request, reply) => {
    countRequest(request, reply, reply.statusCode);
    const { config, url = '' } = request.routeOptions;
    if (config.provesItself === true && reply.statusCode < 300)
      connections?.recognise(request.raw.socket, url);
  });
  await api.register(fastifyHelmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
    frameguard: { action: 'deny' },
    hsts: false,
  });
  addGate(api, service, {
    nowMs: options.nowMs,
    onRecognised: (request, { rateKey }) => connections?.recognise(request.raw.socket, rateKey),
  });
  api.setNotFoundHandler(refuseUnknown(routes));
  // Before the routes that it describes.
  if (options.isOperationOnly !== true) await addOpenApi(api, service);
  addOperationRoutes(api, service);
  if (options.isOperationOnly !== true) addResourceRoutes(api, service);
  options.addRoutes?.(api);

  await api.ready();
  return api;
}

function addResourceRoutes(api: Api, service: ApiContext): void {
  const waiting = openWaiting(api, service);
  addWorkflowRoutes(api, service);
  addWorkflowRevisionRoutes(api, service);
  addVariableRoutes(api, service);
  addEventRoutes(api, service);
  addHookRoutes(api, service, waiting);
  addWebhookRoutes(api, service);
  addWebhookEventRoutes(api, service);
  addScheduleRoutes(api, service);
  addScheduleTickRoutes(api, service);
  addTenantRoutes(api, service);
  addApiKeyRoutes(api, service);
  addAuditRoutes(api, service);
  addExecutionRoutes(api, service, waiting);
  addSignalRoutes(api, service);
  addCallbackRoutes(api, service);
  addReviewRoutes(api, service);
  addReviewLinkRoutes(api, service);
  addStatsRoutes(api, service);
  addServiceLimitRoutes(api, service);
  addPricingRoutes(api, service);
}
