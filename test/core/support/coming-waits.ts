// Kinds of wait that no release has yet, beside those that it has: the plan's rules must hold for them when they come.
// A test file mocks core/wait.ts with them.
import type { failureActionOf, WaitKind, WaitRule } from '../../../src/core/wait.ts';

const CANCELLED: WaitRule['onFailure'] = { finish_running: 'cancel', fail_fast: 'cancel', continue: 'stay' };
const COMING = {
  signal: CANCELLED,
  human: CANCELLED,
  child: { ...CANCELLED, finish_running: 'wind_down' },
} as const satisfies Record<string, WaitRule['onFailure']>;

/** A kind that a test may name: one that comes, or one of today's. */
export const comingWait = (kind: keyof typeof COMING | WaitKind): WaitKind => kind as WaitKind;

const isComing = (kind: unknown): kind is keyof typeof COMING => Object.hasOwn(COMING, String(kind));

export async function withComingWaits<Module extends { failureActionOf: typeof failureActionOf }>(
  importOriginal: () => Promise<Module>,
): Promise<Module> {
  const actual = await importOriginal();
  const actionOf: typeof failureActionOf = (kind, policy) =>
    isComing(kind) ? COMING[kind][policy] : actual.failureActionOf(kind, policy);
  return { ...actual, failureActionOf: actionOf };
}
