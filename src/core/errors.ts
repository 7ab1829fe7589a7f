// Which error codes are retried, how a code is matched by a pattern (CONTRACT 2.3), and the two error classes that task authors learn.
import type { ProblemCode } from './codes/code.ts';
import { TASK_CODES, type TaskCodeText } from './codes/task-codes.ts';
import type { Json } from './json.ts';

/** Codes that are retried when a policy has no `retryOn`. Everything else, and TerminalError, only if `retryOn` names it. */
export const DEFAULT_RETRY_ON: readonly string[] = Object.entries<TaskCodeText>(TASK_CODES)
  .filter(([, { isRetried }]) => isRetried === true)
  .map(([code]) => code);

/** Why a task or an execution failed, as stored and shown. `attempts` is added when the failure is final. */
export interface TaskError {
  readonly code: string;
  readonly message: string;
  readonly taskId?: string;
  readonly status?: number;
  readonly details?: Json;
  readonly attempts?: number;
}

const CODE_PATTERN = /^(\*|http_[1-5](\d\d|xx)|[A-Za-z][A-Za-z0-9_.]{0,99})$/;

/** True for a code, a class (`http_4xx`) or `*`. */
export function isErrorPattern(text: string): boolean {
  return CODE_PATTERN.test(text);
}

/** True when `code` is `pattern`, or in its class: `http_4xx` holds `http_404`, `*` holds all. */
export function matchesErrorCode(pattern: string, code: string): boolean {
  if (pattern === '*' || pattern === code) return true;
  return /^http_[1-5]xx$/.test(pattern) && /^http_\d\d\d$/.test(code) && pattern[5] === code[5];
}

/** True when any pattern matches. */
export function matchesAnyErrorCode(patterns: readonly string[], code: string): boolean {
  return patterns.some((pattern) => matchesErrorCode(pattern, code));
}

/** Thrown by a task: fails with `code` and is not retried unless `retryOn` names the code. */
export class TerminalError extends Error {
  readonly code: string;
  readonly details: Json | undefined;
  /** HTTP status, where the error is one. */
  readonly status: number | undefined;
  constructor(
    code: string,
    message: string,
    options: { details?: Json; status?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'TerminalError';
    this.code = code;
    this.details = options.details;
    this.status = options.status;
  }
}

/** Thrown by a task: retried by policy; `retryAfter` (seconds) is the least delay. */
export class RetryableError extends Error {
  readonly code: string;
  readonly retryAfter: number | undefined;
  readonly details: Json | undefined;
  /** HTTP status, where the error is one. */
  readonly status: number | undefined;
  constructor(
    message: string,
    options: { retryAfter?: number; code?: string; details?: Json; status?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'RetryableError';
    this.code = options.code ?? 'handler_error';
    this.retryAfter = options.retryAfter;
    this.details = options.details;
    this.status = options.status;
  }
}

/** What of an outside service holds a task back: its breaker is open, it asked for fewer calls, or its limits are used up. */
export const HELD_BY = ['breaker', 'pause', 'limit'] as const;
export interface HeldBy {
  readonly service: string;
  readonly by: (typeof HELD_BY)[number];
}
/** Of the error that the row of such a task shows while it waits. */
export const NOT_NOW = 'not_now';

/** Thrown by a task that cannot run yet: it waits without a slot and is run again; no attempt is spent. */
export class NotNow extends Error {
  readonly delayMs: number;
  readonly heldBy: HeldBy | null;
  constructor(message: string, delayMs: number, heldBy: HeldBy | null = null) {
    super(message);
    this.name = 'NotNow';
    this.delayMs = delayMs;
    this.heldBy = heldBy;
  }
}

/** One problem of a definition, input or setting. `pointer` is an RFC 6901 JSON pointer into the author's document. */
export interface Problem {
  readonly pointer: string;
  readonly code: ProblemCode;
  readonly message: string;
  readonly hint?: string;
}
export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** For switches over unions: a new member fails to compile here. */
export function assertNever(value: never): never {
  throw new Error(`unexpected ${JSON.stringify(value)}`);
}
