// Puts together what a worker's tasks reach the outside world through: HTTP behind the guard, secrets, prices, limits.

import type pg from 'pg';
import type { TaskLog } from '../../core/log-lines.ts';
import { createRedact } from '../../core/redact.ts';
import { MIN_SECRET_LENGTH } from '../../core/redaction/forms.ts';
import { AccessTokens } from '../../tasks/access-tokens.ts';
import { InstallationSecrets, variableFor, variableOf } from '../../tasks/installation-secrets.ts';
import { parseAllowList } from '../../tasks/outbound/allow-list.ts';
import { createHttp } from '../../tasks/outbound/client.ts';
import type { Outside, ProviderAccess } from '../../tasks/outside.ts';
import { PriceBook } from './price-book.ts';
import { OutsideServices } from './services.ts';
import { TenantNames } from './tenant-names.ts';

/** What an operator configures of the outside world; each absent part is empty. */
export interface OutsideSettings {
  /** Destinations that the guard lets through although it would refuse them: host, host:port, `*.suffix`, CIDR. */
  readonly allowedHosts?: readonly string[];
  /** Hosts (`host` or `host:port`) that are never called, such as the database's own. */
  readonly deniedHosts?: readonly string[];
  readonly secrets?: InstallationSecrets;
  readonly providers?: ReadonlyMap<string, ProviderAccess>;
  /** Names of the tenants that may use the providers' keys; absent: all. */
  readonly providerKeysFor?: ReadonlySet<string>;
  /** Where this installation is reached from outside; null: the worker does not know. */
  readonly publicUrl?: string | null;
}

/** The outside world of a worker: that of each tenant, with what is the same for all, and what must be closed at the end. */
export interface WorkerOutside extends Pick<Outside, 'redact' | 'publicUrl'> {
  forTenant(tenantId: string): Outside;
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
): WorkerOutside {
  const { secrets = new InstallationSecrets(), providers = new Map<string, ProviderAccess>() } = settings;
  for (const secret of secrets.all)
    if (secret.value.length < MIN_SECRET_LENGTH)
      worker.log.warn(
        `a secret is too short to be hidden where it comes back: it has less than ${MIN_SECRET_LENGTH} characters`,
        { name: variableOf(secret) },
      );
  const keys = [...providers.values()].flatMap(({ apiKey }) => apiKey ?? []);
  const allowed = parseAllowList(settings.allowedHosts ?? []);
  if (!allowed.ok) throw new Error(allowed.problems[0]!.message);
  const { deniedHosts } = settings;
  const http = createHttp({ allowedHosts: allowed.value, deniedHosts, secrets: secrets.all });
  const prices = new PriceBook(worker.pool, { onUnknown: (message) => worker.log.warn(message) });
  const services = new OutsideServices({ db: worker.pool, log: worker.log, workerId: worker.id });
  // One list for all tenants: what one got to know of another's is hidden too.
  const redact = createRedact([...secrets.values, ...keys]);
  const publicUrl =
    settings.publicUrl === null ? null : (settings.publicUrl ?? 'http://127.0.0.1:3000').replace(/\/+$/, '');
  const common = { http, prices, services, tokens: new AccessTokens(), redact, publicUrl };
  const names = new TenantNames(worker.pool);
  return {
    redact,
    publicUrl,
    forTenant: (tenantId) => ({
      ...common,
      secrets: {
        read: async (name) => await secrets.read(await names.nameOf(tenantId), name),
        variableOf: async (name) => variableFor(await names.nameOf(tenantId), name),
      },
      providers: {
        async read(provider) {
          const access = providers.get(provider);
          const { providerKeysFor } = settings;
          if (providerKeysFor === undefined || access?.apiKey === undefined) return access;
          return providerKeysFor.has(await names.nameOf(tenantId))
            ? access
            : { ...access, apiKey: undefined };
        },
      },
    }),
    async close() {
      await Promise.all([http.close(), services.close()]);
    },
  };
}
