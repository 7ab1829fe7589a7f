// Workflows of a tenant: listed, shown, switched on and off, and their revisions. Saved and rolled back: save-workflows.ts.
// `client` is in a transaction of the tenant's role.
import type pg from 'pg';
import type { DefinitionStatus } from '../../core/definition/model.ts';
import type { BoundedPage } from '../../db/connection/byte-bounded.ts';
import type { Acting } from '../../db/connection/connection.ts';
import type { RevisionView, WithDefinition, WorkflowView } from '../../db/resources/definitions.ts';
import * as rows from '../../db/resources/definitions.ts';
import * as webhooks from '../../db/resources/webhooks.ts';
import { done, notFound, type Outcome, type Refused } from '../outcome.ts';
import type { TextRule } from '../text-rule.ts';
import { withoutSecrets } from './without-secrets.ts';

/** What a page of the list of workflows ends with: a moment in microseconds, and a name. */
export const POSITION = {
  pattern: /^\d{20} [A-Za-z][A-Za-z0-9_-]{0,99}$/,
  expected: 'a position that the list gave',
} as const satisfies TextRule;

/** Newest first, by when each was first saved; `before` is the `position` to go on after. */
export function listWorkflows(
  client: pg.ClientBase,
  { tenantId }: Acting,
  filter: {
    readonly limit: number;
    readonly before: string | null;
    readonly status?: DefinitionStatus | undefined;
    readonly category?: string | undefined;
  },
): Promise<BoundedPage<WorkflowView & { readonly position: string }>> {
  return rows.findDefinitions(client, tenantId, filter);
}

/** With the definition of its current revision. */
export async function showWorkflow(
  client: pg.ClientBase,
  { tenantId }: Acting,
  workflowId: string,
): Promise<Outcome<WithDefinition<WorkflowView>>> {
  const found = await rows.findWorkflow(client, tenantId, workflowId);
  return found === null ? unknownWorkflow(workflowId) : done(shown(found));
}

/** Only `active` ones start, by hand or by a trigger; what runs goes on. */
export async function setWorkflowStatus(
  client: pg.ClientBase,
  { tenantId }: Acting,
  { workflowId, status }: { readonly workflowId: string; readonly status: DefinitionStatus },
): Promise<Outcome<WorkflowView>> {
  const changed = await rows.setDefinitionStatus(client, tenantId, workflowId, status);
  return changed === null ? unknownWorkflow(workflowId) : done(changed);
}

/** Newest first, without their definitions; `before` is the revision to go on after. */
export async function listRevisions(
  client: pg.ClientBase,
  { tenantId }: Acting,
  {
    workflowId,
    ...page
  }: { readonly workflowId: string; readonly limit: number; readonly before: number | null },
): Promise<Outcome<BoundedPage<RevisionView>>> {
  const found = await rows.findRevisions(client, tenantId, workflowId, page);
  // Every workflow has a first revision.
  const isNone = found.rows.length === 0 && page.before === null;
  return isNone ? unknownWorkflow(workflowId) : done(found);
}

/** With its definition. */
export async function showRevision(
  client: pg.ClientBase,
  { tenantId }: Acting,
  { workflowId, revision }: { readonly workflowId: string; readonly revision: number },
): Promise<Outcome<WithDefinition<RevisionView>>> {
  const found = await rows.findRevision(client, tenantId, workflowId, revision);
  if (found !== null) return done(shown(found));
  return notFound('revision', `there is no revision ${revision} of "${workflowId}"`);
}

/** What goes before the paths of its webhooks. */
export function findTenantName(client: pg.ClientBase, { tenantId }: Acting): Promise<string> {
  return webhooks.findTenantName(client, tenantId);
}

function shown<View>(found: WithDefinition<View>): WithDefinition<View> {
  return { ...found, definition: withoutSecrets(found.definition) };
}

const unknownWorkflow = (workflowId: string): Refused =>
  notFound('workflow', `there is no workflow "${workflowId}"`);
