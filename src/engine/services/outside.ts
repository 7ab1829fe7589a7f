// Puts together what a worker's tasks reach the outside world through: HTTP behind the guard, secrets, prices, limits.

import type pg from 'pg';
import type { TaskLog } from '../../core/log-lines.ts';
import { createRedact } from '../../core/redact.ts';
import { MIN_SECRET_LENGTH } from '../../core/redaction/forms.ts';
import { parseAllowList } from '../../tasks/outbound/allow-list.ts';
import { createHttp } from '../../tasks/outbound/client.ts';
import type { Outside, ProviderAccess } from '../../tasks/outside.ts';
import { PriceBook } from './price-book.ts';
import { OutsideServices } from './services.ts';

/** What an operator configures of the outside world; each absent part is empty. */
export interface OutsideSettings {
  /** Destinations that the guard lets through although it would refuse them: host, host:port, `*.suffix`, CIDR. */
  readonly allowedHosts?: readonly string[];
  /** Hosts (`host` or `host:port`) that are never called, such as the database's own. */
  readonly deniedHosts?: readonly string[];
  /** Values by name, as in `secrets.NAME`. */
  readonly secrets?: Readonly<Record<string, string>>;
  readonly providers?: ReadonlyMap<string, ProviderAccess>;
  /** Where this installation is reached from outside. */
  readonly publicUrl?: string;
}

/** An Outside with what must be closed at the end. */
export interface OpenOutside extends Outside {
  close(): Promise<void>;
}

/** `workerId` names the worker whose permits these are; it changes when a worker registers anew. */
export function openOutside(
  settings: OutsideSettings,
  worker: {
    readonly pool: pg.Pool;
    readonly log: TaskLog;
    readonly id: () => string;
  },
): OpenOutside {
  const secrets: Record<string, string> = Object.assign(Object.create(null), settings.secrets);
  for (const [name, value] of Object.entries(secrets))
    if (value.length < MIN_SECRET_LENGTH)
      worker.log.warn(
        `a secret is too short to be hidden where it comes back: it has less than ${MIN_SECRET_LENGTH} characters`,
        { name },
      );
  const providers = settings.providers ?? new Map();
  const keys = [...providers.values()].flatMap(({ apiKey }) => apiKey ?? []);
  const allowed = parseAllowList(settings.allowedHosts ?? []);
  if (!allowed.ok) throw new Error(allowed.problems[0]!.message);
  const http = createHttp({ allowedHosts: allowed.value, deniedHosts: settings.deniedHosts });
  const prices = new PriceBook(worker.pool, { onUnknown: (message) => worker.log.warn(message) });
  const services = new OutsideServices({ db: worker.pool, log: worker.log, workerId: worker.id });
  return {
    http,
    secrets,
    providers,
    prices,
    services,
    redact: createRedact([...Object.values(secrets), ...keys]),
    publicUrl: (settings.publicUrl ?? 'http://127.0.0.1:3000').replace(/\/+$/, ''),
    async close() {
      await Promise.all([http.close(), services.close()]);
    },
  };
}
