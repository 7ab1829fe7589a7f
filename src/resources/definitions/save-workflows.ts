// Definitions with their triggers: saved and rolled back together, by whoever asks. `client` is in a transaction of the tenant's
// role; what is refused is undone by a savepoint.
//   F1  Schedules, webhooks and event triggers of a definition are as its current revision says; ones made by hand are
//       never touched. What leaves it is removed, not deleted (sync-triggers.ts).
//   F2  What is as it should be is not written: saving the same again moves no schedule and makes no entry in the audit trail.
//   F3  A trigger that cannot be had (its path is another's) refuses the whole save.
//   F4  A secret (or verify token) that stands in the file is sealed with its webhook, and never stored with the definition.
//   F5  Several definitions are one save: all of them, then their triggers. Their rows are locked in the order of workflowId, so
//       that two saves of the same ones wait for each other, and none for ever.
import type pg from 'pg';
import type { WorkflowDefinition } from '../../core/definition/model.ts';
import type { Problem } from '../../core/errors.ts';
import type { Acting } from '../../db/connection/connection.ts';
import { savepoint } from '../../db/connection/transaction.ts';
import * as rows from '../../db/resources/definitions.ts';
import { done, invalid, notFound, type Outcome, type Refused } from '../outcome.ts';
import type { WebhookHost } from '../webhooks/webhooks.ts';
import { type FileTriggers, RefusedTriggers, syncTriggers } from './sync-triggers.ts';
import { withoutSecrets } from './without-secrets.ts';

export type SavedWorkflow = rows.SavedDefinition & { readonly triggers: FileTriggers };

export interface GivenDefinition {
  /** Valid. */
  readonly definition: WorkflowDefinition;
  /** Goes before the pointers of its problems: `daily.yaml#`. */
  readonly place?: string;
}

/** A revision, or `any`: there must be one. */
export type IfMatch = number | 'any';

/** The current revision, null where there is no such workflow, is not the one that was to be changed. */
export interface RevisionMismatch extends Refused {
  readonly code: 'revision_mismatch';
  readonly current: number | null;
}

/** Saves one; with `ifMatch` only where that is the current revision. */
export async function saveWorkflow(
  client: pg.ClientBase,
  acting: Acting,
  { ifMatch, ...given }: GivenDefinition & { readonly ifMatch?: IfMatch | undefined },
  host: WebhookHost,
): Promise<Outcome<SavedWorkflow> | RevisionMismatch> {
  const saved = await unlessRefused(client, [given], () =>
    saveAll(client, acting, [given.definition], host, ifMatch),
  );
  if (!saved.ok) return saved;
  return 'conflict' in saved.value
    ? revisionMismatch(given.definition.workflowId, saved.value.conflict)
    : done(saved.value[0]!);
}

/**
 * Saves valid definitions of different workflows, all or none; the results in the order given. A path may go from one to another,
 * whatever the order.
 */
export async function saveWorkflows(
  client: pg.ClientBase,
  acting: Acting,
  given: readonly GivenDefinition[],
  host: WebhookHost,
): Promise<Outcome<readonly SavedWorkflow[]>> {
  const definitions = given.map(({ definition }) => definition);
  return await unlessRefused(client, given, async () => {
    const saved = await saveAll(client, acting, definitions, host);
    if ('conflict' in saved) throw new Error('a definition was taken away while it was saved');
    return saved;
  });
}

/** Makes starts take an earlier revision until the next save, and its triggers those that count. */
export async function rollbackWorkflow(
  client: pg.ClientBase,
  acting: Acting,
  { workflowId, revision }: { readonly workflowId: string; readonly revision: number },
  host: WebhookHost,
): Promise<Outcome<rows.WorkflowView & { readonly triggers: FileTriggers }>> {
  const { tenantId } = acting;
  const back = await unlessRefused(client, [], async () => {
    const target = await rows.rollbackDefinition(client, tenantId, workflowId, revision);
    if (target === null) return null;
    const [triggers] = await syncTriggers(client, acting, [target.definition], host);
    const { definition: _, ...view } = (await rows.findWorkflow(client, tenantId, workflowId))!;
    return { ...view, triggers: triggers! };
  });
  if (!back.ok) return back;
  if (back.value !== null) return done(back.value);
  const what = `revision ${revision} of "${workflowId}"`;
  return notFound(what, `there is no ${what}`);
}

// F5
async function saveAll(
  client: pg.ClientBase,
  acting: Acting,
  definitions: readonly WorkflowDefinition[],
  host: WebhookHost,
  ifMatch?: IfMatch,
): Promise<readonly SavedWorkflow[] | { readonly conflict: number | null }> {
  const { tenantId, actor } = acting;
  const saved = new Map<string, rows.SavedDefinition>();
  const inOrder = [...definitions].sort((a, b) => (a.workflowId < b.workflowId ? -1 : 1));
  for (const definition of inOrder) {
    // F4.
    const stored = withoutSecrets(definition);
    const one = await rows.saveDefinition(client, tenantId, stored, actor, { ifMatch });
    if ('conflict' in one) return one;
    saved.set(definition.workflowId, one);
  }
  const triggers = await syncTriggers(client, acting, definitions, host);
  return definitions.map(({ workflowId }, i) => ({ ...saved.get(workflowId)!, triggers: triggers[i]! }));
}

// F3. What was written before is undone, whatever the caller does with its transaction.
async function unlessRefused<Value>(
  client: pg.ClientBase,
  given: readonly GivenDefinition[],
  work: () => Promise<Value>,
): Promise<Outcome<Value>> {
  try {
    return done(await savepoint(client, work));
  } catch (error) {
    if (error instanceof RefusedTriggers) return refuseTriggers(error.problems, given);
    throw error;
  }
}

/** `trigger_taken` where all that stands in the way is another webhook or schedule. */
function refuseTriggers(byWorkflow: RefusedTriggers['problems'], given: readonly GivenDefinition[]): Refused {
  const placeOf = new Map(given.map(({ definition, place }) => [definition.workflowId, place ?? '']));
  const problems = [...byWorkflow].flatMap(([workflowId, found]): Problem[] => {
    const place = placeOf.get(workflowId) ?? '';
    return found.map((problem) => ({ ...problem, pointer: place + problem.pointer }));
  });
  const isTaken = problems.every(({ code }) => code === 'path_taken' || code === 'name_taken');
  return isTaken ? { ...invalid(problems), code: 'trigger_taken' } : invalid(problems);
}

function revisionMismatch(workflowId: string, current: number | null): RevisionMismatch {
  const message =
    current === null ? `there is no workflow "${workflowId}"` : `the current revision is ${current}`;
  return { ok: false, code: 'revision_mismatch', message, problems: [], current };
}
