// Graphs written as text for tests: "a -> b -> d; a -> c -> d".
import type { NodeDefinition } from '../../src/core/definition/model.ts';

/** Nodes of the text graph in order of appearance, all of one task type. */
export function nodesOf(text: string, taskType = 'transformation'): NodeDefinition[] {
  const parents = new Map<string, string[]>();
  for (const chain of text.split(';')) {
    const ids = chain.split('->').map((id) => id.trim());
    ids.forEach((id, i) => {
      if (id === '') return;
      const own = parents.get(id) ?? [];
      const before = ids[i - 1];
      if (before !== undefined && !own.includes(before)) own.push(before);
      parents.set(id, own);
    });
  }
  return [...parents].map(([taskId, dependsOn]) => ({
    taskId,
    taskType,
    dependsOn: dependsOn.map((parent) => ({ taskId: parent })),
    config: {},
  }));
}
