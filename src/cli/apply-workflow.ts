// Definitions saved with their triggers, and the lines that tell what became of those.
import type { WorkflowDefinition } from '../core/definition/model.ts';
import type { SavedWorkflow } from '../resources/definitions/save-workflows.ts';
import { saveWorkflows } from '../resources/definitions/save-workflows.ts';
import type { FileTriggers } from '../resources/definitions/sync-triggers.ts';
import { CLI_ACTOR } from './actor.ts';
import { outcomeToRefusal } from './refusal.ts';
import { oneLine } from './safe-output.ts';
import { inOwnEnvironment, webhookHost } from './settings/webhook-host.ts';
import type { System } from './system.ts';

/** Saves definitions of different workflows, all or none, or throws a Refusal whose pointers lead into each `file`. */
export async function applyWorkflows(
  { database, tenantId, config }: System,
  files: readonly { readonly file: string; readonly definition: WorkflowDefinition }[],
): Promise<readonly SavedWorkflow[]> {
  const acting = { tenantId, ...CLI_ACTOR };
  const given = files.map(({ file, definition }) => ({ definition, place: file === '' ? '' : `${file}#` }));
  return await database.withTenant(acting, async (client) =>
    outcomeToRefusal(inOwnEnvironment(await saveWorkflows(client, acting, given, webhookHost(config)))),
  );
}

/** What running a file has switched on or off besides; none where it was saved before as it is. */
export function switchedLines({ outcome, status, triggers }: SavedWorkflow): string[] {
  const lines = triggerLines(triggers);
  const isAsBefore = outcome === 'unchanged' && !triggers.webhooks.some(({ secret }) => secret !== undefined);
  if (lines.length === 0 || isAsBefore) return [];
  const what =
    status === 'active' ? 'from now on it is started by' : `it is ${status}: once active it is started by`;
  return [`its triggers are saved with it; ${what}`, ...lines];
}

/** A line for each webhook and schedule, with the secret that was just made up; and for what left the definition. */
export function triggerLines({ schedules, webhooks, events, removed }: FileTriggers): string[] {
  return [
    ...schedules.map(({ name, nextRunAt }) => `  schedule ${oneLine(name)}: next ${nextRunAt ?? 'never'}`),
    ...webhooks.map(
      ({ url, secret }) =>
        `  webhook ${url}${secret === undefined ? '' : `\n    secret, shown only now: ${secret}`}`,
    ),
    ...events.map((name) => `  event ${oneLine(name)}`),
    ...removed.schedules.map(({ name }) => `  removed schedule ${oneLine(name)}`),
    ...removed.webhooks.map(({ path }) => `  removed webhook /hooks/${path}`),
    ...removed.events.map((name) => `  removed event ${oneLine(name)}`),
  ];
}
