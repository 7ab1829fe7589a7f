// From an author's document to a valid definition with its plan, or to all that is wrong with it. Static: evaluates
// nothing, reads nothing else. Never throws.

import type { ProblemCode } from '../codes/code.ts';
import type { Problem } from '../errors.ts';
import { BuildBudget, withBuildBudget } from '../expression/build-budget.ts';
import { compileMapping } from '../expression/mapping.ts';
import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { buildPlan } from '../plan/build-plan.ts';
import type { Plan } from '../plan/plan.ts';
import { boundProblems } from '../problem-report.ts';
import { checkDefaults } from './checks/defaults-check.ts';
import { warnOfDollarTemplates } from './checks/dollar-templates.ts';
import { executionTimeoutSeconds } from './checks/execution-timeout.ts';
import { checkGraph, type SoundNode } from './checks/graph-check.ts';
import { warnOfKeptFlags } from './checks/kept-flags.ts';
import { findNeverRuns } from './checks/never-runs.ts';
import { checkReads, type NodeReads, tasksById } from './checks/reads.ts';
import { ExclusionBudget, excludedBy } from './checks/shape.ts';
import { soundNodes } from './checks/sound-nodes.ts';
import { checkStructure } from './checks/structure.ts';
import { checkTask, type Read } from './checks/task-check.ts';
import { checkTriggers } from './checks/trigger-check.ts';
import type { WorkflowDefinition } from './model.ts';
import { joinPointer } from './pointer.ts';
import { describeValue } from './quote-text.ts';
import { copyDocument, MAX_DOCUMENT_BYTES } from './reading/copy-document.ts';
import { withDefaults } from './reading/defaults.ts';
import { noteDefaults } from './reading/filled-fields.ts';
import { type Normalized, normalize } from './reading/normalize.ts';
import { Reporter } from './reporter.ts';
import { BUILTIN_TASK_TYPES } from './schema/builtin-types.ts';
import { type CompiledSchema, compileSchema } from './schema/input-schema.ts';
import { ValidationBudget } from './schema/steps.ts';
import type { TaskTypeRule } from './task-type.ts';

export interface ValidDefinition {
  /** In our names, as it is stored: `defaults` not filled in. */
  readonly definition: WorkflowDefinition;
  /** Of the definition with its defaults filled in (defaults.ts). */
  readonly plan: Plan;
  readonly warnings: readonly Problem[];
}

export type Validation =
  | { readonly ok: true; readonly value: ValidDefinition }
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] };

export interface ValidationLimits {
  readonly maxNodes: number;
  readonly maxEdges: number;
  readonly maxBytes: number;
}
export const DEFAULT_LIMITS: ValidationLimits = {
  maxNodes: 20_000,
  maxEdges: 200_000,
  maxBytes: MAX_DOCUMENT_BYTES,
};

export interface ValidationOptions {
  /** Types beside the built-in ones. */
  readonly taskTypes?: ReadonlyMap<string, TaskTypeRule>;
  readonly limits?: Partial<ValidationLimits>;
  /** Used where the document has no workflowId. */
  readonly workflowId?: string;
  /** The time by which a schedule has ended already; absent: it is not asked. */
  readonly nowMs?: number;
  /** What compiling its schemas and patterns may cost; absent: what a document of its size may take. */
  readonly buildBudget?: BuildBudget;
}

type TaskTypes = ReadonlyMap<string, TaskTypeRule>;

/** All problems at once; pointers are RFC 6901 into `document`. */
export function validateDefinition(document: unknown, options: ValidationOptions = {}): Validation {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const copied = copyDocument(document, limits.maxBytes);
  if (!copied.ok) return { ok: false, problems: boundProblems(copied.problems), warnings: [] };
  const author = copied.value;
  if (!isJsonObject(author))
    return refuse('', 'type', `a definition is an object, got ${describeValue(author)}`);
  const tooLarge = checkLimits(author, limits);
  if (tooLarge !== null) return tooLarge;

  const taskTypes: TaskTypes =
    options.taskTypes === undefined
      ? BUILTIN_TASK_TYPES
      : new Map([...options.taskTypes, ...BUILTIN_TASK_TYPES]);
  const normalized = normalize(author, { taskTypes, workflowId: options.workflowId });
  const reporter = new Reporter(author, normalized.origins);
  reporter.authored(normalized.problems, normalized.rewrites);

  const nodes = Array.isArray(author.nodes) ? author.nodes.length : 0;
  const plan = withBuildBudget(options.buildBudget ?? BuildBudget.ofDocument(nodes), () =>
    checkNormalized(normalized, taskTypes, reporter, options.nowMs),
  );
  const { errors, warnings } = reporter.result();
  if (errors.length > 0 || plan === null) return { ok: false, problems: errors, warnings };
  return {
    ok: true,
    value: { definition: normalized.document as unknown as WorkflowDefinition, plan, warnings },
  };
}

