// The items of open fan-outs in a worker's memory. They stand in the row of their task; what was dropped is read again.
//   F1  Each is kept as JSON, and parsed for the part that it is for: all of them are one value of 16 MB at most, which as a text
//       always fits into what a worker remembers, and made of objects might be twenty times as much.
//   F2  They take their place beside results and inputs (held-results.ts), and give it back when the fan-out is collected, or its
//       execution leaves the memory.
import type { Json } from '../../core/json.ts';
import type { ExecutionMemory } from './memory.ts';

/** Each as JSON. */
export type FanOutItems = readonly string[];

/** Remembers the items of the fan-out that a node has opened. */
export function rememberItems(memory: ExecutionMemory, index: number, values: readonly Json[]): void {
  forgetItems(memory, index);
  const items = values.map((value) => JSON.stringify(value));
  memory.fanOuts.set(index, items);
  memory.held.addItems(items, () => {
    if (memory.fanOuts.get(index) === items) memory.fanOuts.delete(index);
  });
}

/** One item of an open fan-out: undefined where its items are not remembered, null where there is none of that number. */
export function itemAt(memory: ExecutionMemory, index: number, place: number): Json | undefined {
  const items = memory.fanOuts.get(index);
  if (items === undefined) return undefined;
  memory.held.noteUse(items);
  const item = items[place];
  return item === undefined ? null : (JSON.parse(item) as Json);
}

/** The fan-out is collected. */
export function forgetItems(memory: ExecutionMemory, index: number): void {
  const items = memory.fanOuts.get(index);
  if (items === undefined) return;
  memory.fanOuts.delete(index);
  memory.held.giveBack(items);
}
