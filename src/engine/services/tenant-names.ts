// Names of tenants by their ids, as this worker has met them. A name never changes.
import { type Queryable, untilAnswered } from '../../db/connection/connection.ts';
import { DEFAULT_TENANT_ID } from '../../db/resources/default-tenant.ts';
import { findTenantName } from '../../db/resources/webhooks.ts';

const MAX_KEPT = 10_000;

export class TenantNames {
  readonly #db: Queryable;
  readonly #names = new Map([[DEFAULT_TENANT_ID, 'default']]);

  constructor(db: Queryable) {
    this.#db = db;
  }

  async nameOf(tenantId: string): Promise<string> {
    const known = this.#names.get(tenantId);
    if (known !== undefined) return known;
    const name = await untilAnswered(() => findTenantName(this.#db, tenantId));
    if (this.#names.size >= MAX_KEPT) this.#names.delete(this.#names.keys().next().value!);
    this.#names.set(tenantId, name);
    return name;
  }
}
