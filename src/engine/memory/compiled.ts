// A revision made ready to run: the plan, and for each node its type, its compiled expressions and its effective retry
// policy and timeout. Computed once per revision, kept in a bounded cache of the worker.

import { executionTimeoutSeconds } from '../../core/definition/checks/execution-timeout.ts';
import type { NodeDefinition, WorkflowDefinition } from '../../core/definition/model.ts';
import { withDefaults } from '../../core/definition/reading/defaults.ts';
import { type CompiledSchema, compileSchema } from '../../core/definition/schema/input-schema.ts';
import type { Result } from '../../core/errors.ts';
import { BuildBudget, withBuildBudget } from '../../core/expression/build-budget.ts';
import { compileCondition, compileMapping, type Mapping } from '../../core/expression/mapping.ts';
import type { Json } from '../../core/json.ts';
import { buildPlan } from '../../core/plan/build-plan.ts';
import type { Plan, PlanNode } from '../../core/plan/plan.ts';
import { type EffectiveRetryPolicy, effectivePolicy } from '../../core/retry.ts';
import { objectText, quoted } from '../../db/protocol/json-text.ts';
import type { ROW_KEYS } from '../../db/protocol/settle-keys.ts';
import type { PartTraits } from '../../db/protocol/settlement.ts';
import { partsOf } from '../../tasks/parallel.ts';
import { missingTypeText, type PreparedTask, type TaskType } from '../../tasks/task-type.ts';

/** Seconds that one attempt may run where the definition says nothing. */
const DEFAULT_TASK_TIMEOUT_SECONDS = 300;

/** What is needed to run one attempt: of a node, or of a part of a fan-out. */
export interface Runnable {
  readonly definition: NodeDefinition;
  readonly type: TaskType;
  readonly prepared: PreparedTask;
  /** Where it does not hold, it is skipped. */
  readonly condition: Mapping | null;
  readonly input: Mapping | null;
  readonly output: Mapping | null;
  readonly retry: EffectiveRetryPolicy;
  readonly timeoutSeconds: number;
}

export interface CompiledNode extends Runnable {
  readonly plan: PlanNode;
  /** Tasks whose results the expressions read (by index), beside the parents. */
  readonly reads: readonly number[];
  /** Names of the variables that the expressions read. */
  readonly variables: readonly string[];
  /** Of a parallel: its parts; one for all items, or one per named branch. */
  readonly parts: readonly Runnable[] | null;
  readonly partNames: readonly string[] | null;
  readonly partTraits: PartTraits | null;
  /** Ways that edges out of it name. */
  readonly branches: readonly string[];
}

export interface CompiledPlan {
  readonly plan: Plan;
  readonly nodes: readonly CompiledNode[];
  readonly inputSchema: CompiledSchema | null;
  readonly outputSchema: CompiledSchema | null;
  readonly output: Mapping | null;
  /** Tasks that `output` reads, or the leaves. */
  readonly outputReads: readonly number[];
  /** Names of the variables that `output` reads. */
  readonly outputVariables: readonly string[];
  /** The one node that every other one precedes, when it always ends last; else null. */
  readonly soleSink: number | null;
  /** Of an execution; null: none. */
  readonly timeoutSeconds: number | null;
  /** The row list of open_v2, as JSON: the same for every execution. */
  readonly rowsJson: string;
  /** Roots that open_v2 leaves ready, with jobs. */
  readonly hasReadyRoots: boolean;
  /** Nodes that open_v2 claims for the opener: first the lane's own, then pure ones. */
  readonly claimedRoots: readonly number[];
  /** Units that its schemas and patterns cost to compile; their memory grows with them. */
  readonly weight: number;
}

/** How many pure tasks one settle may claim beyond its lane's own. */
export const EXTRA_PURE = 32;

/** Compiles a stored (valid, normalised) definition. Throws where it is not valid: a broken promise. */
export function compilePlan(
  definition: WorkflowDefinition,
  types: ReadonlyMap<string, TaskType>,
): CompiledPlan {
  const budget = BuildBudget.ofStored(definition.nodes.length);
  return withBuildBudget(budget, () => ({ ...compileParts(definition, types), weight: budget.spent }));
}

function compileParts(
  definition: WorkflowDefinition,
  types: ReadonlyMap<string, TaskType>,
): Omit<CompiledPlan, 'weight'> {
  const effective = withDefaults(definition);
  const plan = buildPlan(effective);
  const nodes = plan.nodes.map((node) => compileNode(node, plan, types));
  const output = definition.output === undefined ? null : must(compileMapping(definition.output, '/output'));
  const claimed = plan.roots.filter((root, i) => i === 0 || nodes[root]!.type.isPure).slice(0, EXTRA_PURE);
  return {
    plan,
    nodes,
    inputSchema: definition.inputSchema === undefined ? null : must(compileSchema(definition.inputSchema)),
    outputSchema: definition.outputSchema === undefined ? null : must(compileSchema(definition.outputSchema)),
    output,
    outputReads: output === null ? plan.leaves : readsOf([output], plan, null),
    outputVariables: output === null ? [] : variablesOf([output]),
    soleSink: soleSinkOf(plan),
    timeoutSeconds: executionTimeoutSeconds(effective),
    rowsJson: rowsJson(plan, claimed),
    hasReadyRoots: claimed.length < plan.roots.length,
    claimedRoots: claimed,
  };
}

