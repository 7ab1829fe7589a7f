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
import { type EffectiveRetryPolicy, effectivePolicies } from '../../core/retry.ts';
import { objectText, quoted } from '../../db/protocol/json-text.ts';
import type { OpeningPlan } from '../../db/protocol/openings.ts';
import type { ROW_KEYS } from '../../db/protocol/settle-keys.ts';
import type { PartTraits } from '../../db/protocol/settlement.ts';
import { eventLoop } from '../../tasks/event-loop.ts';
import { partsOf } from '../../tasks/parallel.ts';
import { LOOP, type Loop, loopOf, roundOf } from '../../tasks/repeat.ts';
import { MissingTypeError, type PreparedTask, type TaskType } from '../../tasks/task-type.ts';
import { readsOf, variablesOf } from './expression-reads.ts';
import { cacheOf, keyOf, type TaskCache } from './task-cache.ts';

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
  /** The first whose codes match decides. */
  readonly retry: readonly EffectiveRetryPolicy[];
  readonly timeoutSeconds: number;
  readonly cache: TaskCache | null;
}

export interface CompiledNode extends Runnable {
  readonly plan: PlanNode;
  /** Why this worker cannot run it, nor its parts: they are left to others; null: it can. */
  readonly missing: MissingTypeError | null;
  /** Tasks whose results the expressions read (by index), beside the parents. */
  readonly reads: readonly number[];
  /** Parents whose output it does not need: of those it asks how they ended. */
  readonly statesOnly: ReadonlySet<number>;
  /** Names of the variables that the expressions read. */
  readonly variables: readonly string[];
  /** Of a parallel: its parts; one for all items, or one per named branch. */
  readonly parts: readonly Runnable[] | null;
  readonly partNames: readonly string[] | null;
  /** Of a node that runs in rounds: each is a part. */
  readonly loop: Loop | null;
  /** The expressions of its rounds read what the round before gave. */
  readonly readsPrevious: boolean;
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
  /** How every execution of it is opened. */
  readonly opening: OpeningPlan;
  /** Nodes that an opening claims for the opener: first the lane's own, then pure ones. */
  readonly claimedRoots: readonly number[];
  /** Units that its schemas and patterns, and apart from them its templates, cost to compile; their memory grows with them. */
  readonly weight: number;
  readonly templateWeight: number;
}

/** How many pure tasks one settle may claim beyond its lane's own. */
export const EXTRA_PURE = 32;

/** Plans take one of the turns of the event loop together, and tenants take turns for it. */
const PLANS = 'plans';

/**
 * Compiles a stored (valid, normalised) definition, in several turns of the event loop where it takes long. Throws where it is not
 * valid: a broken promise.
 */
export async function compilePlan(
  definition: WorkflowDefinition,
  types: ReadonlyMap<string, TaskType>,
  tenantId = '',
): Promise<CompiledPlan> {
  const budget = BuildBudget.ofStored(definition.nodes.length);
  const plan = buildPlan(withDefaults(definition));
  const nodes: CompiledNode[] = [];
  const compileNext = async <T>(compile: () => T): Promise<T> => {
    return await eventLoop.run(PLANS, () => withBuildBudget(budget, compile), tenantId);
  };
  for (const node of plan.nodes) nodes.push(await compileNext(() => compileNode(node, plan, types)));
  const inputSchema = await compileNext(() => schemaOf(definition.inputSchema));
  const outputSchema = await compileNext(() => schemaOf(definition.outputSchema));
  const parts = await compileNext(() => compileWhole(definition, plan, nodes));
  const templateWeight = budget.spentOnTemplates;
  return { ...parts, inputSchema, outputSchema, weight: budget.spent - templateWeight, templateWeight };
}

const schemaOf = (schema: Json | undefined) => (schema === undefined ? null : must(compileSchema(schema)));

function compileWhole(
  definition: WorkflowDefinition,
  plan: Plan,
  nodes: readonly CompiledNode[],
): Omit<CompiledPlan, 'weight' | 'templateWeight' | 'inputSchema' | 'outputSchema'> {
  const output = definition.output === undefined ? null : must(compileMapping(definition.output, '/output'));
  const claimed = plan.roots
    .filter((root) => nodes[root]!.missing === null)
    .filter((root, i) => i === 0 || nodes[root]!.type.isPure)
    .slice(0, EXTRA_PURE);
  return {
    plan,
    nodes,
    output,
    outputReads: output === null ? plan.leaves : readsOf([output], plan, null),
    outputVariables: output === null ? [] : variablesOf([output]),
    soleSink: soleSinkOf(plan),
    opening: {
      deadlineSeconds: executionTimeoutSeconds(plan.definition),
      rowsJson: rowsJson(plan, claimed),
      rowCount: plan.nodes.length,
      hasReady: claimed.length < plan.roots.length,
    },
    claimedRoots: claimed,
  };
}

