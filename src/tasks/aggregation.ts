// `aggregation`: gathers values from parents or from `source`, and combines them by a strategy (core/aggregate.ts).
import { aggregate, STRATEGIES } from '../core/aggregate.ts';
import type { NodeDefinition } from '../core/definition/model.ts';
import { evaluateMapping } from '../core/expression/mapping.ts';
import { isJsonObject, type Json } from '../core/json.ts';
import { compileField, invalidField, readField } from './compile-config.ts';
import { type Element, prepareSelector, prepareWeights } from './element-selector.ts';
import type { ParentResult, TaskType } from './task-type.ts';

export const aggregation: TaskType = {
  type: 'aggregation',
  isPure: true,
  completesAtOnce: true,
  readsParents: true,
  prepare(node) {
    const strategy = STRATEGIES.find((one) => one === readField(node, 'strategy'));
    if (strategy === undefined)
      throw invalidField(
        node,
        'strategy',
        `one of ${STRATEGIES.join(', ')}`,
        readField(node, 'strategy') ?? null,
      );
    const source = readField(node, 'source') === undefined ? null : compileField(node, 'source');
    const order = compileField(node, 'order');
    const min = compileField(node, 'min');
    const [path, by, weights] = [
      prepareSelector(node, 'path'),
      prepareSelector(node, 'by'),
      prepareWeights(node),
    ];
    const selectors = [path, by, weights].flatMap((selector) => selector?.mappings ?? []);
    return {
      mappings: [...(source === null ? [] : [source]), order, min, ...selectors],
      run({ scope, parents }) {
        const elements =
          source === null
            ? elementsOfParents(parents)
            : elementsOfSource(node, evaluateMapping(source, scope));
        const { output, winnerIndex } = aggregate(
          {
            taskId: node.taskId,
            strategy,
            path: path?.bind(scope, elements),
            by: by?.bind(scope, elements),
            weights: weights?.bind(scope, elements),
            order: readOrder(node, evaluateMapping(order, scope)),
            min: readMin(node, evaluateMapping(min, scope)),
          },
          elements.map((element) => element.value),
        );
        const winner = winnerIndex === null ? undefined : elements[winnerIndex]?.key;
        return { kind: 'completed', output, ...(winner !== undefined && { winner }) };
      },
    };
  },
};

/** Completed parents' outputs in dependsOn order; of one single `parallel`, what its parts gave. */
function elementsOfParents(parents: readonly ParentResult[]): Element[] {
  const [only] = parents;
  if (parents.length === 1 && only?.taskType === 'parallel' && only.status === 'completed') {
    const parts = spread(only.output);
    if (parts !== null) return parts.filter((element) => element.value !== null);
  }
  return parents
    .map((parent, position) => ({ ...parent, position }))
    .filter((parent) => parent.status === 'completed')
    .map(({ output, taskId, position }) => ({ value: output, key: taskId, position }));
}

function elementsOfSource(node: NodeDefinition, source: Json): Element[] {
  const elements = spread(source);
  if (elements === null) throw invalidField(node, 'source', 'an array, or an object of named values', source);
  return elements;
}

function spread(values: Json): Element[] | null {
  if (Array.isArray(values))
    return (values as readonly Json[]).map((value, position) => ({ value, key: String(position), position }));
  if (!isJsonObject(values)) return null;
  return Object.entries(values).map(([key, value], position) => ({ value, key, position }));
}

function readOrder(node: NodeDefinition, order: Json): 'asc' | 'desc' | undefined {
  if (order === null) return undefined;
  if (order === 'asc' || order === 'desc') return order;
  throw invalidField(node, 'order', '"desc" or "asc"', order);
}

function readMin(node: NodeDefinition, min: Json): number | undefined {
  if (min === null) return undefined;
  if (typeof min === 'number' && Number.isSafeInteger(min) && min >= 0) return min;
  throw invalidField(node, 'min', 'a whole number of 0 or more', min);
}
