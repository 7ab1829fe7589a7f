// Runs one attempt: decides whether it runs at all, evaluates its expressions, calls its task type, and says how it ended.
// Writes nothing; settling.ts turns what this returns into rows.

import { decide, edgeOutcome, type TaskState } from '../core/decide.ts';
import { RetryableError, type TaskError, TerminalError } from '../core/errors.ts';
import { ExpressionError } from '../core/expression/errors.ts';
import { evaluateCondition, evaluateMapping } from '../core/expression/mapping.ts';
import {
  isJsonObject,
  type Json,
  type JsonObject,
  MAX_ASSEMBLED_BYTES,
  MAX_VALUE_BYTES,
  storableText,
  toStorableJson,
} from '../core/json.ts';
import { addUsd, parseUsd } from '../core/money.ts';
import { nextDelayMs } from '../core/retry.ts';
import type { SkipReason } from '../core/status.ts';
import { isConnectionLoss, isRetryable, untilAnswered } from '../db/connection.ts';
import { loadCheckpoint, loadFanOutValues, loadParts } from '../db/reads.ts';
import { type Claim, markEntered, writeCheckpoint } from '../db/transitions.ts';
import type { FanOut, ParentResult, PartResult, TaskContext } from '../tasks/task-type.ts';
import type { CompiledNode, Runnable } from './compiled.ts';
import type { WorkerContext } from './context.ts';
import type { AbortReason, HeldAttempt } from './held.ts';
import { type ExecutionMemory, resultsOf, type TaskResult } from './memory.ts';
import { attemptScope } from './scope.ts';

/** One claimed attempt and its place in the plan. */
export interface Work {
  readonly memory: ExecutionMemory;
  readonly node: CompiledNode;
  /** The node itself, or the part of its fan-out that this claim is for. */
  readonly runnable: Runnable;
  readonly claim: Claim;
}

/** How an attempt ended. */
export type AttemptEnd = {
  readonly costUsd?: string | null;
  readonly usage?: JsonObject;
  readonly inputJson?: string;
  readonly durationMs: number;
} & (
  | {
      readonly kind: 'completed';
      readonly outputJson: string;
      readonly output: Json;
      readonly branch?: string;
      readonly winner?: string;
      readonly partErrors?: readonly Json[];
    }
  | { readonly kind: 'skipped'; readonly reason: SkipReason }
  /** It would have begun to wait in an execution that is failing. */
  | { readonly kind: 'cancelled' }
  | {
      readonly kind: 'failed';
      readonly error: TaskError;
      readonly retryInMs: number | null;
      /** No attempt was made: nothing to keep of it. */
      readonly isUntried?: boolean;
    }
  | { readonly kind: 'waiting'; readonly delayMs: number }
  | { readonly kind: 'fanOut'; readonly fanOut: FanOut; readonly valuesJson: string }
  | {
      readonly kind: 'terminated';
      readonly status: string;
      readonly outputJson: string;
      readonly error: TaskError | null;
    }
  | { readonly kind: 'released' }
  | { readonly kind: 'abandoned' }
);

/** Thrown into an attempt that must end early. */
class Aborted extends Error {
  readonly reason: AbortReason;
  constructor(reason: AbortReason) {
    super(`aborted: ${reason}`);
    this.name = 'AbortError';
    this.reason = reason;
  }
}

