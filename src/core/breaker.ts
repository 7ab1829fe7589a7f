// When calls to an outside service are held back, and when they are tried again. Pure: the caller brings outcomes, the time
// and the random number, and keeps what comes back; engine/services/health.ts shares it among workers.
//   C1  Closed: calls pass. It opens after some failures in a row, or when most calls of a window failed.
//   C2  Open: no call passes until its time is over. Each opening in a row lasts twice as long, up to a limit.
//   C3  Then one call, the probe, passes: it closes the breaker, or opens it again.
//   C4  A call that began before the breaker last changed says nothing about it.
//   C5  A service that asks for fewer calls is paused as long as it asks; that is no failure.
import { matchesAnyErrorCode } from './errors.ts';

export interface BreakerSettings {
  readonly failuresInARow: number;
  readonly windowMs: number;
  /** The rate of failures counts from so many calls in the window on. */
  readonly leastCalls: number;
  /** 0 to 1. */
  readonly failureRate: number;
  readonly openMs: number;
  readonly maxOpenMs: number;
  /** A service is paused for no longer than this, whatever it asks for; the task that was told waits as long as told. */
  readonly maxPauseMs: number;
}

export const BREAKER_SETTINGS: BreakerSettings = {
  failuresInARow: 5,
  windowMs: 30_000,
  leastCalls: 20,
  failureRate: 0.5,
  openMs: 5_000,
  maxOpenMs: 60_000,
  maxPauseMs: 60_000,
};

/** Calls that ended in one part of the window. */
interface Slice {
  readonly startMs: number;
  readonly calls: number;
  readonly failures: number;
}

export type BreakerState =
  | { readonly status: 'closed'; readonly failuresInARow: number; readonly slices: readonly Slice[] }
  /** `openings`: how many there were in a row. */
  | { readonly status: 'open'; readonly openings: number; readonly untilMs: number }
  | { readonly status: 'probing'; readonly openings: number };

/** Times are milliseconds of the caller's clock. */
export interface Breaker {
  /** Rises whenever `status` changes (C4). */
  readonly epoch: number;
  readonly pausedUntilMs: number;
  readonly state: BreakerState;
}

/** How a call ended, as far as it tells something of the service. */
export type Outcome =
  | { readonly kind: 'answered' }
  | { readonly kind: 'failed' }
  | { readonly kind: 'limited'; readonly retryAfterMs: number }
  /** It was aborted, or failed before it reached the service. */
  | { readonly kind: 'unknown' };

export type Admission =
  | { readonly kind: 'pass' }
  | { readonly kind: 'probe' }
  | {
      readonly kind: 'wait';
      readonly waitMs: number;
      readonly because: 'open' | 'probing' | 'paused';
    };

const SLICES = 10;
/** Those who wait for a probe look again after this. */
const PROBING_WAIT_MS = 1_000;
const FAILED = ['provider_error', 'network', 'timeout', 'http_5xx'];
const LIMITED = ['rate_limited', 'http_429'];
const ANSWERED = ['http_1xx', 'http_2xx', 'http_3xx', 'http_4xx', 'provider_refused', 'output_invalid'];
/** Where a service asks for fewer calls and does not say for how long. */
const DEFAULT_PAUSE_MS = 1_000;

export const CLOSED: BreakerState = { status: 'closed', failuresInARow: 0, slices: [] };
export const NEW_BREAKER: Breaker = { epoch: 0, pausedUntilMs: 0, state: CLOSED };

/** What an error code says of the service. `retryAfterSeconds`: what the service asked for. */
export function outcomeOf(code: string, retryAfterSeconds?: number): Outcome {
  if (matchesAnyErrorCode(LIMITED, code))
    return {
      kind: 'limited',
      retryAfterMs:
        retryAfterSeconds === undefined ? DEFAULT_PAUSE_MS : Math.max(0, retryAfterSeconds * 1000),
    };
  if (matchesAnyErrorCode(FAILED, code)) return { kind: 'failed' };
  return { kind: matchesAnyErrorCode(ANSWERED, code) ? 'answered' : 'unknown' };
}

/** Whether a call may begin now. After `probe` the caller says `startProbe`, once it is sure that no other worker probes. */
export function admit({ pausedUntilMs, state }: Breaker, nowMs: number): Admission {
  if (state.status === 'probing') return { kind: 'wait', waitMs: PROBING_WAIT_MS, because: 'probing' };
  if (state.status === 'open' && state.untilMs > nowMs)
    return { kind: 'wait', waitMs: state.untilMs - nowMs, because: 'open' };
  if (pausedUntilMs > nowMs) return { kind: 'wait', waitMs: pausedUntilMs - nowMs, because: 'paused' };
  return { kind: state.status === 'open' ? 'probe' : 'pass' };
}

/** The call that is about to begin is the probe (C3). */
export function startProbe(breaker: Breaker): Breaker {
  if (breaker.state.status !== 'open') return breaker;
  return moved(breaker, { status: 'probing', openings: breaker.state.openings });
}

