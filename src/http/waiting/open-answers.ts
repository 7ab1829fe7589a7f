// Answers that stay open: event streams, starts and deliveries that wait. Counted by tenant, so that none takes all there may be; a
// request that is kept until it is answered counts by its body.

const MOST = 2_000;
const MOST_OF_ONE = 500;
/** A body may take a dozen times its size in memory, for as long as its sender waits. */
const BYTES_OF_PLACE = 20_000;

export class OpenAnswers {
  readonly #most: number;
  readonly #mostOfOne: number;
  readonly #byTenant = new Map<string, number>();
  #size = 0;

  constructor({ most = MOST, mostOfOne = MOST_OF_ONE } = {}) {
    this.#most = most;
    this.#mostOfOne = mostOfOne;
  }

  /** `bodyBytes`: of the request that waits. How to give back what it takes, which may be said twice; null: there is too little. */
  take(tenantId: string, bodyBytes = 0): (() => void) | null {
    const places = 1 + Math.floor(bodyBytes / BYTES_OF_PLACE);
    const open = this.#byTenant.get(tenantId) ?? 0;
    if (this.#size + places > this.#most || open + places > this.#mostOfOne) return null;
    this.#size += places;
    this.#byTenant.set(tenantId, open + places);
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      this.#size -= places;
      const left = this.#byTenant.get(tenantId)! - places;
      if (left === 0) this.#byTenant.delete(tenantId);
      else this.#byTenant.set(tenantId, left);
    };
  }
}