export async function runAttempt(worker: WorkerContext, work: Work): Promise<AttemptEnd> {
  const { memory, node, runnable, claim } = work;
  const startedAt = performance.now();
  let enteredAt = startedAt;
  const spent = new Spent();
  let inputJson: string | undefined;
  const end = () => ({ durationMs: Math.round(performance.now() - enteredAt), inputJson, ...spent.fields() });
  const controller = new AbortController();
  let abort!: (reason: AbortReason) => void;
  const aborted = new Promise<never>((_, reject) => {
    abort = (reason) => {
      const error = new Aborted(reason);
      controller.abort(error);
      reject(error);
    };
  });
  aborted.catch(() => {});
  const held: HeldAttempt = { executionId: memory.row.id, claim, timeoutSeconds: null, startedAt, abort };
  worker.held.add(held);
  let timer: NodeJS.Timeout | undefined;
  let leave: (() => void) | undefined;
  let hasEntered = false;
  try {
    if (claim.recoveries > MAX_RECOVERIES) return { kind: 'failed', ...workerLost(claim), ...end() };
    if (claim.recoveries < SUSPECT_RECOVERIES) leave = worker.gate.enterAtOnce() ?? undefined;
    if (leave === undefined) {
      leave = await passGate(worker, work, aborted);
      enteredAt = performance.now();
    }
    if (!runnable.type.isPure) {
      held.timeoutSeconds = runnable.timeoutSeconds;
      timer = setTimeout(abort, Math.min(runnable.timeoutSeconds * 1000, 2 ** 31 - 1), 'timeout');
    }
    const results = await resultsOf(worker.pool, memory, needed(node));
    const decision = decideNode(memory, node, claim, results);
    if (decision !== null && decision.kind !== 'run') {
      // `wait` cannot be: it was woken because its edges allow it.
      return {
        kind: 'skipped',
        reason: decision.kind === 'skip' ? decision.reason : 'upstream_skipped',
        ...end(),
      };
    }
    const item = claim.mapIndex < 0 || node.partNames !== null ? undefined : await itemOf(worker, work);
    const readInput = once(() => inputOf(memory, work, results, () => scope));
    const scope = attemptScope(memory, results, {
      taskId: claim.taskId,
      mapIndex: claim.mapIndex,
      attempt: claim.attempt,
      idempotencyKey: idempotencyKey(memory, claim),
      input: readInput,
      nowMs: nowOf(memory, node, results),
      item,
    });
    if (claim.mapIndex < 0 && claim.phase === null && node.condition !== null) {
      if (!evaluateCondition(node.condition, scope))
        return { kind: 'skipped', reason: 'condition_false', ...end() };
    }
    if (runnable.input !== null) inputJson = storable(readInput(), 'input', claim.taskId, MAX_VALUE_BYTES);
    const context = await contextOf(worker, work, {
      results,
      scope,
      readInput,
      signal: controller.signal,
      spent,
    });
    hasEntered = !runnable.type.isPure;
    const running = runnable.prepared.run(context);
    const outcome = running instanceof Promise ? await Promise.race([running, aborted]) : running;
    switch (outcome.kind) {
      case 'wait':
        return { kind: 'waiting', delayMs: outcome.delayMs, ...end() };
      case 'fanOut':
        return {
          kind: 'fanOut',
          fanOut: outcome,
          valuesJson: storable(outcome.values, 'items', claim.taskId, MAX_ASSEMBLED_BYTES),
          ...end(),
        };
      case 'terminate':
        return {
          kind: 'terminated',
          status: outcome.status,
          outputJson: storable(outcome.output, 'output', claim.taskId, MAX_VALUE_BYTES),
          error: outcome.error,
          ...end(),
        };
    }
    const raw = outcome.output;
    const output =
      runnable.output === null
        ? raw
        : evaluateMapping(runnable.output, Object.assign(scope, { output: raw }) as typeof scope);
    const limit = claim.phase === 'items' ? MAX_ASSEMBLED_BYTES : MAX_VALUE_BYTES;
    const outputJson = storable(output, 'output', claim.taskId, limit);
    return {
      kind: 'completed',
      outputJson,
      output: isPlain(output) ? (output as Json) : (JSON.parse(outputJson) as Json),
      branch: outcome.branch,
      winner: outcome.winner,
      partErrors: outcome.errors,
      ...end(),
    };
  } catch (failure) {
    if (failure instanceof Aborted && failure.reason !== 'timeout') {
      return { kind: failure.reason === 'shutdown' ? 'released' : 'abandoned', ...end() };
    }
    if (!hasEntered && (isConnectionLoss(failure) || isRetryable(failure))) {
      // The database went away under our own reads: the attempt never ran.
      return { kind: 'released', ...end() };
    }
    const { error, isTerminal, retryAfterSeconds } = errorOf(failure, runnable, claim);
    const triesUsed = claim.attempt - claim.recoveries;
    const retryInMs =
      claim.phase === 'items'
        ? null
        : nextDelayMs({
            policy: runnable.retry,
            triesUsed,
            code: error.code,
            isTerminal,
            retryAfterSeconds,
            random: Math.random(),
          });
    return {
      kind: 'failed',
      error: retryInMs === null ? { ...error, attempts: claim.attempt } : error,
      retryInMs,
      ...end(),
    };
  } finally {
    clearTimeout(timer);
    leave?.();
  }
}

