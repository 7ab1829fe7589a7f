// Definitions with their triggers: saved, rolled back and checked together, whoever asks. All in one transaction.
//   F1  Schedules, webhooks and event triggers of a definition are as its current revision says; ones made by hand are
//       never touched. What leaves it is removed, not deleted (sync-triggers.ts).
//   F2  What is as it should be is not written: saving the same again moves no schedule and makes no entry in the audit trail.
//   F3  A trigger that cannot be had (its path is another's) refuses the whole save.
//   F4  A secret that stands in the file is sealed with its webhook, and never stored with the definition.
import type { WorkflowDefinition } from '../core/definition/model.ts';
import { secretReference, type TriggerDefinition } from '../core/definition/trigger-model.ts';
import type { Problem } from '../core/errors.ts';
import type { Acting, Database } from '../db/connection.ts';
import { rollbackDefinition, type Saved, saveDefinition } from '../db/definitions.ts';
import { webhookProblems } from './file-webhooks.ts';
import { type FileTriggers, RefusedTriggers, syncTriggers, triggersByKind } from './sync-triggers.ts';
import type { SecretSource } from './webhooks/stored-secrets.ts';

export type SaveResult =
  | ({ readonly ok: true; readonly triggers: FileTriggers } & Saved)
  /** `conflict`: the current revision (null: there is none) is not the one that was to be changed. */
  | { readonly ok: false; readonly conflict: number | null }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export type RollbackResult =
  | { readonly ok: true; readonly revision: number; readonly triggers: FileTriggers }
  | { readonly ok: false; readonly problems: readonly Problem[] }
  /** There is no such workflow or revision. */
  | null;

/** Saves a valid definition; see saveDefinition for `ifMatch`. */
export async function saveWorkflow(
  database: Database,
  source: SecretSource,
  acting: Acting,
  definition: WorkflowDefinition,
  options: { readonly ifMatch?: number | 'any' | undefined } = {},
): Promise<SaveResult> {
  const { tenantId, actor } = acting;
  return await unlessRefused(() =>
    database.withTenant(acting, async (client): Promise<SaveResult> => {
      const saved = await saveDefinition(client, tenantId, withoutSecrets(definition), actor, options);
      if ('conflict' in saved) return { ok: false, ...saved };
      const [triggers] = await syncTriggers(client, source, acting, [definition]);
      return { ok: true, ...saved, triggers: triggers! };
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
    if (secretReference(trigger.secret) !== null) return trigger;
    const { secret: _, ...rest } = trigger;
    return rest;
  });
  return { ...definition, triggers };
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
