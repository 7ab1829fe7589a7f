// The OpenAPI document as the service serves it, made without a database: no route is called.
import type { TaskLog } from '../../src/core/log-lines.ts';
import { openDatabase } from '../../src/db/connection/connection.ts';
import { Health } from '../../src/http/process/health.ts';
import { Metrics } from '../../src/http/process/metrics.ts';
import { createApp } from '../../src/http/server/app.ts';
import { InstallationSecrets } from '../../src/tasks/installation-secrets.ts';
import { createRegistry } from '../../src/tasks/registry.ts';
import { createSecretBox } from '../../src/triggers/secrets/secret-box.ts';
import { createStarts } from '../../src/triggers/starts/starts.ts';

/** Port 1 of this machine: nothing connects, since nothing asks. */
const NOWHERE = 'postgres://nobody@127.0.0.1:1/nothing';
const SILENT: TaskLog = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** What GET /openapi.json answers. */
export async function describeApi(): Promise<object> {
  const database = openDatabase(NOWHERE);
  const app = await createApp({
    database,
    log: SILENT,
    types: createRegistry([]),
    rules: new Map(),
    starts: createStarts({ database, log: SILENT }),
    secretBox: createSecretBox(Buffer.alloc(32)),
    secrets: new InstallationSecrets(),
    publicUrl: 'http://127.0.0.1:3000',
    settings: { rateLimit: 1, isLoopback: true },
    health: new Health(),
    metrics: new Metrics(),
  });
  try {
    return (await app.inject('/openapi.json')).json();
  } finally {
    await app.close();
    await database.close();
  }
}