/** A call that has ended. */
export interface EndedCall {
  readonly outcome: Outcome;
  /** The breaker's when the call began. */
  readonly epoch: number;
  readonly nowMs: number;
  /** In [0, 1). */
  readonly random: number;
}

/** The breaker after a call ended; the same object where nothing changed. */
export function afterCall(
  breaker: Breaker,
  call: EndedCall,
  settings: BreakerSettings = BREAKER_SETTINGS,
): Breaker {
  const { outcome, epoch, nowMs, random } = call;
  const paused = outcome.kind === 'limited' ? pause(breaker, outcome.retryAfterMs, nowMs, settings) : breaker;
  if (epoch !== breaker.epoch) return paused;
  const { state } = paused;
  switch (state.status) {
    case 'open':
      return paused;
    case 'probing':
      // A probe that tells nothing makes room for the next.
      if (outcome.kind === 'unknown')
        return moved(paused, { status: 'open', openings: state.openings, untilMs: nowMs });
      if (outcome.kind === 'failed') return opened(paused, state.openings + 1, nowMs, random, settings);
      return moved(paused, CLOSED);
    case 'closed': {
      if (outcome.kind === 'unknown' || outcome.kind === 'limited') return paused;
      const next = counted(state, outcome.kind === 'failed', nowMs, settings);
      return isTripped(next, settings)
        ? opened(paused, 1, nowMs, random, settings)
        : { ...paused, state: next };
    }
  }
}

/** What the database says of a service that is not closed; durations from now on, negative where they are over. */
export interface SharedState {
  /** 0: closed, and at most paused. */
  readonly openings: number;
  readonly openForMs: number;
  readonly isProbing: boolean;
  readonly pausedForMs: number;
}

/** The breaker as all workers share it; null: closed. What this worker has counted stays where that agrees. */
export function adopt(breaker: Breaker, shared: SharedState | null, nowMs: number): Breaker {
  const pausedUntilMs = shared === null ? 0 : nowMs + shared.pausedForMs;
  const { state } = breaker;
  const kept = { ...breaker, pausedUntilMs };
  if (shared === null || shared.openings === 0) return state.status === 'closed' ? kept : moved(kept, CLOSED);
  const { openings, openForMs, isProbing } = shared;
  if (isProbing)
    return state.status === 'probing' && state.openings === openings
      ? kept
      : moved(kept, { status: 'probing', openings });
  const open: BreakerState = { status: 'open', openings, untilMs: nowMs + openForMs };
  return state.status === 'open' && state.openings === openings
    ? { ...kept, state: open }
    : moved(kept, open);
}

/** True where a new breaker would do as well: it is closed, and nothing was called within the window. */
export function isForgettable(
  { pausedUntilMs, state }: Breaker,
  nowMs: number,
  { windowMs }: BreakerSettings = BREAKER_SETTINGS,
): boolean {
  return (
    state.status === 'closed' &&
    pausedUntilMs <= nowMs &&
    state.slices.every(({ startMs }) => startMs < nowMs - windowMs)
  );
}

function moved(breaker: Breaker, state: BreakerState): Breaker {
  return { ...breaker, epoch: breaker.epoch + 1, state };
}

// Up to a quarter longer, so that breakers which opened together do not probe together.
function opened(
  breaker: Breaker,
  openings: number,
  nowMs: number,
  random: number,
  { openMs, maxOpenMs }: BreakerSettings,
): Breaker {
  const ms = Math.min(maxOpenMs, openMs * 2 ** Math.min(openings - 1, 30));
  return moved(breaker, { status: 'open', openings, untilMs: nowMs + Math.round(ms * (1 + random / 4)) });
}

function pause(breaker: Breaker, ms: number, nowMs: number, { maxPauseMs }: BreakerSettings): Breaker {
  const until = nowMs + Math.min(ms, maxPauseMs);
  return until > breaker.pausedUntilMs ? { ...breaker, pausedUntilMs: until } : breaker;
}

type Closed = Extract<BreakerState, { status: 'closed' }>;

function counted(state: Closed, hasFailed: boolean, nowMs: number, { windowMs }: BreakerSettings): Closed {
  const sliceMs = windowMs / SLICES;
  const startMs = Math.floor(nowMs / sliceMs) * sliceMs;
  const inWindow = state.slices.filter((slice) => slice.startMs > startMs - windowMs);
  const last = inWindow.at(-1);
  const current = last?.startMs === startMs ? inWindow.pop()! : { startMs, calls: 0, failures: 0 };
  return {
    status: 'closed',
    failuresInARow: hasFailed ? state.failuresInARow + 1 : 0,
    slices: [
      ...inWindow,
      { startMs, calls: current.calls + 1, failures: current.failures + Number(hasFailed) },
    ],
  };
}

function isTripped({ failuresInARow, slices }: Closed, settings: BreakerSettings): boolean {
  if (failuresInARow === 0) return false;
  if (failuresInARow >= settings.failuresInARow) return true;
  let calls = 0;
  let failures = 0;
  for (const slice of slices) {
    calls += slice.calls;
    failures += slice.failures;
  }
  return calls >= settings.leastCalls && failures / calls >= settings.failureRate;
}