/** CONTRACT P2: so many crashes may cost a task its attempt; the next one ends it. */
const MAX_RECOVERIES = 3;
/** From so many on, a task runs alone in its worker. */
const SUSPECT_RECOVERIES = 2;

// Every start of it ended with its worker. The claim that finds this counts as no attempt.
function workerLost({ taskId, attempt }: Claim): { error: TaskError; retryInMs: null; isUntried: true } {
  const message = `Task "${taskId}": the worker died each of the ${attempt} times that it ran`;
  return {
    error: { taskId, code: 'worker_lost', message, attempts: attempt },
    retryInMs: null,
    isUntried: true,
  };
}

// Waits until a suspect may run alone, or until no suspect runs or waits. Meanwhile the row says that the body has not
// been entered, so that a crash of this worker costs the task no recovery.
async function passGate(
  worker: WorkerContext,
  { memory, claim }: Work,
  aborted: Promise<never>,
): Promise<() => void> {
  const isSuspect = claim.recoveries >= SUSPECT_RECOVERIES;
  const mark = async (hasEntered: boolean) => {
    const isOurs = untilAnswered(() => markEntered(worker.pool, memory.row.id, claim, hasEntered));
    if (!(await Promise.race([isOurs, aborted]))) throw new Aborted('lost');
  };
  if (!isSuspect) await mark(false);
  const entering = worker.gate.enter(isSuspect);
  let leave: (() => void) | undefined;
  try {
    leave = await Promise.race([entering, aborted]);
    await mark(true);
    return leave;
  } catch (failure) {
    void entering.then((leaveAgain) => leaveAgain());
    throw failure;
  }
}

/** The same for every attempt of a task. */
export function idempotencyKey(memory: ExecutionMemory, claim: Claim): string {
  return `${memory.row.id}:${claim.taskId}${claim.mapIndex < 0 ? '' : `:${claim.mapIndex}`}`;
}

// Direct parents (to decide, and for default inputs) and whatever the expressions read.
function needed(node: CompiledNode): Set<number> {
  const indexes = new Set(node.reads);
  for (const { from } of node.plan.inEdges) indexes.add(from);
  return indexes;
}

function decideNode(
  memory: ExecutionMemory,
  node: CompiledNode,
  claim: Claim,
  results: ReadonlyMap<number, TaskResult>,
) {
  if (claim.mapIndex >= 0 || claim.phase !== null) return null;
  const parents = node.plan.inEdges.map((edge) => stateOf(results.get(edge.from)));
  const outcomes = node.plan.inEdges.map((edge, i) =>
    edgeOutcome(edge, memory.compiled.plan.nodes[edge.from]!, parents[i]!),
  );
  return decide(node.plan, outcomes, parents);
}

/** What the planner needs of a result. */
export function stateOf(result: TaskResult | undefined): TaskState {
  if (result === undefined) return { status: 'pending' };
  const { status, reason, branch, error } = result;
  return { status, reason, branch, errorCode: error?.code ?? null };
}

