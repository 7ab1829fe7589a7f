// The options of the benchmark, read from the command line; a wrong one is a usage error (exit code 2).
import { parseArgs } from 'node:util';
import { WORKLOADS, type Workload } from './workloads.ts';

interface CommonOptions {
  /** Each measurement is short, so that the whole ends within minutes. */
  readonly isQuick: boolean;
  /** One JSON object on stdout instead of the table. */
  readonly isJson: boolean;
}

/** All contenders side by side. */
export interface CompareOptions extends CommonOptions {
  readonly kind: 'compare';
  /** How often each contender runs each workload; 0 only with a profile. */
  readonly rounds: number;
  readonly workloads: readonly Workload[];
  /** Finished task rows that stand in the tables before anything is measured. */
  readonly finishedRows: number;
  readonly isProfiling: boolean;
  /** Append the result to docs/performance.md. */
  readonly isRecording: boolean;
  /** A server to use instead of a throw-away one; databases of our own are made there and dropped. */
  readonly databaseUrl: string | undefined;
}

/** The HTTP service. */
export interface ApiOptions extends CommonOptions {
  readonly kind: 'api';
  readonly databaseUrl: string | undefined;
}

/** From a start until the first body begins. */
export interface LatencyOptions extends CommonOptions {
  readonly kind: 'latency';
  readonly tracePath: string | undefined;
  readonly databaseUrl: string | undefined;
}

/** A backlog drained by worker processes. */
export interface DrainOptions extends CommonOptions {
  readonly kind: 'drain';
  readonly chains: number;
  readonly workers: readonly number[];
  /** The folder of a checkout; this one where absent. */
  readonly folder: string | undefined;
  readonly databaseUrl: string | undefined;
}

/** Two checkouts of this project. */
export interface PairsOptions extends CommonOptions {
  readonly kind: 'pairs';
  readonly folders: readonly [string, string];
  readonly rounds: number;
  readonly workloads: readonly Workload[];
}

export type BenchOptions = CompareOptions | ApiOptions | LatencyOptions | DrainOptions | PairsOptions;

export const USAGE = `node bench/main.ts [options] [WORKLOAD ...]
  --quick           short measurements: ends within minutes
  --json            one JSON object on stdout
  --rounds N        rounds (default 3; 5 with --pairs); medians are reported
  --workload NAME   only this one (may be repeated, as may the argument): ${WORKLOADS.map(({ name }) => name).join(', ')}
  --rows N          put N finished task rows into the tables first (default 0)
  --profile         also say where the time of this engine goes; alone with --rounds 0
  --record          append the result, with machine and commit, to docs/performance.md
  --api             the HTTP service instead: starts a second, and reads beside an engine
  --latency [CSV]   the service instead: from a start until the first body begins, by HTTP and in SQL; also while the busiest
                    minute of a trace (a CSV whose first column is a time) is replayed
  --drain [N ...]   the service instead: a backlog of --chains drained by N workers (default 1 2 4 8), and their memory
  --chains N        of ten tasks each (default 3000)
  --checkout DIR    whose workers --drain measures (default: this one)
  --pairs A B       two checkouts of this project instead, in the folders A and B, each on a server of its own
  --database URL    a PostgreSQL server to use (a login that may create databases and roles); not with --pairs`;

export class UsageError extends Error {}

export function readOptions(args: readonly string[]): BenchOptions | 'help' {
  const { values, positionals } = parse(args);
  if (values.help) return 'help';
  const common = { isQuick: values.quick ?? false, isJson: values.json ?? false };
  const databaseUrl = values.database;
  const isProfiling = values.profile ?? false;
  if (values.pairs) {
    if (values.api || isProfiling || values.record || values.rows !== undefined || databaseUrl !== undefined)
      throw new UsageError('--pairs goes with --quick, --json, --rounds and workloads only');
    const [a, b, ...names] = positionals;
    if (a === undefined || b === undefined) throw new UsageError('--pairs needs two folders');
    const rounds = wholeNumber('--rounds', values.rounds ?? '5', 1);
    return { ...common, kind: 'pairs', folders: [a, b], rounds, workloads: namedWorkloads(values, names) };
  }
  if (values.api) return { ...common, kind: 'api', databaseUrl };
  if (values.latency) return { ...common, kind: 'latency', tracePath: positionals[0], databaseUrl };
  if (values.drain)
    return {
      ...{ ...common, kind: 'drain', databaseUrl, folder: values.checkout },
      chains: wholeNumber('--chains', values.chains ?? '3000', 1),
      workers: (positionals.length === 0 ? ['1', '2', '4', '8'] : positionals).map((text) =>
        wholeNumber('--drain', text, 1),
      ),
    };
  const isRecording = values.record ?? false;
  return {
    ...common,
    kind: 'compare',
    rounds: wholeNumber('--rounds', values.rounds ?? '3', isProfiling && !isRecording ? 0 : 1),
    workloads: namedWorkloads(values, positionals),
    finishedRows: wholeNumber('--rows', values.rows ?? '0', 0),
    isProfiling,
    isRecording,
    databaseUrl,
  };
}

/** All where none is named. */
function namedWorkloads(values: { workload?: string[] }, more: readonly string[]): Workload[] {
  const names = [...(values.workload ?? []), ...more];
  const unknown = names.find((name) => !WORKLOADS.some((workload) => workload.name === name));
  if (unknown !== undefined) throw new UsageError(`there is no workload "${unknown}"`);
  return WORKLOADS.filter(({ name }) => names.length === 0 || names.includes(name));
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        quick: { type: 'boolean' },
        json: { type: 'boolean' },
        rounds: { type: 'string' },
        workload: { type: 'string', multiple: true },
        rows: { type: 'string' },
        profile: { type: 'boolean' },
        record: { type: 'boolean' },
        api: { type: 'boolean' },
        latency: { type: 'boolean' },
        drain: { type: 'boolean' },
        chains: { type: 'string' },
        checkout: { type: 'string' },
        pairs: { type: 'boolean' },
        database: { type: 'string' },
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
