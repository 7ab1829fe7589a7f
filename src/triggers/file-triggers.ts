// Definitions with their triggers: saved, rolled back and checked together, whoever asks. All in one transaction.
//   F1  Schedules, webhooks and event triggers of a definition are as its current revision says; ones made by hand are
//       never touched.
//   F2  What is as it should be is not written: saving the same again moves no schedule and makes no entry in the audit trail.
//   F3  A trigger that cannot be had (its path is another's) refuses the whole save.
//   F4  A secret that stands in the file is sealed with its webhook, and never stored with the definition.
import type pg from 'pg';
import type { WorkflowDefinition } from '../core/definition/model.ts';
import {
  type EventTrigger,
  eventTriggerName,
  type ScheduleTrigger,
  secretReference,
  type TriggerDefinition,
  type WebhookTrigger,
} from '../core/definition/trigger-model.ts';
import type { Problem } from '../core/errors.ts';
import type { Acting, Database } from '../db/connection.ts';
import { rollbackDefinition, type Saved, saveDefinition } from '../db/definitions.ts';
import { syncEventTriggers } from '../db/event-triggers.ts';
import { type FileSchedule, syncSchedules } from './file-schedules.ts';
import { type FileWebhook, syncWebhooks, webhookProblems } from './file-webhooks.ts';
import type { Placed } from './placed.ts';
import type { SecretSource } from './webhooks/stored-secrets.ts';

/** What a definition has besides its tasks. Names and paths are unique in each list. */
export interface FileTriggers {
  readonly schedules: readonly FileSchedule[];
  readonly webhooks: readonly FileWebhook[];
  /** Names of event triggers. */
  readonly events: readonly string[];
}

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

class Refused extends Error {
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    super('refused');
    this.problems = problems;
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
  const { tenantId, actor } = acting;
  return await unlessRefused(() =>
    database.withTenant(acting, async (client): Promise<SaveResult> => {
      const saved = await saveDefinition(client, tenantId, withoutSecrets(definition), actor, options);
      if ('conflict' in saved) return { ok: false, ...saved };
      return { ok: true, ...saved, triggers: await syncTriggers(client, source, acting, definition) };
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
      return { ok: true, revision, triggers: await syncTriggers(client, source, acting, target.definition) };
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
  return webhookProblems(definition.workflowId, byKind(definition).webhooks, tenantName, source);
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
    if (error instanceof Refused) return { ok: false, problems: error.problems };
    throw error;
  }
}

// The caller holds the lock of the definition's row.
async function syncTriggers(
  client: pg.ClientBase,
  source: SecretSource,
  acting: Acting,
  definition: WorkflowDefinition,
): Promise<FileTriggers> {
  const { workflowId } = definition;
  const kinds = byKind(definition);
  const { schedules, problems } = await syncSchedules(client, acting, workflowId, kinds.schedules);
  const { webhooks, problems: more } = await syncWebhooks(client, source, acting, workflowId, kinds.webhooks);
  if (problems.length + more.length > 0) throw new Refused([...problems, ...more]);
  const events = kinds.events.map(({ trigger }) => eventTriggerName(trigger));
  await syncEventTriggers(
    client,
    acting.tenantId,
    workflowId,
    kinds.events.map(({ trigger }, i) => ({
      name: events[i]!,
      eventType: trigger.event,
      condition: trigger.when ?? null,
      inputMapping: trigger.inputMapping ?? null,
      priority: trigger.priority ?? 5,
    })),
  );
  return { schedules, webhooks, events };
}

function byKind({ triggers = [] }: WorkflowDefinition) {
  const placed = triggers.map((trigger, i) => ({ pointer: `/triggers/${i}`, trigger }));
  const of = <T extends TriggerDefinition>(type: T['type']) =>
    placed.filter(({ trigger }) => trigger.type === type) as unknown as readonly Placed<T>[];
  return {
    schedules: of<ScheduleTrigger>('schedule'),
    webhooks: of<WebhookTrigger>('webhook'),
    events: of<EventTrigger>('event'),
  };
}
