// What a settle is: how an attempt ended, what follows from it, and what comes back from the database.
import type { SkipReason, TaskStatus } from '../../core/status.ts';
import type { WaitKind } from '../../core/wait.ts';
import type { Claim, TaskRef } from './transitions.ts';

/** How an attempt ended. JSON fields are already serialised and storable. */
export interface SettleRow {
  readonly claim: Claim;
  readonly to: 'completed' | 'failed' | 'skipped' | 'cancelled' | 'waiting' | 'retrying' | 'released';
  readonly reason?: SkipReason;
  readonly branch?: string;
  readonly winner?: string;
  readonly inputJson?: string;
  readonly outputJson?: string;
  readonly errorJson?: string;
  /** Exact decimal; undefined: nothing spent; null: unknown. */
  readonly costUsd?: string | null;
  readonly durationMs: number;
  readonly usageJson?: string;
  readonly wakeMs?: number;
  readonly waitingOn?: WaitKind;
  readonly keepAttempt?: boolean;
  readonly isPure?: boolean;
  readonly staysAfterFailure?: boolean;
  /** JSON of the errors of parts that failed within the tolerance. */
  readonly partErrorsJson?: string;
  /** A part whose failure is none. */
  readonly isOptionalPart?: boolean;
  readonly partTypes?: readonly string[];
  readonly fanOut?: {
    readonly total: number;
    readonly concurrency: number;
    readonly tolerated: number;
    readonly needed: number;
    readonly types: readonly string[];
    readonly itemsJson: string;
  };
  readonly end?: { readonly status: string; readonly outputJson: string; readonly errorJson: string };
}

export interface ChildEdge {
  readonly taskId: string;
  readonly outcome: 'success' | 'failed' | 'skipped';
  readonly isPure: boolean;
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
  readonly row: SettleRow;
  readonly edges: readonly ChildEdge[];
  /** The lane wants to go on with a task that this makes ready. */
  readonly wantsNext: boolean;
  /** Head of the lane's own list, tried when nothing became ready. */
  readonly next: readonly TaskRef[];
  readonly extraPure: number;
  /** JSON of the output, if this settle ends the execution and nothing failed. */
  readonly finishOutputJson?: string;
  readonly further?: readonly FurtherEnd[];
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
