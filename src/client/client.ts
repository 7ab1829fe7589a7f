// `dagwright/client`: the HTTP API, typed by its own description. For browsers too: nothing here is Node's alone.
import createFetchClient, { type Client } from 'openapi-fetch';
import type { components, paths } from './api-description.ts';
import { type EventsOptions, type ExecutionEvent, executionEvents } from './execution-events.ts';
import { dataOf, fetchFrom } from './refusal.ts';

export type { components, operations, paths } from './api-description.ts';
export type { EventsOptions, ExecutionEvent } from './execution-events.ts';
export { ApiError, UnreachableError } from './refusal.ts';

export type Execution = components['schemas']['ExecutionDetail'];
export type ExecutionStatus = components['schemas']['ExecutionStatus'];

export interface ClientOptions {
  /** `http://127.0.0.1:3000`, without `/v1`. */
  readonly url: string;
  /** A key of a tenant, or the operator's; to another machine over https only. None is needed while the service is open. */
  readonly key?: string;
  /** With the operator's key: the tenant's id. */
  readonly tenantId?: string;
  /** In whose name; takes the scope `actors:assert`. */
  readonly actor?: string;
  /** In place of the global one. */
  readonly fetch?: (request: Request) => Promise<Response>;
}

export interface StartOptions {
  /** Makes sending it again safe: within 24 hours the same key and request give the first answer again. */
  readonly idempotencyKey?: string;
  /** 1 to 10, higher first; 5 where absent. */
  readonly priority?: number;
  readonly metadata?: { readonly [name: string]: unknown };
  /** ISO instant. */
  readonly runAt?: string;
  readonly revision?: number;
  readonly signal?: AbortSignal;
}

export interface WaitOptions {
  /** Throws a DOMException `TimeoutError` then; the execution goes on. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export class DagwrightClient {
  /** Every operation: `client.api.GET('/v1/workflows', { params: { query: { limit: 10 } } })`. */
  readonly api: Client<paths>;

  constructor({ url, key, tenantId, actor, fetch }: ClientOptions) {
    const baseUrl = url.replace(/\/+$/, '');
    this.api = createFetchClient<paths>({
      baseUrl,
      headers: {
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(tenantId === undefined ? {} : { 'x-tenant-id': tenantId }),
        ...(actor === undefined ? {} : { 'x-actor': actor }),
      },
      // Asked for at each call: tests and tracing put another in place of the global one.
      fetch: fetchFrom(baseUrl, fetch ?? ((request) => globalThis.fetch(request))),
    });
  }

  /** Once this resolves, the execution is not lost. Throws an ApiError, or an UnreachableError where no answer came. */
  async start(workflowId: string, input: unknown = {}, options: StartOptions = {}): Promise<ExecutionStatus> {
    const { idempotencyKey, signal, ...body } = options;
    const answer = await this.api.POST('/v1/workflows/{workflowId}/executions', {
      params: {
        path: { workflowId },
        header: idempotencyKey === undefined ? {} : { 'Idempotency-Key': idempotencyKey },
      },
      body: { ...body, input },
      ...(signal === undefined ? {} : { signal }),
    });
    const { id, status } = dataOf(answer);
    return { id, status };
  }

  async get(id: string): Promise<Execution> {
    return dataOf(await this.api.GET('/v1/executions/{id}', { params: { path: { id } } }));
  }

  /** The execution when it has ended, however that was. */
  async wait(id: string, { timeoutMs, signal }: WaitOptions = {}): Promise<Execution> {
    const signals = [signal, timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs)];
    const given = signals.filter((one) => one !== undefined);
    for await (const _ of this.events(id, given.length === 0 ? {} : { signal: AbortSignal.any(given) }));
    return await this.get(id);
  }

  /** Nothing of it starts any more. */
  async cancel(id: string, reason?: string): Promise<ExecutionStatus> {
    const answer = await this.api.POST('/v1/executions/{id}/cancel', {
      params: { path: { id } },
      body: reason === undefined ? {} : { reason },
    });
    return dataOf(answer);
  }

  /** Follows an execution to its end; a connection that breaks is opened again, and nothing comes twice. */
  events(id: string, options: EventsOptions = {}): AsyncGenerator<ExecutionEvent, void, void> {
    return executionEvents(this.api, id, options);
  }
}