/** The recipe. Each step goes on with what the one before found sound; null where no plan can be made. */
function checkNormalized(
  { document, origins }: Normalized,
  taskTypes: TaskTypes,
  reporter: Reporter,
  nowMs?: number,
): Plan | null {
  const isTopSound = checkStructure('top', document, '', reporter);
  const { inputSchema, compiledInput } = checkTop(document, reporter);
  const areDefaultsUsable = checkDefaults(document, taskTypes, reporter);
  const steps = ValidationBudget.ofDocument(Array.isArray(document.nodes) ? document.nodes.length : 0);
  checkTriggers(document, { inputSchema: compiledInput, steps, reporter, nowMs });
  warnOfDollarTemplates(document, reporter);
  warnOfKeptFlags(document, reporter);

  const { nodes: sound, isSound, isNamed } = soundNodes(document, reporter);
  const definition = {
    ...document,
    defaults: isTopSound && areDefaultsUsable ? document.defaults : undefined,
    nodes: sound.map(({ node }) => node),
  };
  const effective = withDefaults(definition as unknown as WorkflowDefinition);
  noteDefaults(effective, sound, origins);

  const timeoutSeconds = executionTimeoutSeconds(effective) ?? Number.POSITIVE_INFINITY;
  const reads: NodeReads[] = [{ taskId: null, reads: readsOfOutput(document, reporter) }];
  effective.nodes.forEach((node, i) => {
    if (reporter.isFull) return;
    const task = node as unknown as JsonObject;
    reads.push({
      taskId: node.taskId,
      reads: checkTask(task, sound[i]!.pointer, { taskTypes, reporter, timeoutSeconds, steps }),
    });
  });

  const isPlannable = checkGraph(
    effective.nodes.flatMap((node, i) => (node.taskId === '' ? [] : [{ node, pointer: sound[i]!.pointer }])),
    taskTypes,
    { reporter, isNamed },
  );
  const plan = isPlannable && isSound && isTopSound ? buildPlan(effective) : null;
  if (plan !== null) reportNeverRuns(plan, sound, taskTypes, reporter);
  // Where a node has no name, what seems unknown may be that node.
  if (isNamed)
    checkReads(reads, {
      tasks: tasksById(effective.nodes as unknown as JsonObject[]),
      taskTypes,
      inputSchema,
      plan,
      reporter,
    });
  return plan;
}

/** Schemas and default parameters; the input schema where it can be used. */
function checkTop(
  document: JsonObject,
  reporter: Reporter,
): { readonly inputSchema: Json | null; readonly compiledInput: CompiledSchema | null } {
  let inputSchema: Json | null = null;
  let compiledInput: CompiledSchema | null = null;
  for (const field of ['inputSchema', 'outputSchema'] as const) {
    const schema = document[field];
    if (!isJsonObject(schema) && typeof schema !== 'boolean') continue;
    const compiled = compileSchema(schema);
    if (compiled.ok && field === 'inputSchema') {
      inputSchema = schema;
      compiledInput = compiled.value;
    }
    if (!compiled.ok)
      for (const problem of compiled.problems)
        reporter.error(`/${field}${problem.pointer}`, problem.code, problem.message, problem.hint);
  }
  const exclusions = new ExclusionBudget();
  for (const name of isJsonObject(document.defaultParameters)
    ? Object.keys(document.defaultParameters)
    : []) {
    const exclusion = excludedBy(inputSchema, [name], exclusions);
    if (exclusion !== null)
      reporter.error(
        joinPointer('/defaultParameters', name),
        'excluded_path',
        'the inputSchema does not allow this parameter',
        reporter.didYouMean(name, exclusion.known),
      );
  }
  return { inputSchema, compiledInput };
}

function readsOfOutput(document: JsonObject, reporter: Reporter): Read[] {
  if (document.output === undefined) return [];
  const compiled = compileMapping(document.output, '/output');
  if (compiled.ok)
    return compiled.value.references.map((reference) => ({
      reference,
      where: 'output',
      task: null,
      hasItem: false,
    }));
  reporter.errors(compiled.problems);
  return [];
}

function reportNeverRuns(
  plan: Plan,
  sound: readonly SoundNode[],
  taskTypes: TaskTypes,
  reporter: Reporter,
): void {
  const pointers = new Map(sound.map(({ node, pointer }) => [node.taskId, pointer]));
  const neverCompletes = (taskType: string): boolean => taskTypes.get(taskType)?.neverCompletes === true;
  for (const { index, why, edge } of findNeverRuns(plan, (node) =>
    neverCompletes(node.definition.taskType),
  )) {
    const { taskId } = plan.nodes[index]!;
    const node = pointers.get(taskId) ?? '/nodes';
    const pointer = edge === null ? joinPointer(node, 'dependsOn') : joinPointer(node, 'dependsOn', edge);
    reporter.error(pointer, 'never_runs', `"${taskId}" can never run: ${why}`);
  }
}

function checkLimits(author: JsonObject, limits: ValidationLimits): Validation | null {
  const nodes: readonly Json[] = Array.isArray(author.nodes) ? author.nodes : [];
  if (nodes.length > limits.maxNodes)
    return refuse(
      '/nodes',
      'too_large',
      `a definition may have ${limits.maxNodes} nodes, got ${nodes.length}`,
    );
  let edges = Array.isArray(author.edges) ? author.edges.length : 0;
  for (const node of nodes) {
    const list = isJsonObject(node) ? (node.dependsOn ?? node.depends_on) : null;
    if (Array.isArray(list)) edges += list.length;
  }
  return edges > limits.maxEdges
    ? refuse('/nodes', 'too_large', `a definition may have ${limits.maxEdges} edges, got ${edges}`)
    : null;
}

function refuse(pointer: string, code: ProblemCode, message: string): Validation {
  return { ok: false, problems: [{ pointer, code, message }], warnings: [] };
}
