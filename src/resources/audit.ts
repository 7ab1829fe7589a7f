// The audit trail, as it is read; triggers write it. `client` is in a transaction of the tenant's role, or of the engine's
// for what belongs to the installation.
import type pg from 'pg';
import type { JsonObject } from '../core/json.ts';
import { hideToken } from '../core/trigger/verify-token.ts';
import type { BoundedPage } from '../db/connection/byte-bounded.ts';
import type { Acting, Operator } from '../db/connection/connection.ts';
import type { AuditFilter, AuditRecord } from '../db/resources/audit.ts';
import * as rows from '../db/resources/audit.ts';

/** Changes of a tenant, or, where the operator asks, of what belongs to no tenant. Newest first; `before` is an id. */
export async function listAudit(
  client: pg.ClientBase,
  acting: Acting | Operator,
  page: AuditFilter & { readonly limit: number; readonly before: string | null },
): Promise<BoundedPage<AuditRecord>> {
  const found = await rows.findAudit(client, 'tenantId' in acting ? acting.tenantId : null, page, page);
  return { ...found, rows: found.rows.map(withoutTokens) };
}

// Triggers hide the column of secrets; the handshakes of rows from before tokens were sealed have one written out.
function withoutTokens(record: AuditRecord): AuditRecord {
  if (record.resourceType !== 'webhooks') return record;
  const hide = (values: JsonObject | null): JsonObject | null =>
    values?.handshakes === undefined ? values : { ...values, handshakes: hideToken(values.handshakes) };
  return { ...record, oldValues: hide(record.oldValues), newValues: hide(record.newValues) };
}