function inputOf(
  memory: ExecutionMemory,
  { node, runnable, claim }: Work,
  results: ReadonlyMap<number, TaskResult>,
  scope: () => ReturnType<typeof attemptScope>,
): Json {
  if (runnable.input !== null) return evaluateMapping(runnable.input, scope());
  if (claim.mapIndex >= 0 && node.partNames === null)
    return memory.fanOuts.get(node.plan.index)?.[claim.mapIndex] ?? null;
  if (node.plan.inEdges.length === 0) return memory.input;
  const input: Record<string, Json> = Object.create(null);
  for (const { from } of node.plan.inEdges) {
    const result = results.get(from);
    if (result?.status === 'completed') input[memory.compiled.plan.nodes[from]!.taskId] = result.output;
  }
  return input;
}

async function itemOf(
  worker: WorkerContext,
  { memory, node, claim }: Work,
): Promise<{ value: Json; index: number }> {
  let values = memory.fanOuts.get(node.plan.index);
  if (values === undefined) {
    values = await loadFanOutValues(worker.pool, memory.row.id, claim.taskId);
    memory.fanOuts.set(node.plan.index, values);
  }
  return { value: values?.[claim.mapIndex] ?? null, index: claim.mapIndex };
}

// When it became able to start: the end of its last parent, kept in the database, so every attempt sees the same instant.
function nowOf(
  memory: ExecutionMemory,
  node: CompiledNode,
  results: ReadonlyMap<number, TaskResult>,
): number {
  const { early, inEdges } = node.plan;
  let at = memory.startedAtMs;
  let first = Number.POSITIVE_INFINITY;
  for (const edge of inEdges) {
    const result = results.get(edge.from);
    const endedAt = result?.completedAtMs;
    if (endedAt === undefined || endedAt === null) continue;
    at = Math.max(at, endedAt);
    const outcome = edgeOutcome(edge, memory.compiled.plan.nodes[edge.from]!, stateOf(result));
    if ((early.onSuccess && outcome === 'success') || (early.onFailure && outcome === 'failed'))
      first = Math.min(first, endedAt);
  }
  // An early rule was met by the first match; later ends of other parents change nothing.
  return first === Number.POSITIVE_INFINITY ? at : first;
}

async function contextOf(
  worker: WorkerContext,
  { memory, node, runnable, claim }: Work,
  parts: {
    results: ReadonlyMap<number, TaskResult>;
    scope: ReturnType<typeof attemptScope>;
    readInput: () => Json;
    signal: AbortSignal;
    spent: Spent;
  },
): Promise<TaskContext> {
  const executionId = memory.row.id;
  const collected = claim.phase === 'items' ? await loadParts(worker.pool, executionId, claim.taskId) : [];
  // By fence: what was released at shutdown starts again under the same attempt number.
  const mayHaveCheckpoint = claim.fence > 1 && !runnable.type.isPure;
  return {
    executionId,
    tenantId: memory.row.tenantId,
    taskId: claim.taskId,
    mapIndex: claim.mapIndex < 0 ? null : claim.mapIndex,
    attempt: claim.attempt,
    get input() {
      return parts.readInput();
    },
    signal: parts.signal,
    idempotencyKey: idempotencyKey(memory, claim),
    lastCheckpoint: mayHaveCheckpoint
      ? await loadCheckpoint(worker.pool, executionId, claim.taskId, claim.mapIndex)
      : undefined,
    async checkpoint(state) {
      parts.signal.throwIfAborted();
      const json = storable(state, 'checkpoint', claim.taskId, MAX_VALUE_BYTES);
      if (!(await untilAnswered(() => writeCheckpoint(worker.pool, executionId, claim, json))))
        throw new Aborted('lost');
    },
    addCost: (usd, usage) => parts.spent.add(usd, usage),
    log: worker.log,
    scope: parts.scope,
    get parents() {
      return parentsOf(memory, node, parts.results);
    },
    branches: node.branches,
    phase: claim.phase,
    parts: collected.map((part): PartResult => ({ ...part, completedSeq: part.completedSeq ?? 0 })),
    get now() {
      return new Date().toISOString();
    },
  };
}

