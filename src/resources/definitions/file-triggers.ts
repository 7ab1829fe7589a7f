// Definitions with their triggers: saved, rolled back and checked together, whoever asks. All in one transaction.
//   F1  Schedules, webhooks and event triggers of a definition are as its current revision says; ones made by hand are
//       never touched. What leaves it is removed, not deleted (sync-triggers.ts).
//   F2  What is as it should be is not written: saving the same again moves no schedule and makes no entry in the audit trail.
//   F3  A trigger that cannot be had (its path is another's) refuses the whole save.
//   F4  A secret that stands in the file is sealed with its webhook, and never stored with the definition.
//   F5  Several definitions are one save: all of them, then their triggers. Their rows are locked in the order of workflowId, so
//       that two saves of the same ones wait for each other, and none for ever.
import type pg from 'pg';
import type { WorkflowDefinition } from '../../core/definition/model.ts';
import type { TriggerDefinition } from '../../core/definition/trigger-model.ts';
import type { Problem } from '../../core/errors.ts';
import { referencedSecret } from '../../core/trigger/webhook.ts';
import type { Acting, Database } from '../../db/connection/connection.ts';
import { rollbackDefinition, type Saved, saveDefinition } from '../../db/resources/definitions.ts';
import type { SecretSource } from '../../triggers/webhooks/stored-secrets.ts';
import { webhookProblems } from './file-webhooks.ts';
import { type FileTriggers, RefusedTriggers, syncTriggers, triggersByKind } from './sync-triggers.ts';

export type SavedWorkflow = Saved & { readonly triggers: FileTriggers };

export type SaveResult =
  | ({ readonly ok: true } & SavedWorkflow)
  /** `conflict`: the current revision (null: there is none) is not the one that was to be changed. */
  | { readonly ok: false; readonly conflict: number | null }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export type RollbackResult =
  | { readonly ok: true; readonly revision: number; readonly triggers: FileTriggers }
  | { readonly ok: false; readonly problems: readonly Problem[] }
  /** There is no such workflow or revision. */
  | null;

/**
 * Saves valid definitions of different workflows, all or none; the results in the order given. A path may go from one to another,
 * whatever the order.
 */
export async function saveWorkflows(
  database: Database,
  source: SecretSource,
  acting: Acting,
  definitions: readonly WorkflowDefinition[],
): Promise<
  | { readonly ok: true; readonly saved: readonly SavedWorkflow[] }
  /** By workflowId. */
  | { readonly ok: false; readonly refused: ReadonlyMap<string, readonly Problem[]> }
> {
  try {
    const saved = await database.withTenant(acting, async (client) => {
      const all = await saveAll(client, source, acting, definitions);
      if ('conflict' in all) throw new Error('a definition was taken away while it was saved');
      return all;
    });
    return { ok: true, saved };
  } catch (error) {
    if (error instanceof RefusedTriggers) return { ok: false, refused: error.problems };
    throw error;
  }
}

/** Saves a valid definition; see saveDefinition for `ifMatch`. */
export async function saveWorkflow(
  database: Database,
  source: SecretSource,
  acting: Acting,
  definition: WorkflowDefinition,
  options: { readonly ifMatch?: number | 'any' | undefined } = {},
): Promise<SaveResult> {
  return await unlessRefused(() =>
    database.withTenant(acting, async (client): Promise<SaveResult> => {
      const saved = await saveAll(client, source, acting, [definition], options);
      return 'conflict' in saved ? { ok: false, ...saved } : { ok: true, ...saved[0]! };
    }),
  );
}

/** Makes starts take an earlier revision, and its triggers those that count. */
export async function rollbackWorkflow(
  database: Database,
  source: SecretSource,
  acting: Acting,
  workflowId: string,
  revision: number,
): Promise<RollbackResult> {
  return await unlessRefused(() =>
    database.withTenant(acting, async (client): Promise<RollbackResult> => {
      const target = await rollbackDefinition(client, acting.tenantId, workflowId, revision);
      if (target === null) return null;
      const [triggers] = await syncTriggers(client, source, acting, [target.definition]);
      return { ok: true, revision, triggers: triggers! };
    }),
  );
}

/**
 * What validation of a definition, which knows no webhooks, leaves to say of its triggers. Nothing is saved, and whether a
 * path is free is not asked. Without `source` references to the service's secrets are not looked up.
 */
export function triggerProblems(
  definition: WorkflowDefinition,
  tenantName: string,
  source?: Pick<SecretSource, 'secrets'>,
): Problem[] {
  return webhookProblems(definition.workflowId, triggersByKind(definition).webhooks, tenantName, source);
}

/** F4. A reference to one of the service's secrets stays. */
export function withoutSecrets(definition: WorkflowDefinition): WorkflowDefinition {
  if (definition.triggers === undefined) return definition;
  const triggers = definition.triggers.map((trigger): TriggerDefinition => {
    if (trigger.type !== 'webhook' || trigger.secret === undefined) return trigger;
    if (referencedSecret(trigger.secret.trim()) !== null) return trigger;
    const { secret: _, ...rest } = trigger;
    return rest;
  });
  return { ...definition, triggers };
}

// F5
async function saveAll(
  client: pg.ClientBase,
  source: SecretSource,
  acting: Acting,
  definitions: readonly WorkflowDefinition[],
  options: { readonly ifMatch?: number | 'any' | undefined } = {},
): Promise<readonly SavedWorkflow[] | { readonly conflict: number | null }> {
  const { tenantId, actor } = acting;
  const saved = new Map<string, Saved>();
  const inOrder = [...definitions].sort((a, b) => (a.workflowId < b.workflowId ? -1 : 1));
  for (const definition of inOrder) {
    const one = await saveDefinition(client, tenantId, withoutSecrets(definition), actor, options);
    if ('conflict' in one) return one;
    saved.set(definition.workflowId, one);
  }
  const triggers = await syncTriggers(client, source, acting, definitions);
  return definitions.map(({ workflowId }, i) => ({ ...saved.get(workflowId)!, triggers: triggers[i]! }));
}

async function unlessRefused<T>(
  work: () => Promise<T>,
): Promise<T | { readonly ok: false; readonly problems: readonly Problem[] }> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RefusedTriggers) return { ok: false, problems: [...error.problems.values()].flat() };
    throw error;
  }
}
