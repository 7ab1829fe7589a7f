// Stored definitions: saving one makes a new revision where its content changed.
//   D1  Revisions are never changed or deleted: what runs keeps its own.
//   D2  The current revision, which starts take, is the latest, or after a rollback the pinned one until the next save.
//   D3  The definition's row is the lock of its revisions and of its triggers.
import { createHash } from 'node:crypto';
import type pg from 'pg';
import type { DefinitionStatus, SaveEffect, WorkflowDefinition } from '../../core/definition/model.ts';
import { newId } from '../../core/id.ts';
import { canonicalJson } from '../../core/json.ts';
import { type BoundedPage, pageOfRows } from '../connection/byte-bounded.ts';
import type { Database } from '../connection/connection.ts';

export interface SavedDefinition {
  readonly workflowId: string;
  readonly revision: number;
  readonly status: DefinitionStatus;
  readonly outcome: SaveEffect;
}
export type Applied = Omit<SavedDefinition, 'status'>;

export interface WorkflowView {
  readonly workflowId: string;
  readonly name: string | null;
  readonly category: string;
  readonly status: DefinitionStatus;
  /** The current one (D2). */
  readonly revision: number;
  readonly latestRevision: number;
  readonly createdAt: string;
  readonly updatedAt: string;
}
export interface RevisionView {
  readonly workflowId: string;
  readonly revision: number;
  readonly isCurrent: boolean;
  readonly minTier: number;
  /** The author's own label. */
  readonly version: string | null;
  readonly createdBy: string | null;
  readonly createdAt: string;
}
export type WithDefinition<View> = View & { readonly definition: WorkflowDefinition };

const WORKFLOW_COLUMNS = `d.workflow_id as "workflowId", d.name, d.category, d.status,
  coalesce(d.pinned_revision, d.latest_revision) as revision, d.latest_revision as "latestRevision",
  d.created_at as "createdAt", d.updated_at as "updatedAt"`;
const REVISION_COLUMNS = `v.workflow_id as "workflowId", v.revision,
  v.revision = coalesce(d.pinned_revision, d.latest_revision) as "isCurrent", v.min_tier as "minTier",
  v.definition->>'version' as version, v.created_by as "createdBy", v.created_at as "createdAt"`;
const WITH_CURRENT = `dagwright.workflow_definitions d join dagwright.workflow_versions v on v.tenant_id = d.tenant_id
  and v.workflow_id = d.workflow_id and v.revision = coalesce(d.pinned_revision, d.latest_revision)`;
const WITH_ALL = `dagwright.workflow_definitions d join dagwright.workflow_versions v on v.tenant_id = d.tenant_id
  and v.workflow_id = d.workflow_id`;

/**
 * Saves a valid definition in the tenant's transaction: the current content again changes nothing, any other becomes the
 * next revision and ends a rollback. With `ifMatch` (a revision, or `any`: it must exist) only where that is the current
 * one, else nothing is done and the current one, or null where there is none, is returned as `conflict`.
 */
