// The command line of the benchmark.
import { describe, expect, it } from 'vitest';
import { readOptions, UsageError } from '../../bench/options.ts';
import { WORKLOADS } from '../../bench/workloads.ts';

const namesOf = (options: ReturnType<typeof readOptions>) =>
  options !== 'help' && 'workloads' in options ? options.workloads.map(({ name }) => name) : [];

describe('the options', () => {
  it('compare all contenders in three rounds of all workloads by default', () => {
    expect(readOptions([])).toEqual({
      kind: 'compare',
      isQuick: false,
      isJson: false,
      rounds: 3,
      workloads: WORKLOADS,
      finishedRows: 0,
      isProfiling: false,
      isRecording: false,
      databaseUrl: undefined,
    });
  });

  it('take workloads as options and as arguments', () => {
    expect(namesOf(readOptions(['--workload', 'fan1000', 'chain10_c64']))).toEqual([
      'chain10_c64',
      'fan1000',
    ]);
  });

  it('measure latencies and a backlog', () => {
    expect(readOptions(['--latency', 'trace.csv'])).toMatchObject({
      kind: 'latency',
      tracePath: 'trace.csv',
    });
    expect(readOptions(['--drain'])).toMatchObject({ kind: 'drain', chains: 3_000, workers: [1, 2, 4, 8] });
    expect(readOptions(['--drain', '2', '--chains', '10', '--checkout', '/x'])).toMatchObject({
      ...{ workers: [2], chains: 10, folder: '/x' },
    });
    expect(() => readOptions(['--drain', 'two'])).toThrow(UsageError);
  });

  it('compare two checkouts, in five rounds by default', () => {
    const options = readOptions(['--pairs', '../before', '.', '--quick', 'mixed10_c64']);
    expect(options).toMatchObject({ kind: 'pairs', folders: ['../before', '.'], rounds: 5, isQuick: true });
    expect(namesOf(options)).toEqual(['mixed10_c64']);
    expect(readOptions(['--pairs', 'a', 'b', '--rounds', '9'])).toMatchObject({ rounds: 9 });
  });

  it.each([
    [['--pairs', 'a'], '--pairs needs two folders'],
    [['--pairs', 'a', 'b', '--record'], '--pairs goes with --quick, --json, --rounds and workloads only'],
    [['--pairs', 'a', 'b', '--database', 'postgres://x'], '--pairs goes with'],
    [['nothing'], 'there is no workload "nothing"'],
    [['--rounds', '0'], '--rounds must be a whole number from 1, got "0"'],
    [['--profile', '--record', '--rounds', '0'], '--rounds must be a whole number from 1, got "0"'],
  ])('refuse %j', (args, message) => {
    expect(() => readOptions(args)).toThrow(UsageError);
    expect(() => readOptions(args)).toThrow(message);
  });
});
