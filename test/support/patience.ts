// What a test calls slow. Nothing is measured by these bounds: they tell what hangs, or grows without end, from what is busy.
import { isFullDepth } from './depth.ts';

/** A bound of wall-clock or processor time, in ms. `npm run check` has all files beside each other: three times as long there. */
export const patience = (ms: number): number => (isFullDepth ? 3 * ms : ms);