function compileNode(node: PlanNode, plan: Plan, types: ReadonlyMap<string, TaskType>): CompiledNode {
  const { definition } = node;
  const runnable = compileRunnable(definition, plan, types);
  const parts = definition.taskType === 'parallel' ? partsOf(definition) : null;
  const partRunnables =
    parts === null
      ? null
      : (parts.kind === 'items' ? [parts.task] : parts.tasks).map((part) =>
          compileRunnable(part, plan, types),
        );
  const mappings = [runnable, ...(partRunnables ?? [])]
    .flatMap(({ condition, prepared, input, output }) => [condition, ...prepared.mappings, input, output])
    .filter((mapping) => mapping !== null);
  return {
    ...runnable,
    plan: node,
    reads: readsOf(mappings, plan, node),
    variables: variablesOf(mappings),
    parts: partRunnables,
    partNames: parts?.kind === 'branches' ? parts.names : null,
    partTraits:
      partRunnables === null
        ? null
        : {
            types: partRunnables.map(({ type }) => type.type),
            areNamed: parts?.kind === 'branches',
            arePure: partRunnables.every(({ type }) => type.isPure),
          },
    branches: [...new Set(node.outEdges.flatMap(({ branch }) => branch ?? []))],
  };
}

function compileRunnable(
  definition: NodeDefinition,
  plan: Plan,
  types: ReadonlyMap<string, TaskType>,
): Runnable {
  const type = types.get(definition.taskType);
  if (type === undefined) throw new UnknownTaskTypeError(definition.taskId, definition.taskType);
  const mapping = (value: Json | undefined) => (value === undefined ? null : must(compileMapping(value, '')));
  return {
    definition,
    type,
    prepared: type.prepare(definition, types),
    condition:
      definition.conditionExpression === undefined
        ? null
        : must(compileCondition(definition.conditionExpression, '')),
    input: mapping(definition.inputMapping),
    output: mapping(definition.outputMapping),
    retry: effectivePolicy(definition.retry, plan.definition.maxRetries),
    timeoutSeconds: definition.timeoutSeconds ?? DEFAULT_TASK_TIMEOUT_SECONDS,
  };
}

/** Thrown where a definition uses a task type that this worker, which may be any of the database, does not have. */
export class UnknownTaskTypeError extends Error {
  constructor(taskId: string, taskType: string) {
    super(`Task "${taskId}": ${missingTypeText(taskType)}`);
    this.name = 'UnknownTaskTypeError';
  }
}

// Indexes of the tasks that the expressions read; all ancestors (or all tasks) where `tasks` is read as a whole.
function readsOf(mappings: readonly Mapping[], plan: Plan, reader: PlanNode | null): readonly number[] {
  const reads = new Set<number>();
  for (const { references } of mappings) {
    for (const { root, path } of references) {
      if (root !== 'tasks' && root !== '$') continue;
      const named = root === 'tasks' && typeof path[0] === 'string' ? plan.indexOf.get(path[0]) : undefined;
      if (named !== undefined) reads.add(named);
      else if (path.length === 0 || root === '$')
        for (const index of ancestorsOf(plan, reader)) reads.add(index);
    }
  }
  return [...reads];
}

// Validation lets variables be read by name only.
function variablesOf(mappings: readonly Mapping[]): readonly string[] {
  const names = mappings.flatMap(({ references }) =>
    references.flatMap(({ root, path }) => (root === 'variables' ? String(path[0]) : [])),
  );
  return [...new Set(names)];
}

function ancestorsOf(plan: Plan, reader: PlanNode | null): Iterable<number> {
  if (reader === null) return plan.nodes.keys();
  const seen = new Set<number>();
  const open = [reader.index];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const { from } of plan.nodes[at]!.inEdges) {
      if (seen.has(from)) continue;
      seen.add(from);
      open.push(from);
    }
  }
  return seen;
}

// With a single sink and no early rules, every other task has ended when the sink runs.
function soleSinkOf(plan: Plan): number | null {
  const [sink, ...others] = plan.leaves;
  if (sink === undefined || others.length > 0) return null;
  return plan.nodes.some((node) => node.early.onSuccess || node.early.onFailure) ? null : sink;
}

function rowsJson(plan: Plan, claimed: readonly number[]): string {
  const rows = plan.nodes.map((node) => {
    const early = (node.early.onSuccess ? 1 : 0) + (node.early.onFailure ? 2 : 0);
    const claim = node.inEdges.length > 0 ? undefined : claimed.includes(node.index) ? 1 : 2;
    return objectText<typeof ROW_KEYS>({
      t: quoted(node.taskId),
      ty: quoted(node.definition.taskType),
      p: node.inEdges.length,
      ea: early === 0 ? undefined : early,
      st: node.staysAfterFailure ? true : undefined,
      c: claim,
    });
  });
  return `[${rows.join(',')}]`;
}

function must<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  const [problem] = result.problems;
  throw new Error(`stored definition is not valid: ${problem?.pointer ?? ''} ${problem?.message ?? ''}`);
}
