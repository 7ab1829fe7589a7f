// The HTTP service of this process. Loaded only where there is one: a worker does without its memory.
import { EventEmitter } from 'node:events';
import { type Database, openDatabase } from '../db/connection/connection.ts';
import { findSealingKeys } from '../db/operations/doctor-secrets.ts';
import type { Worker } from '../engine/worker/worker.ts';
import { Health } from '../http/process/health.ts';
import { Metrics } from '../http/process/metrics.ts';
import type { ApiContext } from '../http/server/api-context.ts';
import { ListenError, Server } from '../http/server/server.ts';
import { hasKeys } from '../resources/api-keys.ts';
import { InstallationSecrets } from '../tasks/installation-secrets.ts';
import type { Scheduler } from '../triggers/scheduler.ts';
import { createSecretBox } from '../triggers/secrets/secret-box.ts';
import { createStarts } from '../triggers/starts/starts.ts';
import { SenderCertificates } from '../triggers/webhooks/certificates.ts';
import { createFetchOutside } from './fetch-outside.ts';
import { refuse } from './refusal.ts';
import { isLoopback } from './settings/http-settings.ts';
import type { System } from './system.ts';

export interface HttpService {
  /** Where it listens. */
  readonly url: string;
  watchWorker(worker: Worker, database: Database): void;
  watchScheduler(scheduler: Scheduler): void;
  /** Drains and ends within the grace period. */
  stop(graceMs: number): Promise<void>;
}

/**
 * Opens it on HOST:PORT, and what operators ask for on DAGWRIGHT_METRICS_PORT besides. `isOperationOnly`: there is no API, so
 * just /healthz, /readyz and /metrics, and on PORT only where that was given. Throws a Refusal where everybody could call
 * it without a key, or the port cannot be had.
 */
export async function openHttpService(
  system: System,
  options: { readonly isOperationOnly: boolean },
): Promise<HttpService> {
  const { config, log } = system;
  const { host, port, adminKey, rateLimit, encryptionKeys, isProxy, isPortGiven, metricsPort } = config.http;
  if (!options.isOperationOnly && !isLoopback(host) && adminKey === undefined) await refuseOpen(system, host);
  const { isOperationOnly } = options;
  const database = openDatabase(system.database.url, {
    name: 'dagwright api',
    directUrl: system.database.directUrl,
    forRequests: true,
    ...(isOperationOnly ? { max: 2, tenantMax: 1 } : { max: 6, tenantMax: 8 }),
  });
  const health = new Health();
  const metrics = new Metrics();
  metrics.watchDatabase(database, log);
  metrics.watchPools('api', database);
  const fetchOutside = createFetchOutside(config.outside);
  let worker: Worker | null = null;
  const ended = new EventEmitter<{ executionEnded: [id: string] }>();
  const service: ApiContext = {
    database,
    log,
    types: system.types,
    rules: system.rules,
    starts: createStarts({ database, log, opener: () => worker?.opener ?? null }),
    secretBox: createSecretBox(encryptionKeys),
    secrets: config.outside.secrets ?? new InstallationSecrets(),
    fetchStatus: async (url) => (await fetchOutside(url)).status,
    certificates: new SenderCertificates(fetchOutside, log),
    publicUrl: (config.outside.publicUrl ?? `http://${host}:${port}`).replace(/\/+$/, ''),
    settings: { adminKey, rateLimit, isLoopback: isLoopback(host), isProxy },
    onExecutionEnded: (listener) => {
      ended.on('executionEnded', listener);
      return () => ended.off('executionEnded', listener);
    },
    health,
    metrics,
  };
  const servers: Server[] = [];
  const listen = async (name: string, at: number, forOperation: boolean): Promise<string> => {
    const server = await Server.create(service, { isOperationOnly: forOperation });
    try {
      const url = await server.listen(host, at);
      servers.push(server);
      return url;
    } catch (error) {
      if (!(error instanceof ListenError)) throw error;
      throw refuse('listen', error.message, error.hint.replace('PORT=', `${name}=`), name);
    }
  };
  const stop = async (graceMs: number) => {
    await Promise.all(servers.map((server) => server.stop(graceMs)));
    await database.close();
  };
  try {
    if (!isOperationOnly) await tellOfSecrets(service);
    const operationUrl =
      metricsPort === undefined ? null : await listen('DAGWRIGHT_METRICS_PORT', metricsPort, true);
    if (operationUrl !== null) log.info('health and metrics listen', { url: operationUrl });
    const hasMain = !isOperationOnly || isPortGiven || operationUrl === null;
    const url = hasMain ? await listen('PORT', port, isOperationOnly) : operationUrl;
    if (hasMain) log.info('HTTP listens', { url });
    return {
      url,
      watchWorker(started, workersDatabase) {
        worker = started;
        health.add({ name: 'worker', problem: () => started.stalled });
        metrics.watchWorker(started.events);
        started.events.on('executionEnded', (id) => ended.emit('executionEnded', id));
        metrics.watchPools('worker', workersDatabase);
      },
      watchScheduler(scheduler) {
        health.add({
          name: 'scheduler',
          problem: () => (scheduler.isProgressing() ? null : 'its passes stand still'),
        });
      },
      stop,
    };
  } catch (error) {
    await stop(0);
    throw error;
  }
}

async function tellOfSecrets({ database, secretBox, log }: ApiContext): Promise<void> {
  const sealedUnder = await findSealingKeys(database.engine);
  const lost = sealedUnder.filter(({ keyId }) => keyId !== null && !secretBox.keyIds.includes(keyId));
  if (lost.length > 0)
    log.error(
      'webhooks have secrets under a key that DAGWRIGHT_ENCRYPTION_KEY does not have; their deliveries get 503',
      {
        webhooks: lost.reduce((sum, { webhooks }) => sum + webhooks, 0),
        keyIds: lost.map(({ keyId }) => keyId),
      },
    );
  else if (secretBox.keyIds.length === 0)
    log.info(
      'secrets of webhooks are stored as they are; DAGWRIGHT_ENCRYPTION_KEY would protect them at rest',
    );
}

async function refuseOpen({ database }: System, host: string): Promise<void> {
  if (await hasKeys(database.engine)) return;
  throw refuse(
    'no_key',
    `on HOST=${host} anybody could call the service: no key is configured`,
    'DAGWRIGHT_ADMIN_KEY=$(openssl rand -base64 32), or HOST=127.0.0.1',
    'DAGWRIGHT_ADMIN_KEY',
  );
}
