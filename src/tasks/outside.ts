// What task types reach the outside world through: one per tenant whose tasks a worker runs, handed to every attempt.
// Interfaces only; the worker's are made by engine/services/outside.ts.
import type { Bill } from '../core/cost/bill.ts';
import type { PricedBill } from '../core/cost/price-bill.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { OutsideHttp } from './outbound/client.ts';
import type { Secret } from './secret.ts';

export interface Outside {
  readonly http: OutsideHttp;
  readonly secrets: TenantSecrets;
  readonly providers: Providers;
  readonly prices: Prices;
  readonly services: Services;
  /** Of OAuth clients: shared by all tasks of this worker, each tenant's its own. */
  readonly tokens: AccessTokens;
  /** Hides every secret value in a text, in all forms that it may have taken. */
  readonly redact: (text: string) => string;
  /** Where this installation is reached from outside, without a slash at the end, for callback URLs; null: nobody knows. */
  readonly publicUrl: string | null;
}

/** The secrets of one tenant: `secrets.X` in its definitions. */
export interface TenantSecrets {
  /** Null where it has none of this name, whoever else has. */
  read(name: string): Promise<Secret | null>;
  /** The variable that would give it one, for messages. */
  variableOf(name: string): Promise<string>;
}

/** Model providers, as one tenant may use them. */
export interface Providers {
  /** The API key and base URL of a provider, by its name; undefined where the installation has neither for this tenant. */
  read(provider: string): Promise<ProviderAccess | undefined>;
}

export interface ProviderAccess {
  readonly apiKey?: string;
  readonly baseUrl?: string;
}

/** What model calls cost. */
export interface Prices {
  /** The cost of one call at `at`; costs are null where no price is known, and it says why. */
  price(call: {
    readonly provider: string;
    readonly model: string;
    readonly at: Date;
    readonly bill: Bill;
  }): Promise<PricedBill>;
}

export interface ServiceUse {
  /** Its limits are the installation's: all tenants share them. */
  readonly serviceId: string;
  /** Its circuit breaker is the tenant's own: what one author makes fail holds nobody else back. */
  readonly tenantId: string;
}

/** Limits and circuit breakers of outside services, shared by all tasks of this worker and, where set, by all workers. */
export interface Services {
  /**
   * Runs `call` when the service's limits and its circuit breaker allow it. Throws NotNow where that will take longer than
   * a worker's slot should be held; rejects with the signal's reason when it is aborted meanwhile.
   */
  use<T>(service: ServiceUse, signal: AbortSignal, call: () => Promise<T>): Promise<T>;
}
