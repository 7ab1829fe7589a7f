// Saves definitions from a program: objects, or texts in YAML or JSON.
import { webhookHost } from '../cli/settings/webhook-host.ts';
import { DagwrightError } from '../core/dagwright-error.ts';
import type { WorkflowDefinition } from '../core/definition/model.ts';
import { parseDocument } from '../core/definition/reading/parse.ts';
import type { Problem } from '../core/errors.ts';
import type { Acting } from '../db/connection/connection.ts';
import { checkDocument } from '../resources/definitions/check-document.ts';
import { saveWorkflows } from '../resources/definitions/save-workflows.ts';
import { errorOfRefusal, translated } from './failure.ts';
import type { Opened } from './open.ts';
import type { AppliedWorkflow } from './views.ts';

/** A program names its task types to `connect`; the setting is the command line's. */
function inOwnWords(problem: Problem): Problem {
  return problem.code === 'unknown_type' && problem.hint?.includes('DAGWRIGHT_TASKS') === true
    ? { ...problem, hint: 'own types are given to Dagwright.connect({ tasks: [ … ] })' }
    : problem;
}

/** All or none. Throws a DagwrightError with all that is wrong; pointers begin with the place in the list: `1#/nodes/0`. */
export async function applyDefinitions(
  { config, database, tenant, rules }: Opened,
  acting: Acting,
  documents: readonly (string | object)[],
): Promise<readonly AppliedWorkflow[]> {
  const problems: Problem[] = [];
  const placeOf = (i: number) => (documents.length === 1 ? '' : `${i}#`);
  const definitions: WorkflowDefinition[] = [];
  for (const [i, document] of documents.entries()) {
    const parsed =
      typeof document === 'string' ? parseDocument(document) : { ok: true as const, value: document };
    const checked = parsed.ok
      ? await checkDocument(parsed.value, { taskTypes: rules, tenantName: tenant })
      : parsed;
    if (checked.ok) definitions.push(checked.definition);
    else
      problems.push(
        ...checked.problems.map((one) => ({ ...inOwnWords(one), pointer: `${placeOf(i)}${one.pointer}` })),
      );
  }
  if (problems.length > 0) throw new DagwrightError('validation', problems);
  const given = definitions.map((definition, i) => ({ definition, place: placeOf(i) }));
  const saved = await translated(
    () => database.withTenant(acting, (client) => saveWorkflows(client, acting, given, webhookHost(config))),
    config,
  );
  if (!saved.ok) throw errorOfRefusal(saved);
  return saved.value.map(({ workflowId, revision, status, outcome, triggers }) => ({
    ...{ workflowId, revision, status, outcome },
    webhooks: triggers.webhooks.map(({ url, secret }) => ({
      url,
      ...(secret === undefined ? {} : { secret }),
    })),
    schedules: triggers.schedules.map(({ name, nextRunAt }) => ({ name, nextRunAt })),
  }));
}