export async function saveDefinition(
  client: pg.ClientBase,
  tenantId: string,
  definition: WorkflowDefinition,
  actor: string,
  options: { readonly ifMatch?: number | 'any' | undefined } = {},
): Promise<SavedDefinition | { readonly conflict: number | null }> {
  const { ifMatch } = options;
  const { workflowId } = definition;
  // The order of writing makes no revision.
  const hash = createHash('sha256').update(canonicalJson(definition)).digest('hex');
  // Not even for a moment a row that must not be made.
  const made = ifMatch === undefined && (await insertDefinition(client, tenantId, definition));
  const { rows } = await client.query<{
    latest: number;
    current: number;
    hash: string | null;
    status: DefinitionStatus;
  }>(
    `select d.latest_revision as latest, coalesce(d.pinned_revision, d.latest_revision) as current, d.status,
       (select v.content_hash from dagwright.workflow_versions v where v.tenant_id = d.tenant_id and v.workflow_id = d.workflow_id
          and v.revision = coalesce(d.pinned_revision, d.latest_revision)) as hash
     from dagwright.workflow_definitions d where d.tenant_id = $1 and d.workflow_id = $2 for update of d`,
    [tenantId, workflowId],
  );
  if (rows[0] === undefined) return { conflict: null };
  const { latest, current, hash: before, status } = rows[0];
  if (typeof ifMatch === 'number' && ifMatch !== current) return { conflict: current };
  if (before === hash) return { workflowId, revision: current, status, outcome: 'unchanged' };
  const revision = latest + 1;
  await client.query(
    `insert into dagwright.workflow_versions (id, tenant_id, workflow_id, revision, content_hash, definition, min_tier, created_by)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      newId(),
      tenantId,
      workflowId,
      revision,
      hash,
      JSON.stringify(definition),
      definition.minTier ?? 1,
      actor,
    ],
  );
  await setCurrent(client, tenantId, definition, { latest: revision, pinned: null });
  return { workflowId, revision, status, outcome: made ? 'created' : 'changed' };
}

/** Makes starts take an earlier revision, until the next save. Null where there is no such workflow or revision. */
export async function rollbackDefinition(
  client: pg.ClientBase,
  tenantId: string,
  workflowId: string,
  revision: number,
): Promise<{ readonly revision: number; readonly definition: WorkflowDefinition } | null> {
  const locked = await lockDefinition(client, tenantId, workflowId);
  const target = locked && (await findRevision(client, tenantId, workflowId, revision));
  if (target === null) return null;
  const { latestRevision: latest } = locked!;
  if (target.isCurrent) return target;
  await setCurrent(client, tenantId, target.definition, {
    latest,
    pinned: revision === latest ? null : revision,
  });
  return target;
}

/** Only `active` ones start, by hand or by a trigger. Null where there is no such workflow. */
export async function setDefinitionStatus(
  client: pg.ClientBase,
  tenantId: string,
  workflowId: string,
  status: DefinitionStatus,
): Promise<WorkflowView | null> {
  const { rows } = await client.query<WorkflowView>(
    `update dagwright.workflow_definitions d set status = $3, updated_at = case when status = $3 then updated_at else clock_timestamp() end
     where tenant_id = $1 and workflow_id = $2 returning ${WORKFLOW_COLUMNS}`,
    [tenantId, workflowId, status],
  );
  return rows[0] ?? null;
}

/** Newest first, by the time each was made; `before` is the `position` to go on after. */
export async function findDefinitions(
  client: pg.ClientBase,
  tenantId: string,
  filter: {
    readonly limit: number;
    readonly before: string | null;
    readonly status?: DefinitionStatus | undefined;
    readonly category?: string | undefined;
  },
): Promise<BoundedPage<WorkflowView & { readonly position: string }>> {
  // Made at the same microsecond: by name. The position stays where it is whatever is saved meanwhile.
  const position = `lpad((extract(epoch from d.created_at) * 1000000)::bigint::text, 20, '0') || ' ' || d.workflow_id`;
  const { rows } = await client.query<WorkflowView & { position: string }>(
    `select ${WORKFLOW_COLUMNS}, ${position} as position from dagwright.workflow_definitions d
     where tenant_id = $1 and ($3::text is null or status = $3) and ($4::text is null or category = $4)
       and ($5::text is null or (${position}) collate "C" < $5) order by (${position}) collate "C" desc limit $2`,
    [tenantId, filter.limit + 1, filter.status ?? null, filter.category ?? null, filter.before],
  );
  return pageOfRows(rows, filter.limit);
}

/** A workflow with the definition of its current revision; null where there is none. */
export async function findWorkflow(
  client: pg.ClientBase,
  tenantId: string,
  workflowId: string,
): Promise<WithDefinition<WorkflowView> | null> {
  const { rows } = await client.query<WithDefinition<WorkflowView>>(
    `select ${WORKFLOW_COLUMNS}, v.definition from ${WITH_CURRENT} where d.tenant_id = $1 and d.workflow_id = $2`,
    [tenantId, workflowId],
  );
  return rows[0] ?? null;
}

export async function workflowExists(
  client: pg.ClientBase,
  tenantId: string,
  workflowId: string,
): Promise<boolean> {
  const { rows } = await client.query(
    'select from dagwright.workflow_definitions where tenant_id = $1 and workflow_id = $2',
    [tenantId, workflowId],
  );
  return rows.length > 0;
}

/** Newest first; `before` is the revision to go on after. */
export async function findRevisions(
  client: pg.ClientBase,
  tenantId: string,
  workflowId: string,
  page: { readonly limit: number; readonly before: number | null },
): Promise<BoundedPage<RevisionView>> {
  const { rows } = await client.query<RevisionView>(
    `select ${REVISION_COLUMNS} from ${WITH_ALL} where d.tenant_id = $1 and d.workflow_id = $2
       and ($4::int is null or v.revision < $4) order by v.revision desc limit $3`,
    [tenantId, workflowId, page.limit + 1, page.before],
  );
  return pageOfRows(rows, page.limit);
}

/** One revision with its definition; null where there is none. */
export async function findRevision(
  client: pg.ClientBase,
  tenantId: string,
  workflowId: string,
  revision: number,
): Promise<WithDefinition<RevisionView> | null> {
  const { rows } = await client.query<WithDefinition<RevisionView>>(
    `select ${REVISION_COLUMNS}, v.definition from ${WITH_ALL}
     where d.tenant_id = $1 and d.workflow_id = $2 and v.revision = $3`,
    [tenantId, workflowId, revision],
  );
  return rows[0] ?? null;
}

/** Saves a definition in a transaction of its own, without its triggers. */
export async function applyDefinition(
  database: Database,
  tenantId: string,
  definition: WorkflowDefinition,
  actor: string,
): Promise<Applied> {
  const saved = await database.withTenant(
    { tenantId, actor },
    async (client) => await saveDefinition(client, tenantId, definition, actor),
  );
  if ('conflict' in saved) throw new Error(`"${definition.workflowId}" was not saved`);
  const { workflowId, revision, outcome } = saved;
  return { workflowId, revision, outcome };
}

/** The current definition of a workflow; null where there is none. */
export async function findDefinition(
  database: Database,
  tenantId: string,
  workflowId: string,
): Promise<{ readonly revision: number; readonly definition: WorkflowDefinition } | null> {
  return await database.withTenant(
    tenantId,
    async (client) => await findWorkflow(client, tenantId, workflowId),
  );
}

/** True where it was not there before; another that makes it at the same moment is waited for. */
async function insertDefinition(
  client: pg.ClientBase,
  tenantId: string,
  { workflowId, name, category }: WorkflowDefinition,
): Promise<boolean> {
  const { rowCount } = await client.query(
    `insert into dagwright.workflow_definitions (tenant_id, workflow_id, name, category, latest_revision)
     values ($1, $2, $3, $4, 0) on conflict (tenant_id, workflow_id) do nothing`,
    [tenantId, workflowId, name ?? null, category ?? 'custom'],
  );
  return rowCount === 1;
}

async function lockDefinition(
  client: pg.ClientBase,
  tenantId: string,
  workflowId: string,
): Promise<WorkflowView | null> {
  const { rows } = await client.query<WorkflowView>(
    `select ${WORKFLOW_COLUMNS} from dagwright.workflow_definitions d where tenant_id = $1 and workflow_id = $2 for update`,
    [tenantId, workflowId],
  );
  return rows[0] ?? null;
}

async function setCurrent(
  client: pg.ClientBase,
  tenantId: string,
  { workflowId, name, category }: WorkflowDefinition,
  { latest, pinned }: { readonly latest: number; readonly pinned: number | null },
): Promise<void> {
  await client.query(
    `update dagwright.workflow_definitions set latest_revision = $3, pinned_revision = $4, name = $5, category = $6,
       updated_at = clock_timestamp() where tenant_id = $1 and workflow_id = $2`,
    [tenantId, workflowId, latest, pinned, name ?? null, category ?? 'custom'],
  );
}
