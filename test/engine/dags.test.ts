// Real workflow DAGs (WfCommons, Pegasus, dagbench) through the engine, with two workers.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { NodeDefinition } from '../../src/core/definition/model.ts';
import { buildPlan } from '../../src/core/plan/build-plan.ts';
import { isAncestor } from '../../src/core/plan/graph.ts';
import { definition, type Engine, failing, openEngine } from '../support/engine.ts';

const FOLDER = fileURLToPath(new URL('../../../shared/data/dags/', import.meta.url));
const FILES = existsSync(FOLDER)
  ? readdirSync(FOLDER).filter((name) => name.endsWith('.json') && name !== 'index.json')
  : [];

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine();
  await engine.addWorker();
});
afterEach(() => engine?.expectSound());
afterAll(() => engine?.close());

/** The DAG with a body per task. Ids become ones that a definition may have. */
function read(file: string): NodeDefinition[] {
  const { nodes } = JSON.parse(readFileSync(FOLDER + file, 'utf8')) as {
    nodes: { id: string; dependsOn: string[] }[];
  };
  const names = new Map(nodes.map(({ id }, i) => [id, `t${i}_${id.replaceAll(/\W/g, '_').slice(0, 80)}`]));
  return nodes.map(({ id, dependsOn }) => ({
    taskId: names.get(id)!,
    taskType: 'probe',
    dependsOn: dependsOn.map((parent) => ({ taskId: names.get(parent)! })),
    config: {},
  }));
}

/** Tasks that started before a parent had ended, by the database's own order and clock. */
async function startedTooEarly(id: string, nodes: readonly NodeDefinition[]): Promise<string[]> {
  const rows = await engine.query<{ t: string; seq: number; started: string; completed: string }>(
    `select task_id as t, completed_seq as seq, started_at::text as started, completed_at::text as completed
     from dagwright.task_executions where workflow_execution_id = $1 and map_index = -1`,
    [id],
  );
  const byId = new Map(rows.map((row) => [row.t, row]));
  return nodes.flatMap(({ taskId, dependsOn }) =>
    dependsOn
      .filter((edge) => {
        const [parent, child] = [byId.get(edge.taskId)!, byId.get(taskId)!];
        return parent.seq >= child.seq || parent.completed > child.started;
      })
      .map((edge) => `${taskId} before ${edge.taskId}`),
  );
}

describe.skipIf(FILES.length === 0)('real DAGs (skipped where ../shared/data/dags is absent)', () => {
  test.for(FILES)('%s runs each task once, none before its parents ended', async (file) => {
    const nodes = read(file);
    engine.entered.length = 0;
    const { execution, tasks } = await engine.run(definition(nodes));
    expect(execution.status).toBe('completed');
    expect(engine.entered.toSorted()).toEqual(nodes.map(({ taskId }) => taskId).toSorted());
    expect(tasks.filter(({ status, attempt }) => status !== 'completed' || attempt !== 1)).toEqual([]);
    expect(await startedTooEarly(execution.id, nodes)).toEqual([]);
  });

  test.for(FILES)(
    '%s: under `continue` exactly the descendants of a failed task do not run',
    async (file) => {
      const nodes = read(file);
      const plan = buildPlan(definition(nodes));
      // The task with the most descendants among those that have parents, so that something is left on both sides.
      const candidates = plan.nodes.filter((node) => node.inEdges.length > 0 && node.outEdges.length > 0);
      const chosen = candidates[0] ?? plan.nodes[0]!;
      const broken = nodes.map((node) =>
        node.taskId === chosen.taskId ? { ...node, ...failing('http_500') } : node,
      );
      const { execution, tasks } = await engine.run(definition(broken, { failurePolicy: 'continue' }));
      const expected = plan.nodes.map(({ index, taskId }) => {
        if (index === chosen.index) return `${taskId} failed null`;
        return isAncestor(plan, chosen.index, index)
          ? `${taskId} skipped upstream_failed`
          : `${taskId} completed null`;
      });
      expect(tasks.map(({ taskId, status, reason }) => `${taskId} ${status} ${reason}`).toSorted()).toEqual(
        expected.toSorted(),
      );
      expect(execution).toMatchObject({
        status: 'failed',
        error: { code: 'http_500', taskId: chosen.taskId, attempts: 1 },
      });
    },
  );
});
