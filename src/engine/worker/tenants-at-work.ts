// Of which tenants something runs in this worker, by lane.

export class TenantsAtWork {
  readonly #lanes = new Map<string, number>();
  #unknown = 0;

  /** How many lanes each has; null while the tenant of some slot is not known yet: a start is on its way to the database. */
  get lanes(): ReadonlyMap<string, number> | null {
    return this.#unknown > 0 ? null : this.#lanes;
  }

  /** Counts a lane of this tenant until it has ended. */
  async during<T>(tenantId: string, lane: Promise<T>): Promise<T> {
    this.#lanes.set(tenantId, (this.#lanes.get(tenantId) ?? 0) + 1);
    try {
      return await lane;
    } finally {
      const left = this.#lanes.get(tenantId)! - 1;
      if (left === 0) this.#lanes.delete(tenantId);
      else this.#lanes.set(tenantId, left);
    }
  }

  /** A slot is taken for a tenant that is not known yet; ended by what it returns, which counts once. */
  expect(): () => void {
    let isOpen = true;
    this.#unknown++;
    return () => {
      if (isOpen) this.#unknown--;
      isOpen = false;
    };
  }
}
