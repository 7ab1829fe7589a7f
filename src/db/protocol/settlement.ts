// What a settle is: the end of an attempt, what follows from it, and what comes back from the database.
import type { AttemptEnd, Completion } from '../../core/attempt-end.ts';
import type { SkipReason, TaskStatus } from '../../core/status.ts';
import type { Claim, TaskRef } from './transitions.ts';

/** What the plan says of the task that is settled. */
export interface SettledTask {
  readonly isPure: boolean;
  readonly staysAfterFailure: boolean;
  /** A part whose failure is none. */
  readonly isOptionalPart: boolean;
  /** Of a fan-out and its parts. */
  readonly parts: PartTraits | null;
}

/** What the plan says of the parts of a fan-out: one for all items, or one per named branch. */
export interface PartTraits {
  readonly types: readonly string[];
  readonly areNamed: boolean;
  readonly arePure: boolean;
}

export interface ChildEdge {
  readonly taskId: string;
  readonly outcome: 'success' | 'failed' | 'skipped';
  readonly isPure: boolean;
  /** No other edge leads to the child. */
  readonly isOnly: boolean;
}

export interface FurtherEnd {
  readonly taskId: string;
  readonly status: 'skipped' | 'failed' | 'cancelled';
  readonly reason: SkipReason | null;
  readonly isFanOut: boolean;
  readonly cancelRunningItems: boolean;
}

/**
 * Pure tasks that were performed before the settle is sent, since nothing but it could stop them: each has the one before it
 * (the first: the settled task) as its only parent. They are written with the settle, or not at all.
 */
export interface PureSuccessors {
  readonly ends: readonly { readonly taskId: string; readonly end: Completion }[];
  /** Edges out of the last of them, and the output if its end ends the execution, in place of the settle's own. */
  readonly edges: readonly ChildEdge[];
  readonly finishOutputJson?: string;
}

/** One settle with what follows from it. */
export interface Settle {
  readonly executionId: string;
  readonly claim: Claim;
  readonly end: AttemptEnd;
  readonly task: SettledTask;
  readonly edges: readonly ChildEdge[];
  /** The lane wants to go on with a task that this makes ready. */
  readonly wantsNext: boolean;
  /** Head of the lane's own list, tried when nothing became ready. */
  readonly next: readonly TaskRef[];
  readonly extraPure: number;
  /** JSON of the output, if this settle ends the execution and nothing failed. */
  readonly finishOutputJson?: string;
  readonly further?: readonly FurtherEnd[];
  /** Tasks whose wait winds down: they are woken, to tell what they wait for. */
  readonly windDown?: readonly string[];
  readonly failing?: boolean;
  readonly successors?: PureSuccessors;
}

export interface SettleResult {
  readonly outcome: 'settled' | 'lost' | 'failing';
  /** Its pure successors are written too, and `next`, `extras` and the end of the execution follow from the last of them. */
  readonly withSuccessors: boolean;
  /** With `lost`: what the row has now. */
  readonly found?: { readonly fence: number | null; readonly status: TaskStatus | null };
  /** Database time of the settle, milliseconds since the epoch. */
  readonly atMs: number;
  readonly next: Claim | null;
  readonly extras: readonly Claim[];
  readonly drained: boolean;
  readonly finished: boolean;
}
