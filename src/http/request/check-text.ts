// A definition's text, read and checked: pure, so that it may happen in a process of its own (definition-reader.ts).
import { explainPlan } from '../../core/definition/explain.ts';
import type { WorkflowDefinition } from '../../core/definition/model.ts';
import { parseDocument } from '../../core/definition/reading/parse.ts';
import type { TaskTypeRule } from '../../core/definition/task-type.ts';
import { validateDefinition } from '../../core/definition/validate.ts';
import type { Problem } from '../../core/errors.ts';
import { BuildBudget } from '../../core/expression/build-budget.ts';
import { isJsonObject } from '../../core/json.ts';

/** What is checked. Plain data: it goes to another process as JSON. */
export interface DefinitionText {
  readonly text: string;
  readonly format: 'json' | 'yaml';
  /** Its name, where the document has none of its own. */
  readonly workflowId?: string;
  /** Types beside the built-in ones: what defineTask makes, which is data. */
  readonly taskTypes: readonly TaskTypeRule[];
  /** Say in words when each task runs, and what it has by defaults. */
  readonly explain?: boolean;
}

export type CheckedText =
  /** No document at all. */
  | { readonly kind: 'unreadable'; readonly problems: readonly Problem[] }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] }
  | {
      readonly kind: 'valid';
      readonly definition: WorkflowDefinition;
      readonly warnings: readonly Problem[];
      readonly explanation?: string;
    };

const NAMES = ['workflowId', 'workflow_id', 'id'];

export function checkText(given: DefinitionText, buildBudget?: BuildBudget): CheckedText {
  const { text, format, workflowId, taskTypes, explain } = given;
  const parsed = parseDocument(text, format);
  if (!parsed.ok) return { kind: 'unreadable', problems: parsed.problems };
  const document = workflowId === undefined ? parsed.value : nameDocument(parsed.value, workflowId);
  const rules = new Map(taskTypes.map((rule) => [rule.type, rule]));
  const result = validateDefinition(document, { taskTypes: rules, buildBudget, nowMs: Date.now() });
  if (!result.ok) return { kind: 'invalid', problems: result.problems, warnings: result.warnings };
  const { definition, plan, warnings } = result.value;
  return {
    kind: 'valid',
    ...{ definition, warnings },
    ...(explain === true ? { explanation: explainPlan(plan, definition) } : {}),
  };
}

/** The same where compiling its schemas and patterns costs no more than so many units; null where it would cost more. */
export function checkCheapText(given: DefinitionText, units: number): CheckedText | null {
  const budget = new BuildBudget(units);
  const checked = checkText(given, budget);
  return budget.hasRefused ? null : checked;
}

function nameDocument(document: unknown, workflowId: string): unknown {
  if (!isJsonObject(document) || NAMES.some((name) => Object.hasOwn(document, name))) return document;
  return { workflowId, ...document };
}
