// Whether a document is a definition that can be saved, by whatever door it came: its structure and its triggers by themselves.
// Whether a path is free is not asked.
import type { WorkflowDefinition } from '../../core/definition/model.ts';
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

export interface CheckOptions {
  readonly tenantName: string;
  /** Absent: references to the service's secrets are not looked up; another service may have them. */
  readonly source?: Pick<SecretSource, 'secrets'>;
}

/** A document by itself, and its triggers. */
export async function checkDocument(
  document: unknown,
  { taskTypes, ...options }: CheckOptions & { readonly taskTypes: ReadonlyMap<string, TaskTypeRule> },
): Promise<CheckedDocument> {
  const result = validateDefinition(document, { taskTypes, nowMs: Date.now() });
  if (!result.ok) return result;
  const { definition, warnings } = result.value;
  const problems = await triggerProblems(definition, options);
  return problems.length > 0 ? { ok: false, problems, warnings } : { ok: true, ...result.value };
}

/** What is wrong with the triggers of a definition that is valid by itself. */
export async function triggerProblems(
  definition: WorkflowDefinition,
  { tenantName, source }: CheckOptions,
): Promise<readonly Problem[]> {
  const { webhooks } = triggersByKind(definition);
  return boundProblems(await webhookProblems(definition.workflowId, webhooks, tenantName, source));
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

export function validationOf(
  checked:
    | { readonly ok: true; readonly definition: WorkflowDefinition; readonly warnings: readonly Problem[] }
    | { readonly ok: false; readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] },
  explanation?: string,
): Validation {
  if (!checked.ok) return { valid: false, errors: checked.problems, warnings: checked.warnings };
  const { definition, warnings } = checked;
  return {
    ...{ valid: true, workflowId: definition.workflowId, errors: [], warnings },
    ...(explanation === undefined ? {} : { explanation }),
  };
}
