// Whether a document is a definition that can be saved, by whatever door it came: its structure and its triggers by themselves.
// Whether a path is free is not asked.
import { explainJoins } from '../../core/definition/explain.ts';
import type { TaskTypeRule } from '../../core/definition/task-type.ts';
import { type ValidDefinition, validateDefinition } from '../../core/definition/validate.ts';
import type { Problem } from '../../core/errors.ts';
import { boundProblems } from '../../core/problem-report.ts';
import type { SecretSource } from '../../triggers/webhooks/stored-secrets.ts';
import { webhookProblems } from './file-webhooks.ts';
import { triggersByKind } from './sync-triggers.ts';

export type CheckedDocument =
  | ({ readonly ok: true } & ValidDefinition)
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] };

/** Without `source` references to the service's secrets are not looked up: another service may have them. */
export function checkDocument(
  document: unknown,
  {
    taskTypes,
    tenantName,
    source,
  }: {
    readonly taskTypes: ReadonlyMap<string, TaskTypeRule>;
    readonly tenantName: string;
    readonly source?: Pick<SecretSource, 'secrets'>;
  },
): CheckedDocument {
  const result = validateDefinition(document, { taskTypes });
  if (!result.ok) return result;
  const { definition, warnings } = result.value;
  const { webhooks } = triggersByKind(definition);
  const problems = webhookProblems(definition.workflowId, webhooks, tenantName, source);
  return problems.length > 0
    ? { ok: false, problems: boundProblems(problems), warnings }
    : { ok: true, ...result.value };
}

/** What is told of a checked document. */
export interface Validation {
  readonly valid: boolean;
  /** Where it is valid. */
  readonly workflowId?: string;
  readonly errors: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** How each join is understood, in words, where it is valid and was asked for. */
  readonly explanation?: string;
}

export function validationOf(checked: CheckedDocument, { explain = false } = {}): Validation {
  if (!checked.ok) return { valid: false, errors: checked.problems, warnings: checked.warnings };
  const { definition, plan, warnings } = checked;
  return {
    valid: true,
    workflowId: definition.workflowId,
    errors: [],
    warnings,
    ...(explain ? { explanation: explainJoins(plan) } : {}),
  };
}
