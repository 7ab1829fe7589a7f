// The OpenAPI document as the service sends it, made without a database: nothing of one is in it.
import { openDatabase } from '../../src/db/connection/connection.ts';
import { Health } from '../../src/http/process/health.ts';
import { Metrics } from '../../src/http/process/metrics.ts';
import { createApp } from '../../src/http/server/app.ts';
import { InstallationSecrets } from '../../src/tasks/installation-secrets.ts';
import { createRegistry } from '../../src/tasks/registry.ts';
import { createSecretBox } from '../../src/triggers/secrets/secret-box.ts';
import { createStarts } from '../../src/triggers/starts/starts.ts';

export async function openApiDocument(): Promise<object> {
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  // Connects when it is asked for the first time.
  const database = openDatabase('postgres://127.0.0.1:1/nobody-asks');
  const app = await createApp({
    database,
    log,
    types: createRegistry(),
    rules: new Map(),
    starts: createStarts({ database, log }),
    secretBox: createSecretBox(null),
    secrets: new InstallationSecrets(),
    publicUrl: 'http://127.0.0.1:3000',
    settings: { adminKey: undefined, rateLimit: 1, isLoopback: true },
    health: new Health(),
    metrics: new Metrics(),
  });
  try {
    const answer = await app.inject('/openapi.json');
    return answer.json() as object;
  } finally {
    await app.close();
    await database.close();
  }
}
