// The audit trail, as it is read. Triggers write it (functions/resources/audit.sql); nothing changes it.
import type pg from 'pg';
import type { JsonObject } from '../../core/json.ts';
import { type BoundedPage, findBoundedPage } from '../connection/byte-bounded.ts';

/** One change. Of an update only what changed; secrets are named, not shown. */
export interface AuditRecord {
  readonly id: string;
  /** ISO instant. */
  readonly at: string;
  readonly actor: string;
  /** `<resource>.<verb>`. */
  readonly action: string;
  readonly resourceType: string;
  readonly resourceId: string;
  readonly oldValues: JsonObject | null;
  readonly newValues: JsonObject | null;
  readonly address: string | null;
  readonly userAgent: string | null;
}

export interface AuditFilter {
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly resourceType?: string | undefined;
  readonly resourceId?: string | undefined;
  /** ISO instant: this and later. */
  readonly from?: string | undefined;
  /** ISO instant: before this. */
  readonly to?: string | undefined;
}

/**
 * Newest first, fewer where they are large; `before` is the id to go on after. `tenantId` null: what belongs to the installation, which only the
 * engine's role sees.
 */
export async function findAudit(
  client: pg.ClientBase,
  tenantId: string | null,
  filter: AuditFilter,
  page: { readonly limit: number; readonly before: string | null },
): Promise<BoundedPage<AuditRecord>> {
  // Ids follow time, so that the index on them finds a period; a second more, since first_id_v1 rounds.
  return await findBoundedPage<AuditRecord>(
    client,
    `select id, at, actor, action, resource_type as "resourceType", resource_id as "resourceId", old_values as "oldValues",
       new_values as "newValues", address, user_agent as "userAgent"
     from dagwright.audit_logs
     where ${tenantId === null ? 'tenant_id is null and $1::uuid is null' : 'tenant_id = $1'} and ($2::uuid is null or id < $2)
       and ($3::text is null or actor = $3) and ($4::text is null or action = $4)
       and ($5::text is null or resource_type = $5) and ($6::text is null or resource_id = $6)
       and ($7::timestamptz is null or (at >= $7 and id >= dagwright.first_id_v1($7 - interval '1 second')))
       and ($8::timestamptz is null or (at < $8 and id < dagwright.first_id_v1($8 + interval '1 second')))
     order by id desc limit $9`,
    {
      values: [
        tenantId,
        page.before,
        filter.actor ?? null,
        filter.action ?? null,
        filter.resourceType ?? null,
        filter.resourceId ?? null,
        filter.from ?? null,
        filter.to ?? null,
        page.limit + 1,
      ],
      limit: page.limit,
      json: ['"oldValues"', '"newValues"'],
    },
  );
}
