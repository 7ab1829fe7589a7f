// The plan: a definition made ready to run. Nodes are numbered in topological order of the definition; edges are objects
// shared by both ends. Pure data: computed once per revision and cached by workers.
import type {
  EdgeCondition,
  FailurePolicy,
  NodeDefinition,
  TriggerRule,
  WorkflowDefinition,
} from '../definition/model.ts';

/** An edge as `dependsOn` wrote it. `from` and `to` are node indexes. */
export interface PlanEdge {
  readonly from: number;
  readonly to: number;
  readonly on: EdgeCondition;
  readonly branch: string | null;
  /** Patterns of `on: failure`; null: all codes. */
  readonly errors: readonly string[] | null;
}

export interface PlanNode {
  readonly index: number;
  readonly taskId: string;
  readonly definition: NodeDefinition;
  readonly optional: boolean;
  readonly triggerRule: TriggerRule | null;
  /** In `dependsOn` order. */
  readonly inEdges: readonly PlanEdge[];
  readonly outEdges: readonly PlanEdge[];
  /** Those of `outEdges` that are `on: failure`. */
  readonly failureEdges: readonly PlanEdge[];
  /** The join groups of CONTRACT 2.1, as positions in `inEdges`: one success is needed in each. Empty for triggerRule nodes and roots. */
  readonly groups: readonly (readonly number[])[];
  /**
   * Plain edges from a fork that other ways of the same fork are drawn beside, by position in `inEdges`: the branches
   * that are drawn. Such an edge stands for the other ways only: it meets no group when one of these was chosen.
   */
  readonly drawn: ReadonlyMap<number, readonly string[]>;
  /** Fires before all parents ended: on the first success, on the first failure. */
  readonly early: { readonly onSuccess: boolean; readonly onFailure: boolean };
  /** Asks for failures itself, or descends from a node that does: stays pending after an uncaught failure (CONTRACT 2.1, table). */
  readonly staysAfterFailure: boolean;
}

export interface Plan {
  readonly definition: WorkflowDefinition;
  readonly nodes: readonly PlanNode[];
  readonly indexOf: ReadonlyMap<string, number>;
  readonly failurePolicy: FailurePolicy;
  readonly roots: readonly number[];
  readonly leaves: readonly number[];
}
