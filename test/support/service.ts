// The HTTP service in a test: a database of its own, the application without a port, or with one on loopback.
//
//   const service = await openService();
//   const acme = await service.tenant('acme');
//   const { status, body } = await service.call('POST', '/v1/schedules', { key: acme.key, body: { … } });

import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { TaskLog } from '../../src/core/log-lines.ts';
import { type Database, openDatabase } from '../../src/db/connection/connection.ts';
import { insertKey } from '../../src/db/resources/api-keys.ts';
import { insertTenant } from '../../src/db/resources/tenants.ts';
import type { Worker, WorkerOptions } from '../../src/engine/worker/worker.ts';
import { Health } from '../../src/http/process/health.ts';
import { Metrics } from '../../src/http/process/metrics.ts';
import type { Api } from '../../src/http/server/api.ts';
import type { ApiContext, HttpSettings } from '../../src/http/server/api-context.ts';
import { type AppOptions, createApp } from '../../src/http/server/app.ts';
import { InstallationSecrets } from '../../src/tasks/installation-secrets.ts';
import { createRegistry } from '../../src/tasks/registry.ts';
import type { TaskType } from '../../src/tasks/task-type.ts';
import { createSecretBox } from '../../src/triggers/secrets/secret-box.ts';
import { createStarts } from '../../src/triggers/starts/starts.ts';
import { createDatabase } from './database.ts';
import { type Engine, openEngine } from './engine.ts';

/** The operator's key of `withKeys`. */
export const ADMIN_KEY = 'the-operators-key-of-the-tests';

export interface TestServiceOptions extends AppOptions {
  /** A worker in this process. */
  readonly worker?: boolean | Partial<WorkerOptions>;
  readonly moreTypes?: readonly TaskType[];
  /** On a free port of 127.0.0.1. */
  readonly listen?: boolean;
  /** DAGWRIGHT_ADMIN_KEY is {@link ADMIN_KEY}; else open, as tenant `default`. */
  readonly withKeys?: boolean;
  readonly settings?: Partial<HttpSettings>;
  readonly secrets?: InstallationSecrets;
  /** Seals the secrets in the database; a new one where absent. */
  readonly encryptionKey?: Buffer;
  /** How the service reaches the database at this URL. */
  readonly reach?: (url: string) => Database;
}

export interface CallOptions {
  /** As JSON; text and bytes go as they are. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly key?: string;
  /** X-Tenant-Id, with the operator's key. */
  readonly tenantId?: string;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
}

export interface CallAnswer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they expect
  readonly body: any;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

export interface TestService {
  readonly app: Api;
  readonly service: ApiContext;
  /** `http://127.0.0.1:<port>` with `listen`, else without a port that anyone listens on. */
  readonly url: string;
  readonly database: Database;
  readonly engine: Engine | null;
  readonly worker: Worker | null;
  /** Warnings and errors. */
  readonly logged: string[];
  call(method: string, path: string, options?: CallOptions): Promise<CallAnswer>;
  /** A tenant and a key with all scopes, or those given. */
  tenant(
    name: string,
    options?: { tier?: number; scopes?: readonly string[]; roles?: readonly string[]; subject?: string },
  ): Promise<{ id: string; key: string }>;
  query<T = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<T[]>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function openService(options: TestServiceOptions = {}): Promise<TestService> {
  const { worker = false, moreTypes = [], listen = false, withKeys = false } = options;
  const engine =
    worker === false ? null : await openEngine({ moreTypes, ...(worker === true ? {} : worker) });
  const own = engine === null ? await createDatabase() : null;
  const databaseUrl = engine?.database.url ?? own!.url;
  const database = options.reach?.(databaseUrl) ?? openDatabase(databaseUrl, { name: 'dagwright-api' });
  const logged: string[] = [];
  const note = (message: string, fields?: unknown) =>
    void logged.push(`${message} ${JSON.stringify(fields ?? '')}`);
  const log: TaskLog = { debug: () => {}, info: () => {}, warn: note, error: note };
  const health = new Health();
  const metrics = new Metrics({ textFreshMs: 0 });
  metrics.watchDatabase(database, log);
  metrics.watchPools('api', database);
  if (engine !== null) metrics.watchWorker(engine.worker.events);
  const service: ApiContext = {
    database,
    log,
    types: createRegistry(moreTypes),
    rules: new Map(),
    starts: createStarts({ database, log }),
    secretBox: createSecretBox(options.encryptionKey ?? randomBytes(32)),
    secrets: options.secrets ?? new InstallationSecrets(),
    publicUrl: 'http://127.0.0.1:3000',
    settings: {
      adminKey: withKeys ? ADMIN_KEY : undefined,
      rateLimit: 5_000,
      isLoopback: true,
      ...options.settings,
    },
    ...(engine === null
      ? {}
      : {
          onExecutionEnded: (listener) => {
            engine.worker.events.on('executionEnded', listener);
            return () => engine.worker.events.off('executionEnded', listener);
          },
        }),
    health,
    metrics,
  };
  const app = await createApp(service, options);
  if (listen) await app.listen({ host: '127.0.0.1', port: 0 });
  const port = listen ? (app.server.address() as AddressInfo).port : 3000;
  const close = async () => {
    health.drain();
    const closed = app.close();
    // A client may hold a connection that it has asked nothing on, which Node takes for busy: closing would wait for a minute.
    app.server.closeAllConnections();
    await closed;
    await database.close().catch(() => {});
    await engine?.close();
    await own?.drop();
  };
  const query = async <T>(text: string, values: readonly unknown[] = []): Promise<T[]> =>
    (await database.engine.query(text, [...values])).rows;
  return {
    app,
    service,
    url: `http://127.0.0.1:${port}`,
    database,
    engine,
    worker: engine?.worker ?? null,
    logged,
    query,
    call: (method, path, call = {}) => inject(app, method, path, call),
    async tenant(name, { tier = 5, scopes, roles, subject } = {}) {
      const isAll = scopes === undefined && roles === undefined;
      const made = await database.asEngine({ actor: 'test' }, (client) =>
        insertTenant(client, { name, displayName: null, tier, settings: {} }),
      );
      const id = made!.id;
      const wanted = {
        ...{ name, subject: subject ?? null, createdBy: 'test', expiresAt: null },
        roles: roles ?? (isAll ? ['admin'] : []),
        scopes: scopes ?? (isAll ? ['actors:assert'] : []),
      };
      const key = await database.withTenant(id, (client) => insertKey(client, id, wanted));
      return { id, key: key!.key };
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function inject(app: Api, method: string, path: string, call: CallOptions): Promise<CallAnswer> {
  const { body, headers = {}, key, tenantId, query } = call;
  const isRaw = typeof body === 'string' || Buffer.isBuffer(body);
  const response = await app.inject({
    method: method as 'GET',
    url: path,
    query:
      query === undefined
        ? undefined
        : Object.fromEntries(Object.entries(query).map(([k, v]) => [k, String(v)])),
    headers: {
      host: '127.0.0.1:3000',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(tenantId === undefined ? {} : { 'x-tenant-id': tenantId }),
      ...headers,
    },
    payload: body === undefined ? undefined : isRaw ? body : JSON.stringify(body),
  });
  const isJson = String(response.headers['content-type'] ?? '').includes('json');
  return {
    status: response.statusCode,
    body: isJson && response.body !== '' ? JSON.parse(response.body) : response.body,
    headers: response.headers as CallAnswer['headers'],
  };
}
