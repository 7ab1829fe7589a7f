// A process of the HTTP API of the crash tests. It can be told to stand still at the two moments that matter to a delivery:
// all is written but not committed; all is committed but not answered. There it waits to be killed.

import type { AddressInfo } from 'node:net';
import type { TaskLog } from '../../../src/core/log-lines.ts';
import { type Database, openDatabase } from '../../../src/db/connection/connection.ts';
import { Health } from '../../../src/http/process/health.ts';
import { Metrics } from '../../../src/http/process/metrics.ts';
import { createApp } from '../../../src/http/server/app.ts';
import { InstallationSecrets } from '../../../src/tasks/installation-secrets.ts';
import { createRegistry } from '../../../src/tasks/registry.ts';
import { createSecretBox } from '../../../src/triggers/secrets/secret-box.ts';
import { createStarts } from '../../../src/triggers/starts/starts.ts';

export interface ApiSettings {
  readonly url: string;
  /** Base64. */
  readonly encryptionKey: string;
  readonly standsStill: 'before_commit' | 'before_answer' | 'never';
}

const settings = JSON.parse(process.env.CRASH_API ?? '') as ApiSettings;
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const log: TaskLog = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: (message) => say({ message }),
};

function standStill(): Promise<never> {
  say({ message: 'stands still' });
  return new Promise(() => {});
}

const real = openDatabase(settings.url, { name: 'dagwright crash api' });
const database: Database =
  settings.standsStill !== 'before_commit'
    ? real
    : {
        ...real,
        asEngine: (acting, work) =>
          real.asEngine(acting, async (client) => {
            await work(client);
            return await standStill();
          }),
      };
const app = await createApp(
  {
    database,
    log,
    types: createRegistry([]),
    rules: new Map(),
    starts: createStarts({ database, log }),
    secretBox: createSecretBox(Buffer.from(settings.encryptionKey, 'base64')),
    secrets: new InstallationSecrets(),
    publicUrl: 'http://127.0.0.1',
    settings: { rateLimit: 5_000, isLoopback: true },
    health: new Health(),
    metrics: new Metrics(),
  },
  {
    addRoutes: (api) =>
      api.addHook('onSend', async (request) => {
        if (settings.standsStill === 'before_answer' && request.url.startsWith('/hooks/')) await standStill();
      }),
  },
);
await app.listen({ host: '127.0.0.1', port: 0 });
say({ message: 'ready', url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}` });
