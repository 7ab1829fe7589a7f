// The options of the chaos run, read from the command line; a wrong one is a usage error (exit code 2).
import { parseArgs } from 'node:util';
import type { Cell } from './cell.ts';
import { CRASH_POINT_CELLS } from './cells/crash-points.ts';
import { DATABASE_CELLS } from './cells/database.ts';
import { DELIVERY_CELLS } from './cells/deliveries.ts';
import { FAULTY_CALL_CELLS } from './cells/faulty-calls.ts';
import { FLOOD_CELLS } from './cells/flooding-tenant.ts';
import { FULL_DISK_CELLS } from './cells/full-disk.ts';
import { HELD_LOCK_CELLS } from './cells/held-locks.ts';
import { IDLE_CELLS } from './cells/idle-connections.ts';
import { IMPATIENT_CELLS } from './cells/impatient-starts.ts';
import { KILL_CELLS } from './cells/kill.ts';
import { NETWORK_CELLS } from './cells/network.ts';
import { SCHEDULE_CELLS } from './cells/schedules.ts';
import { SHUTDOWN_CELLS } from './cells/shutdown.ts';
import { STARVED_CELLS } from './cells/starved.ts';
import { TENANT_CELLS } from './cells/two-tenants.ts';

/** In the order of the matrix. */
export const CELLS: readonly Cell[] = [
  ...[...KILL_CELLS, ...CRASH_POINT_CELLS, ...STARVED_CELLS, ...SHUTDOWN_CELLS],
  ...[...DATABASE_CELLS, ...FAULTY_CALL_CELLS, ...NETWORK_CELLS],
  ...[...SCHEDULE_CELLS, ...DELIVERY_CELLS, ...TENANT_CELLS, ...IMPATIENT_CELLS],
  ...[...HELD_LOCK_CELLS, ...IDLE_CELLS, ...FLOOD_CELLS, ...FULL_DISK_CELLS],
].sort((a, b) => placeOf(a) - placeOf(b));

function placeOf({ id }: Cell): number {
  return /^M\d+$/.test(id) ? Number(id.slice(1)) : Number.POSITIVE_INFINITY;
}

export interface ChaosOptions {
  readonly cells: readonly Cell[];
  readonly seed: number;
  /** How long the faults of a cell last; a cell may have its own measure in a quick run. */
  readonly seconds: number | undefined;
  readonly isQuick: boolean;
  readonly isJson: boolean;
  /** The table as Markdown. */
  readonly isMarkdown: boolean;
  /** Cells side by side. */
  readonly jobs: number;
}

export const USAGE = `npm run chaos -- [options]
  --cell M4,M9      only these cells: ${CELLS.map(({ id }) => id).join(' ')}
  --seconds N       faults last N seconds per cell (default 300)
  --quick           about 10 seconds per cell, three cells side by side, and three times the bars for durations
  --jobs N          cells side by side (default 1, quick 3)
  --seed N          repeats the choices of a run; default: a new one, printed
  --json            one JSON object on stdout instead of the table
  --markdown        the table as Markdown`;

export class UsageError extends Error {}

export function readOptions(args: readonly string[]): ChaosOptions | 'help' {
  const { values } = parse(args);
  if (values.help) return 'help';
  const ids = (values.cell ?? []).flatMap((list) => list.split(',')).map((id) => id.trim().toUpperCase());
  const unknown = ids.find((id) => !CELLS.some((cell) => cell.id === id));
  if (unknown !== undefined) throw new UsageError(`there is no cell "${unknown}"`);
  const isQuick = values.quick ?? false;
  return {
    cells: CELLS.filter(({ id }) => ids.length === 0 || ids.includes(id)),
    seed: wholeNumber('--seed', values.seed ?? String(Math.floor(Math.random() * 2 ** 31)), 0),
    seconds: values.seconds === undefined ? undefined : wholeNumber('--seconds', values.seconds, 1),
    isQuick,
    isJson: values.json ?? false,
    isMarkdown: values.markdown ?? false,
    jobs: wholeNumber('--jobs', values.jobs ?? (isQuick ? '3' : '1'), 1),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        cell: { type: 'string', multiple: true },
        seconds: { type: 'string' },
        quick: { type: 'boolean' },
        jobs: { type: 'string' },
        seed: { type: 'string' },
        json: { type: 'boolean' },
        markdown: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function wholeNumber(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least)
    throw new UsageError(`${name} must be a whole number from ${least}, got "${text}"`);
  return value;
}
