// Stored definitions: applying one makes a new revision where its content changed.
import { createHash } from 'node:crypto';
import type { WorkflowDefinition } from '../core/definition/model.ts';
import { newId } from '../core/id.ts';
import type { Database } from './connection.ts';

export interface Applied {
  readonly workflowId: string;
  readonly revision: number;
  readonly outcome: 'created' | 'changed' | 'unchanged';
}

/** Saves a valid definition for a tenant. The same content again changes nothing. */
export async function applyDefinition(
  database: Database,
  tenantId: string,
  definition: WorkflowDefinition,
  actor: string,
): Promise<Applied> {
  const json = JSON.stringify(definition);
  const hash = createHash('sha256').update(canonical(definition)).digest('hex');
  const { workflowId } = definition;
  return await database.withTenant(tenantId, async (client) => {
    // The definition's row is the lock of its revisions.
    const made = await client.query(
      `insert into dagwright.workflow_definitions (tenant_id, workflow_id, name, category, latest_revision)
       values ($1, $2, $3, $4, 0) on conflict (tenant_id, workflow_id) do nothing`,
      [tenantId, workflowId, definition.name ?? null, definition.category ?? 'custom'],
    );
    const { rows } = await client.query<{ latest: number; hash: string | null }>(
      `select d.latest_revision as latest, v.content_hash as hash from dagwright.workflow_definitions d
       left join dagwright.workflow_versions v on v.tenant_id = d.tenant_id and v.workflow_id = d.workflow_id and v.revision = d.latest_revision
       where d.tenant_id = $1 and d.workflow_id = $2 for update of d`,
      [tenantId, workflowId],
    );
    const { latest, hash: before } = rows[0]!;
    if (before === hash) return { workflowId, revision: latest, outcome: 'unchanged' };
    const revision = latest + 1;
    await client.query(
      `insert into dagwright.workflow_versions (id, tenant_id, workflow_id, revision, content_hash, definition, created_by)
       values ($1, $2, $3, $4, $5, $6, $7)`,
      [newId(), tenantId, workflowId, revision, hash, json, actor],
    );
    await client.query(
      `update dagwright.workflow_definitions set latest_revision = $3, name = $4, category = $5, updated_at = now()
       where tenant_id = $1 and workflow_id = $2`,
      [tenantId, workflowId, revision, definition.name ?? null, definition.category ?? 'custom'],
    );
    return { workflowId, revision, outcome: made.rowCount === 1 ? 'created' : 'changed' };
  });
}

/** The latest stored definition of a workflow; null where there is none. */
export async function findDefinition(
  database: Database,
  tenantId: string,
  workflowId: string,
): Promise<{ readonly revision: number; readonly definition: WorkflowDefinition } | null> {
  return await database.withTenant(tenantId, async (client) => {
    const { rows } = await client.query(
      `select v.revision, v.definition from dagwright.workflow_definitions d
       join dagwright.workflow_versions v on v.tenant_id = d.tenant_id and v.workflow_id = d.workflow_id and v.revision = d.latest_revision
       where d.tenant_id = $1 and d.workflow_id = $2`,
      [tenantId, workflowId],
    );
    return rows[0] ?? null;
  });
}

// Object keys in code point order, so that the order of writing makes no revision.
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
