// Answers that stay open: event streams and starts that wait. Counted by tenant, so that none takes all there may be.

const MOST = 2_000;
const MOST_OF_ONE = 500;

export class OpenAnswers {
  readonly #most: number;
  readonly #mostOfOne: number;
  readonly #byTenant = new Map<string, number>();
  #size = 0;

  constructor({ most = MOST, mostOfOne = MOST_OF_ONE } = {}) {
    this.#most = most;
    this.#mostOfOne = mostOfOne;
  }

  /** `places`: for what is kept in memory meanwhile. How to give them back, which may be said twice; null: there are none. */
  take(tenantId: string, places = 1): (() => void) | null {
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
