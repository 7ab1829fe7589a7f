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

  /** How to give the place back, which may be said twice; null: there is none. */
  take(tenantId: string): (() => void) | null {
    const open = this.#byTenant.get(tenantId) ?? 0;
    if (this.#size >= this.#most || open >= this.#mostOfOne) return null;
    this.#size++;
    this.#byTenant.set(tenantId, open + 1);
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      this.#size--;
      const left = this.#byTenant.get(tenantId)! - 1;
      if (left === 0) this.#byTenant.delete(tenantId);
      else this.#byTenant.set(tenantId, left);
    };
  }
}
