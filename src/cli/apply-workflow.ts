// Saves definitions with their triggers, in the name of whoever holds the database.
import type { WorkflowDefinition } from '../core/definition/model.ts';
import type { Problem } from '../core/errors.ts';
import {
  rollbackWorkflow,
  type SavedWorkflow,
  saveWorkflows,
} from '../resources/definitions/file-triggers.ts';
import type { FileTriggers } from '../resources/definitions/sync-triggers.ts';
import { createSecretBox } from '../triggers/secrets/secret-box.ts';
import type { SecretSource } from '../triggers/webhooks/stored-secrets.ts';
import { CLI_ACTOR } from './actor.ts';
import { Refusal, refuse } from './refusal.ts';
import type { System } from './system.ts';

/** Saves it, or throws a Refusal whose pointers lead into the document. */
export async function applyWorkflow(system: System, definition: WorkflowDefinition): Promise<SavedWorkflow> {
  const [saved] = await applyWorkflows(system, [{ file: '', definition }]);
  return saved!;
}

/** Saves definitions of different workflows, all or none: a Refusal tells the problems of each, with pointers into its `file`. */
export async function applyWorkflows(
  system: System,
  files: readonly { readonly file: string; readonly definition: WorkflowDefinition }[],
): Promise<readonly SavedWorkflow[]> {
  const acting = { tenantId: system.tenantId, ...CLI_ACTOR };
  const definitions = files.map(({ definition }) => definition);
  const result = await saveWorkflows(system.database, secretSource(system), acting, definitions);
  if (result.ok) return result.saved;
  throw new Refusal(
    files.flatMap(({ file, definition }) => inFile(result.refused.get(definition.workflowId) ?? [], file)),
  );
}

/** Problems whose pointers lead into the document, after `file` if it has a name. */
export function inFile(problems: readonly Problem[], file: string): Problem[] {
  return problems.map((problem) => ({
    ...problem,
    pointer: file === '' ? problem.pointer : `${file}#${problem.pointer}`,
  }));
}

/** Goes back to a revision, or throws a Refusal. */
export async function rollbackTo(
  system: System,
  workflowId: string,
  revision: number,
): Promise<FileTriggers> {
  const acting = { tenantId: system.tenantId, ...CLI_ACTOR };
  const result = await rollbackWorkflow(system.database, secretSource(system), acting, workflowId, revision);
  if (result === null)
    throw refuse(
      'not_found',
      `there is no revision ${revision} of "${workflowId}"`,
      `dagwright workflows revisions ${workflowId}`,
    );
  if (!result.ok) throw new Refusal(result.problems);
  return result.triggers;
}

/** What is shown once must be shown, whatever else is. */
export function newSecretLines(triggers: FileTriggers, system: Pick<System, 'config'>): string[] {
  const webhooks = triggers.webhooks.filter(({ secret }) => secret !== null);
  const none = { schedules: [], webhooks: [], events: [] };
  return triggerLines({ ...none, webhooks, removed: none }, system);
}

/** A line for each webhook and schedule, with the secret that was just made up; and for what left the definition. */
export function triggerLines(
  { schedules, webhooks, events, removed }: FileTriggers,
  { config }: Pick<System, 'config'>,
): string[] {
  const { host, port } = config.http;
  const publicUrl = (config.outside.publicUrl ?? `http://${host}:${port}`).replace(/\/+$/, '');
  return [
    ...schedules.map(({ name, nextRunAt }) => `  schedule ${name}: next ${nextRunAt ?? 'never'}`),
    ...webhooks.map(
      ({ path, secret }) =>
        `  webhook ${publicUrl}/hooks/${path}${secret === null ? '' : `\n    secret, shown only now: ${secret}`}`,
    ),
    ...events.map((name) => `  event ${name}`),
    ...removed.schedules.map(({ name }) => `  removed schedule ${name}`),
    ...removed.webhooks.map(({ path }) => `  removed webhook /hooks/${path}`),
    ...removed.events.map((name) => `  removed event ${name}`),
  ];
}

function secretSource({ config }: System): SecretSource {
  return { secretBox: createSecretBox(config.http.encryptionKeys), secrets: config.outside.secrets ?? {} };
}
