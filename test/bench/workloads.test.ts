// The shapes: what they count, and that each is a definition which the engine accepts.
import { describe, expect, it } from 'vitest';
import { CONTENDERS, canRun } from '../../bench/contender.ts';
import { documentOf } from '../../bench/contenders/definition.ts';
import { layeredRunOf } from '../../bench/contenders/layers.ts';
import { countBodies, countSteps, nodesOf, WORKLOADS, workloadNamed } from '../../bench/workloads.ts';
import { validateDefinition } from '../../src/core/definition/validate.ts';
import { defineTask } from '../../src/tasks/custom-task.ts';

const noop = defineTask({ type: 'noop', run: async () => null });

describe('a workload', () => {
  it.each(WORKLOADS)(
    '$name is a definition without problems, and every node but the last has a child',
    (workload) => {
      const document = documentOf(workload, noop.type);
      const result = validateDefinition(document, { taskTypes: new Map([[noop.type, noop.rule]]) });
      expect(result).toMatchObject({ ok: true });
      const nodes = nodesOf(workload);
      const parents = new Set(nodes.flatMap((node) => node.parents.map(({ taskId }) => taskId)));
      const childless = nodes.filter(({ taskId }) => !parents.has(taskId));
      expect(childless).toEqual([nodes.at(-1)]);
    },
  );

  it.each([
    ['chain10_c64', 10, 10],
    ['fan1000', 1_000, 1_000],
    ['dag10000', 10_000, 10_000],
    ['mixed10_c64', 10, 4],
    ['fanpure', 1_001, 334],
  ])('%s has %i nodes, %i of them with a body', (name, nodes, bodies) => {
    expect(countSteps(workloadNamed(name))).toBe(nodes);
    expect(nodesOf(workloadNamed(name))).toHaveLength(nodes);
    expect(countBodies(workloadNamed(name))).toBe(bodies);
  });

  it('is run by this engine, DBOS and Restate, whatever it is', () => {
    for (const workload of WORKLOADS)
      expect(CONTENDERS.filter((name) => canRun(name, workload))).toEqual(
        expect.arrayContaining(['dagwright', 'dbos', 'restate', 'commits']),
      );
    expect(canRun('openworkflow', workloadNamed('chain10_c64'))).toBe(true);
    expect(canRun('openworkflow', workloadNamed('fan1000'))).toBe(false);
  });
});

describe('a workload for an engine of functions', () => {
  it('counts pure nodes as steps, though only bodies run', () => {
    expect(layeredRunOf(workloadNamed('mixed10_c64'), false)).toEqual({
      layers: [1, 1, 1, 1],
      stepsPerRun: 10,
      bodiesPerRun: 4,
      warmUp: null,
    });
    expect(layeredRunOf(workloadNamed('fanpure'), false)).toMatchObject({
      layers: [1, 333],
      bodiesPerRun: 334,
    });
  });

  it('lets all steps of the fan-out start at once', () => {
    expect(layeredRunOf(workloadNamed('fan1000'), false)).toMatchObject({
      layers: [1_000],
      stepsPerRun: 1_000,
    });
  });

  it('is shortened to 2,000 steps by a quick benchmark, and warmed up with 200', () => {
    const { layers, stepsPerRun, bodiesPerRun, warmUp } = layeredRunOf(workloadNamed('dag10000'), true);
    expect(layers).toEqual([1, 997, 1_000, 2]);
    expect([stepsPerRun, bodiesPerRun]).toEqual([2_000, 2_000]);
    expect(warmUp).toEqual([1, 199]);
  });
});
