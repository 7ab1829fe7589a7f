// One claimed attempt and its place in the plan.
import type { Claim } from '../../db/protocol/transitions.ts';
import type { CompiledNode, Runnable } from '../memory/compiled.ts';
import type { ExecutionMemory } from '../memory/memory.ts';

export interface Work {
  readonly memory: ExecutionMemory;
  readonly node: CompiledNode;
  /** The node itself, or the part of its fan-out that this claim is for. */
  readonly runnable: Runnable;
  readonly claim: Claim;
}

/** A claim's place in the plan. */
export function workOf(memory: ExecutionMemory, claim: Claim): Work {
  const node = memory.compiled.nodes[memory.compiled.plan.indexOf.get(claim.taskId)!]!;
  const runnable =
    claim.mapIndex < 0 || node.missing !== null
      ? node
      : node.partNames === null
        ? node.parts![0]!
        : node.parts![claim.mapIndex]!;
  return { memory, node, runnable, claim };
}
