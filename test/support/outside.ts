// An outside world in which nothing can be reached, for tasks that are tried without an engine; parts may be replaced.
import type { PricedBill } from '../../src/core/cost/price-bill.ts';
import { redactNothing } from '../../src/core/redact.ts';
import { AccessTokens } from '../../src/tasks/access-tokens.ts';
import type { Outside, ProviderAccess, Providers, TenantSecrets } from '../../src/tasks/outside.ts';

export function closedOutside(more: Partial<Outside> = {}): Outside {
  return {
    http: {
      fetch: () => Promise.reject(new Error('this test has no outside world')),
      request: () => Promise.reject(new Error('this test has no outside world')),
      close: async () => {},
    },
    secrets: secretsOf({}),
    providers: providersOf({}),
    prices: { price: async () => unpricedBill('this test has no prices') },
    tokens: new AccessTokens(),
    services: { use: (_service, _signal, call) => call() },
    redact: redactNothing,
    publicUrl: 'http://127.0.0.1:3000',
    ...more,
  };
}

/** Nothing is known of what it cost. */
export const unpricedBill = (unknownBecause: string | null): PricedBill => ({
  inputCostUsd: null,
  outputCostUsd: null,
  costUsd: null,
  answeredBy: null,
  statedCostUsd: null,
  unknownBecause,
  warnings: [],
});

/** Secrets of the tenant at hand, by name, that may be sent anywhere. */
export function secretsOf(values: Readonly<Record<string, string>>): TenantSecrets {
  const known = new Map(Object.entries(values));
  return {
    async read(name) {
      const value = known.get(name);
      return value === undefined ? null : { name, value, boundTo: null };
    },
    variableOf: async (name) => `DAGWRIGHT_SECRET_${name}`,
  };
}

export function providersOf(access: Readonly<Record<string, ProviderAccess>>): Providers {
  const known = new Map(Object.entries(access));
  return { read: async (provider) => known.get(provider) };
}