function compileNode(node: PlanNode, plan: Plan, types: ReadonlyMap<string, TaskType>): CompiledNode {
  try {
    return compilePresent(node, plan, types);
  } catch (error) {
    if (error instanceof MissingTypeError) return absentNode(node, plan, error);
    throw error;
  }
}

function compilePresent(node: PlanNode, plan: Plan, types: ReadonlyMap<string, TaskType>): CompiledNode {
  const { definition } = node;
  const loop = loopOf(definition);
  const runnable =
    loop === null ? compileRunnable(definition, plan, types) : compileLoop(definition, plan, types);
  const parts = loop === null && definition.taskType === 'parallel' ? partsOf(definition) : null;
  const definitions =
    loop !== null
      ? [roundOf(definition)]
      : parts === null
        ? null
        : parts.kind === 'items'
          ? [parts.task]
          : parts.tasks;
  const partRunnables = definitions?.map((part) => compileRunnable(part, plan, types)) ?? null;
  const runnables = [runnable, ...(partRunnables ?? [])];
  const mappings = runnables
    .flatMap((one) => [...one.prepared.mappings, one.condition, one.input, one.output, keyOf(one)])
    .filter((mapping) => mapping !== null);
  const reads = readsOf(mappings, plan, node);
  // An input that is not mapped is what the parents gave.
  const readsParents = runnable.type.readsParents === true || runnables.some(({ input }) => input === null);
  const unread = node.inEdges.map(({ from }) => from).filter((from) => !reads.includes(from));
  return {
    ...runnable,
    plan: node,
    missing: null,
    reads,
    statesOnly: new Set(readsParents ? [] : unread),
    variables: variablesOf(mappings),
    parts: partRunnables,
    partNames: parts?.kind === 'branches' ? parts.names : null,
    loop,
    readsPrevious: mappings.some(({ references }) => references.some(readsPreviousRound)),
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
  as?: Pick<Runnable, 'type' | 'prepared'>,
): Runnable {
  const type = as?.type ?? types.get(definition.taskType);
  if (type === undefined) throw new MissingTypeError(definition.taskId, definition.taskType);
  const mapping = (value: Json | undefined) => (value === undefined ? null : must(compileMapping(value, '')));
  return {
    definition,
    type,
    prepared: as?.prepared ?? type.prepare(definition, types),
    condition:
      definition.conditionExpression === undefined
        ? null
        : must(compileCondition(definition.conditionExpression, '')),
    input: mapping(definition.inputMapping),
    output: mapping(definition.outputMapping),
    retry: effectivePolicies(definition.retry ?? type.defaults?.retry, plan.definition.maxRetries),
    timeoutSeconds:
      definition.timeoutSeconds ?? type.defaults?.timeoutSeconds ?? DEFAULT_TASK_TIMEOUT_SECONDS,
    cache: cacheOf(definition, plan.definition.workflowId, mapping),
  };
}

// The loop as a whole: it has the node's condition, and its rounds have the rest.
function compileLoop(definition: NodeDefinition, plan: Plan, types: ReadonlyMap<string, TaskType>): Runnable {
  const { inputMapping: _, outputMapping: _output, ...whole } = definition;
  return compileRunnable(whole, plan, types, { type: LOOP, prepared: LOOP.prepare(definition, types) });
}

const readsPreviousRound = ({ root, path }: Mapping['references'][number]) =>
  root === '$' || (root === 'loop' && (path[0] === undefined || path[0] === 'previous'));

// A node that other workers run: its place in the plan, and nothing of its body.
function absentNode(node: PlanNode, plan: Plan, missing: MissingTypeError): CompiledNode {
  const { definition } = node;
  const fail = () => {
    throw missing;
  };
  return {
    definition,
    type: { type: definition.taskType, isPure: false, prepare: fail },
    prepared: { mappings: [], run: fail },
    input: null,
    output: null,
    retry: effectivePolicies(definition.retry, plan.definition.maxRetries),
    timeoutSeconds: definition.timeoutSeconds ?? DEFAULT_TASK_TIMEOUT_SECONDS,
    cache: null,
    plan: node,
    missing,
    condition: null,
    reads: [],
    statesOnly: new Set(),
    variables: [],
    ...{ parts: null, partNames: null, partTraits: null, branches: [], loop: null, readsPrevious: false },
  };
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
