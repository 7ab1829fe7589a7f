// What can still be checked of nodes that are broken in structure: all that is sound in them, so that one typo does not
// hide the next.
import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import type { Dependency, NodeDefinition } from '../model.ts';
import type { Reporter } from '../reporter.ts';
import { BROKEN_DEPENDENCY, type SoundNode } from './graph-check.ts';
import { checkStructure } from './structure.ts';

export interface SoundNodes {
  /** Every node that is an object with a type; a taskId that is no text is empty. */
  readonly nodes: readonly SoundNode[];
  /** All nodes are sound: a plan can be made. */
  readonly isSound: boolean;
  /** All nodes have a taskId: what is not among them does not exist. */
  readonly isNamed: boolean;
}

/** Checks the structure of every node. */
export function soundNodes(document: JsonObject, reporter: Reporter): SoundNodes {
  const listed: readonly Json[] = Array.isArray(document.nodes) ? document.nodes : [];
  const nodes: SoundNode[] = [];
  let isSound = listed.length > 0;
  let isNamed = true;
  listed.forEach((value, i) => {
    const pointer = `/nodes/${i}`;
    if (!reporter.isFull && checkStructure('node', value, pointer, reporter)) {
      nodes.push({ node: value as unknown as NodeDefinition, pointer });
      return;
    }
    isSound = false;
    const node = mend(value);
    if (node === null || node.taskId === '') isNamed = false;
    if (node !== null) nodes.push({ node, pointer });
  });
  return { nodes, isSound, isNamed };
}

function mend(value: Json): NodeDefinition | null {
  if (!isJsonObject(value)) return null;
  const {
    taskId,
    taskType,
    dependsOn,
    config,
    modelId,
    retry,
    conditionExpression,
    inputMapping,
    outputMapping,
  } = value;
  return {
    taskId: typeof taskId === 'string' && taskId.length <= 200 ? taskId : '',
    taskType: typeof taskType === 'string' ? taskType : '',
    dependsOn: Array.isArray(dependsOn) ? (dependsOn as readonly Json[]).map(mendDependency) : [],
    config: isJsonObject(config) ? config : {},
    ...(typeof modelId === 'string' && { modelId }),
    ...((isJsonObject(retry) || Array.isArray(retry)) && { retry }),
    ...(conditionExpression !== undefined && { conditionExpression }),
    ...(inputMapping !== undefined && { inputMapping }),
    ...(outputMapping !== undefined && { outputMapping }),
  };
}

function mendDependency(entry: Json): Dependency {
  if (!isJsonObject(entry) || typeof entry.taskId !== 'string' || entry.taskId === '')
    return BROKEN_DEPENDENCY;
  const { taskId, on, branch, errors } = entry;
  return {
    taskId,
    ...((on === 'success' || on === 'failure' || on === 'any') && { on }),
    ...(typeof branch === 'string' && { branch }),
    ...(Array.isArray(errors) && errors.every((pattern) => typeof pattern === 'string') && { errors }),
  };
}