function parentsOf(
  memory: ExecutionMemory,
  node: CompiledNode,
  results: ReadonlyMap<number, TaskResult>,
): ParentResult[] {
  return node.plan.inEdges.flatMap(({ from }) => {
    const result = results.get(from);
    const { taskId, definition } = memory.compiled.plan.nodes[from]!;
    return result === undefined
      ? []
      : [{ taskId, taskType: definition.taskType, status: result.status, output: result.output }];
  });
}

const MAX_USAGE_BYTES = 64_000;

// What an attempt cost, added up exactly; one unknown price makes the whole unknown.
class Spent {
  #usd: string | null | undefined;
  #usage: JsonObject | undefined;
  add(usd: string | number | null, usage?: JsonObject): void {
    if (usd === null || this.#usd === null) this.#usd = null;
    else this.#usd = this.#usd === undefined ? parseUsd(usd) : addUsd(this.#usd, parseUsd(usd));
    if (usage === undefined || !isJsonObject(usage)) return;
    const stored = toStorableJson(usage, MAX_USAGE_BYTES);
    if (!stored.ok) throw new TerminalError(stored.code, `addCost: its usage ${stored.message}`);
    this.#usage = { ...this.#usage, ...(JSON.parse(stored.json) as JsonObject) };
  }
  fields(): { costUsd?: string | null; usage?: JsonObject } {
    return { costUsd: this.#usd, usage: this.#usage };
  }
}

function storable(value: unknown, what: string, taskId: string, maxBytes: number): string {
  const result = toStorableJson(value, maxBytes);
  if (result.ok) return result.json;
  throw new TerminalError(result.code, `Task "${taskId}": its ${what} ${result.message}`);
}

// Values that survive JSON as they are need not be parsed back.
function isPlain(value: unknown): boolean {
  return value === null || typeof value === 'string' || typeof value === 'boolean';
}

function once<T>(read: () => T): () => T {
  let value: { readonly of: T } | undefined;
  return () => {
    value ??= { of: read() };
    return value.of;
  };
}

function errorOf(
  failure: unknown,
  runnable: Runnable,
  claim: Claim,
): { error: TaskError; isTerminal: boolean; retryAfterSeconds?: number } {
  const make = (code: string, message: string, details?: Json): TaskError => ({
    taskId: claim.taskId,
    code: storableText(String(code), 100),
    message: storableText(String(message)),
    ...(details === undefined ? {} : { details: safeDetails(details) }),
  });
  if (failure instanceof Aborted)
    return {
      error: make(
        'timeout',
        `Task "${claim.taskId}" ran past its timeoutSeconds (${runnable.timeoutSeconds})`,
      ),
      isTerminal: false,
    };
  if (failure instanceof TerminalError)
    return { error: make(failure.code, failure.message, failure.details), isTerminal: true };
  if (failure instanceof RetryableError)
    return {
      error: make(failure.code, failure.message, failure.details),
      isTerminal: false,
      retryAfterSeconds: failure.retryAfter,
    };
  if (failure instanceof ExpressionError)
    return { error: make(failure.code, failure.message), isTerminal: true };
  return { error: make('handler_error', messageOf(failure)), isTerminal: false };
}

// Authors throw anything: what cannot be shown must not end the lane.
function messageOf(failure: unknown): string {
  try {
    const text = failure instanceof Error ? failure.message || failure.name : failure;
    return typeof text === 'object' && text !== null ? JSON.stringify(text) : String(text);
  } catch {
    return 'something was thrown that has no text';
  }
}

function safeDetails(details: Json): Json {
  const result = toStorableJson(details, 64_000);
  return result.ok ? (JSON.parse(result.json) as Json) : null;
}
