// The audit trail, as it is read; triggers write it. `client` is in a transaction of the tenant's role, or of the engine's
// for what belongs to the installation.
import type pg from 'pg';
import type { BoundedPage } from '../db/connection/byte-bounded.ts';
import type { Acting, Operator } from '../db/connection/connection.ts';
import type { AuditFilter, AuditRecord } from '../db/resources/audit.ts';
import * as rows from '../db/resources/audit.ts';

/** Changes of a tenant, or, where the operator asks, of what belongs to no tenant. Newest first; `before` is an id. */
export function listAudit(
  client: pg.ClientBase,
  acting: Acting | Operator,
  page: AuditFilter & { readonly limit: number; readonly before: string | null },
): Promise<BoundedPage<AuditRecord>> {
  return rows.findAudit(client, 'tenantId' in acting ? acting.tenantId : null, page, page);
}
