// The load of a chaos run: six kinds of graphs that together use every shape of the engine, each with an output that can be
// foretold from the execution's id.
import { parseDocument } from '../../src/core/definition/reading/parse.ts';
import { validateDefinition } from '../../src/core/definition/validate.ts';
import type { Json } from '../../src/core/json.ts';
import type { Database } from '../../src/db/connection/connection.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { applyDefinition } from '../../src/db/resources/definitions.ts';
import { valueFor } from './provider.ts';
import * as tasks from './tasks.ts';

const RULES = new Map(Object.values(tasks).map(({ type, rule }) => [type, rule]));
const RETRY = 'retry: { maxAttempts: 4, initialIntervalSeconds: 0.2 }';

export interface Workflow {
  readonly id: string;
  readonly document: string;
  /** Idempotency keys whose values its `total` adds up, without the execution's id. */
  counted(n: number): readonly string[];
}

const fan = ['p1', 'p2', 'p3', 'p4', 'p5', 'p6'];
const items = [0, 1, 2, 3, 4, 5];

export const WORKFLOWS: readonly Workflow[] = [
  {
    id: 'chain',
    document: `
nodes:
  - { taskId: a, taskType: call }
  - { taskId: b, taskType: transformation, dependsOn: [a], config: { output: $.tasks.a.output.value } }
  - { taskId: c, taskType: model_inference, modelId: simulated/writer, dependsOn: [b], config: { prompt: "Say {{ tasks.b.output }}" } }
  - { taskId: d, taskType: call, dependsOn: [c] }
  - { taskId: e, taskType: call, dependsOn: [d] }
output: { total: "{{ tasks.b.output + tasks.d.output.value + tasks.e.output.value }}" }`,
    counted: () => ['a', 'd', 'e'],
  },
  {
    id: 'fan',
    document: `
nodes:
  - { taskId: root, taskType: call }
${fan.map((id) => `  - { taskId: ${id}, taskType: call, dependsOn: [root] }`).join('\n')}
  - { taskId: sum, taskType: aggregation, dependsOn: [${fan}], config: { strategy: sum, path: $.value } }
  - { taskId: last, taskType: call, dependsOn: [sum] }
output: { total: "{{ tasks.sum.output + tasks.last.output.value }}" }`,
    counted: () => [...fan, 'last'],
  },
  {
    id: 'items',
    document: `
nodes:
  - { taskId: list, taskType: transformation, config: { output: [${items}] } }
  - { taskId: each, taskType: parallel, dependsOn: [list], config: { items: $.tasks.list.output, maxConcurrency: 3, task: { taskType: call } } }
  - { taskId: sum, taskType: aggregation, dependsOn: [each], config: { strategy: sum, path: $.value } }
output: { total: $.tasks.sum.output }`,
    counted: () => items.map((index) => `each:${index}`),
  },
  {
    id: 'branch',
    document: `
nodes:
  - { taskId: pick, taskType: condition, config: { cases: [{ when: "input.n % 2 == 0", branch: even }], default: odd } }
  - { taskId: even, taskType: call, dependsOn: [{ taskId: pick, branch: even }] }
  - { taskId: odd, taskType: call, dependsOn: [{ taskId: pick, branch: odd }] }
  - { taskId: odder, taskType: call, dependsOn: [odd] }
  - { taskId: join, taskType: call, dependsOn: [even, odder] }
output: { total: "{{ (tasks.even.output.value ?? 0) + (tasks.odd.output.value ?? 0) + (tasks.odder.output.value ?? 0) + tasks.join.output.value }}" }`,
    counted: (n) => (n % 2 === 0 ? ['even', 'join'] : ['odd', 'odder', 'join']),
  },
  {
    id: 'patience',
    document: `
nodes:
  - { taskId: first, taskType: call }
  - { taskId: nap, taskType: wait, dependsOn: [first], config: { seconds: 1 } }
  - { taskId: flaky, taskType: call, dependsOn: [nap], config: { isFlaky: true }, ${RETRY} }
  - { taskId: sure, taskType: call, dependsOn: [nap] }
  - { taskId: both, taskType: aggregation, dependsOn: [flaky, sure], config: { strategy: sum, path: $.value } }
output: { total: "{{ tasks.both.output + tasks.first.output.value }}" }`,
    counted: () => ['first', 'flaky', 'sure'],
  },
  {
    id: 'progress',
    document: `
nodes:
  - { taskId: work, taskType: steps }
  - { taskId: after, taskType: call, dependsOn: [work] }
output: { total: "{{ tasks.work.output.value + tasks.after.output.value }}" }`,
    counted: () => ['work', 'after'],
  },
];

/** The output of a completed execution. */
export function expectedTotal(workflow: Workflow, executionId: string, n: number): number {
  return workflow.counted(n).reduce((sum, key) => sum + valueFor(`${executionId}:${key}`), 0);
}

/** Validates a YAML document as `apply` does, and saves it. */
export async function applyDocument(database: Database, workflowId: string, yaml: string): Promise<void> {
  const parsed = parseDocument(`workflowId: ${workflowId}\n${yaml}`, 'yaml');
  const valid = parsed.ok ? validateDefinition(parsed.value as Json, { taskTypes: RULES }) : parsed;
  if (!valid.ok) throw new Error(`${workflowId}: ${JSON.stringify(valid.problems, null, 1)}`);
  await applyDefinition(database, DEFAULT_TENANT_ID, valid.value.definition, 'chaos');
}

export async function applyWorkflows(database: Database): Promise<void> {
  for (const { id, document } of WORKFLOWS) await applyDocument(database, id, document);
}
