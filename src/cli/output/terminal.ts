// Text for people: colours where they are wanted, aligned columns, durations and money.
import { inspect } from 'node:util';
import stringWidth from 'string-width';
import { oneLine, ownSequence } from '../safe-output.ts';

export type Colour = 'green' | 'red' | 'yellow' | 'cyan' | 'gray' | 'bold';

/** Colours only on a terminal that wants them; to be printed by the streams of a program. */
export function createPainter(isWanted: boolean): (colour: Colour, text: string) => string {
  return (colour, text) => {
    if (!isWanted) return text;
    const [begin, end] = inspect.colors[colour]!;
    return `${ownSequence(begin, 'm')}${text}${ownSequence(end, 'm')}`;
  };
}

/** Rows as aligned columns, two spaces apart; each on one line, whatever its cells hold. */
export function table(cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map(oneLine));
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, stringWidth(cell));
    });
  }
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell + ' '.repeat(widths[i]! - stringWidth(cell)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Milliseconds as people read them: 35 ms, 1.2 s, 3 m 05 s. */
export function formatDuration(ms: number | null): string {
  if (ms === null) return '';
  if (ms < 1000) return `${ms} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} m ${String(Math.floor((ms % 60_000) / 1000)).padStart(2, '0')} s`;
}

/** US dollars; a question mark where the price is unknown. */
export function formatUsd(usd: string | null): string {
  return usd === null ? '$?' : `$${usd}`;
}

/** The text cut to `length`, with an ellipsis. */
export function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
