// What a settle is: the end of an attempt, what follows from it, and what comes back from the database.
import type { AttemptEnd } from '../../core/attempt-end.ts';
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
}

export interface SettleResult {
  readonly outcome: 'settled' | 'lost' | 'failing';
  /** With `lost`: what the row has now. */
  readonly found?: { readonly fence: number | null; readonly status: TaskStatus | null };
  /** Database time of the settle, milliseconds since the epoch. */
  readonly atMs: number;
  readonly next: Claim | null;
  readonly extras: readonly Claim[];
  readonly drained: boolean;
  readonly finished: boolean;
}
