// Which input was it? While long turns of the main loop went on, several inputs were on their way: each of them is sent again,
// alone, and the longest turn that it makes by itself is measured. What other work on the machine lengthens is told apart so.
import { setTimeout as delay } from 'node:timers/promises';
import { most } from '../chaos/statistics.ts';
import type { Generator } from './generator.ts';
import type { Flight } from './journal.ts';
import type { FuzzTarget } from './target.ts';
import type { Turn } from './turns.ts';

const LONG_TURN_MS = 250;
const MAX_TURNS = 8;
const MAX_SUSPECTS = 16;
/** A task may go on after its answer; its turns are the input's too. */
const AFTER_MS = 1_500;
const BEFORE_MS = 500;

export interface Suspect {
  readonly n: number;
  readonly kind: string;
  /** Time of the main thread of the longest turn of the input alone. */
  readonly cpuMs: number;
}

/** The inputs that were on their way during the longest turns, each sent again alone; the worst first. */
export async function trySuspects(
  target: FuzzTarget,
  generator: Generator,
  turns: readonly Turn[],
): Promise<Suspect[]> {
  const worst = turns
    .filter(({ cpuMs }) => cpuMs >= LONG_TURN_MS)
    .toSorted((a, b) => b.cpuMs - a.cpuMs)
    .slice(0, MAX_TURNS);
  const flights = new Map<number, Flight>();
  for (const { at, wallMs } of worst)
    for (const flight of generator.journal.flights)
      if (flight.from <= at && flight.to + AFTER_MS >= at - wallMs) flights.set(flight.n, flight);
  const tried: Suspect[] = [];
  for (const { n, kind } of [...flights.values()].slice(0, MAX_SUSPECTS))
    tried.push({ n, kind, cpuMs: await longestTurnOf(target, generator, n) });
  return tried.sort((a, b) => b.cpuMs - a.cpuMs);
}

/** Of the input alone, in time of the main thread. */
export async function longestTurnOf(target: FuzzTarget, generator: Generator, n: number): Promise<number> {
  await delay(BEFORE_MS);
  const from = Date.now();
  await generator.sendOne(n);
  await delay(AFTER_MS);
  return most(target.turns.since(from).map(({ cpuMs }) => cpuMs));
}
