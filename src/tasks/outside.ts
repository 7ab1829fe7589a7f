// What task types reach the outside world through: one per worker, handed to every attempt. Interfaces only; the worker's
// are made by engine/services/outside.ts.
import type { PricedUsage, TokenUsage } from '../core/cost/usage.ts';
import type { OutsideHttp } from './outbound/client.ts';

export interface Outside {
  readonly http: OutsideHttp;
  /** Values by name: `secrets.X` in a definition is DAGWRIGHT_SECRET_X. Without prototype. */
  readonly secrets: Readonly<Record<string, string>>;
  /** API keys and base URLs of model providers, by provider name. */
  readonly providers: ReadonlyMap<string, ProviderAccess>;
  readonly prices: Prices;
  readonly services: Services;
  /** Hides every secret value in a text, in all forms that it may have taken. */
  readonly redact: (text: string) => string;
  /** Where this installation is reached from outside, without a slash at the end, for callback URLs; null: nobody knows. */
  readonly publicUrl: string | null;
}

export interface ProviderAccess {
  readonly apiKey?: string;
  readonly baseUrl?: string;
}

/** What model calls cost. */
export interface Prices {
  /** The cost of one call at `at`; costs are null where no price is known. */
  price(call: {
    readonly provider: string;
    readonly model: string;
    readonly at: Date;
    readonly usage: TokenUsage;
  }): Promise<PricedUsage>;
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
