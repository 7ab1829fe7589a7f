// The options of the fuzz, read from the command line; a wrong one is a usage error (exit code 2).
import { parseArgs } from 'node:util';
import { KINDS, type Kind } from './inputs/input.ts';

export interface FuzzOptions {
  readonly seconds: number;
  readonly seed: number;
  /** Shorter, with wider bars for durations: the machine does other things. */
  readonly isQuick: boolean;
  readonly kinds: readonly Kind[];
  /** Only this input. */
  readonly input: number | undefined;
  /** So many hostile answers at a worker of 600 MB instead of all else. */
  readonly answers: number | undefined;
}

const MINUTES = 10;
const QUICK_SECONDS = 20;

export const USAGE = `npm run fuzz -- [options]
Sends made-up schemas, expressions, definitions, bodies, deliveries, callbacks, schedules and answers at a service of its own, and
watches its health, a neighbour, its memory and its log meanwhile. Exit code 0 when nothing is wrong. See docs/chaos.md.

  --minutes N       how long it sends (default ${MINUTES})
  --seed N          repeats the inputs of a run; default: a new one, printed
  --quick           ${QUICK_SECONDS} s, with wider bars for durations
  --kind A,B        only these kinds of input: ${KINDS.join(' ')}
  --input N         only the input of this number (with --seed), three times, alone
  --answers N       instead: N hostile answers at a worker with a heap of 600 MB (or as many as there is time for, by --minutes)
  --help            this text`;

export class UsageError extends Error {}

export function readOptions(args: readonly string[]): FuzzOptions | 'help' {
  const { values } = parse(args);
  if (values.help) return 'help';
  const isQuick = values.quick ?? false;
  const kinds = (values.kind ?? []).flatMap((list) => list.split(','));
  const unknown = kinds.find((one) => !(KINDS as readonly string[]).includes(one));
  if (unknown !== undefined) throw new UsageError(`there is no kind "${unknown}"`);
  const minutes = values.minutes === undefined ? undefined : Number(values.minutes);
  if (minutes !== undefined && !(minutes > 0))
    throw new UsageError(`--minutes must be a number above 0, got "${values.minutes}"`);
  return {
    seconds: minutes === undefined ? secondsOf(values) : minutes * 60,
    seed: wholeNumber('--seed', values.seed ?? String(Math.floor(Math.random() * 2 ** 31)), 0),
    isQuick,
    kinds: kinds.length === 0 ? KINDS : (kinds as Kind[]),
    input: values.input === undefined ? undefined : wholeNumber('--input', values.input, 0),
    answers: values.answers === undefined ? undefined : wholeNumber('--answers', values.answers, 1),
  };
}

function secondsOf(values: { readonly quick?: boolean; readonly answers?: string }): number {
  if (values.answers !== undefined) return Number.POSITIVE_INFINITY;
  return values.quick === true ? QUICK_SECONDS : MINUTES * 60;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        minutes: { type: 'string' },
        seed: { type: 'string' },
        quick: { type: 'boolean' },
        kind: { type: 'string', multiple: true },
        input: { type: 'string' },
        answers: { type: 'string' },
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
