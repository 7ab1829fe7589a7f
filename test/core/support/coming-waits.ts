// Kinds of wait that no release has yet, beside those that it has: the plan's rules must hold for them when they come.
import { WAITS, type WaitKind, type WaitRule } from '../../../src/core/wait.ts';

const CANCELLED: WaitRule['onFailure'] = { finish_running: 'cancel', fail_fast: 'cancel', continue: 'stay' };
const COMING = {
  child: { ...CANCELLED, finish_running: 'wind_down' },
} as const satisfies Record<string, WaitRule['onFailure']>;

/** A kind that a test may name: one that comes, or one of today's. */
export const comingWait = (kind: keyof typeof COMING | WaitKind): WaitKind => kind as WaitKind;

const WAITS_THEN = WAITS as unknown as Record<string, Pick<WaitRule, 'onFailure'>>;

/** Gives the table what the failure policies do with them; to be undone, since files share their modules. */
export function addComingWaits(): void {
  for (const [kind, onFailure] of Object.entries(COMING)) WAITS_THEN[kind] = { onFailure };
}

export function removeComingWaits(): void {
  for (const kind of Object.keys(COMING)) delete WAITS_THEN[kind];
}
