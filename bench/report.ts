// What the benchmark prints: a table with medians, and the range over the rounds; the ratios; where it was measured.
import { availableParallelism, cpus } from 'node:os';
import { CONTENDERS } from './contender.ts';
import { type Cell, formatValue, type WorkloadResult } from './rounds.ts';
import type { BenchServer } from './server.ts';

export interface Environment {
  readonly node: string;
  readonly postgres: string;
  readonly cores: number;
  readonly processor: string;
  readonly fsync: string;
  readonly synchronousCommit: string;
  readonly rounds: number;
  readonly finishedRows: number;
  readonly isQuick: boolean;
}

export function environmentOf(
  server: BenchServer,
  options: { readonly rounds: number; readonly finishedRows: number; readonly isQuick: boolean },
): Environment {
  const { rounds, finishedRows, isQuick } = options;
  return {
    node: process.versions.node,
    postgres: server.version,
    cores: availableParallelism(),
    processor: cpus()[0]?.model ?? 'unknown',
    fsync: server.fsync,
    synchronousCommit: server.synchronousCommit,
    rounds,
    finishedRows,
    isQuick,
  };
}

/** The object of --json. */
export function resultObject(results: readonly WorkloadResult[], environment: Environment): object {
  const round = (value: number) => Number(value.toFixed(value >= 100 ? 0 : 4));
  return {
    workloads: Object.fromEntries(
      results.map(({ workload, cells }) => [
        workload.name,
        {
          unit: workload.unit,
          ...Object.fromEntries(CONTENDERS.map((name) => [name, round(cells[name].median)])),
        },
      ]),
    ),
    environment,
  };
}

export function resultText(results: readonly WorkloadResult[], environment: Environment): string {
  const head = ['workload', 'unit', ...CONTENDERS];
  const body = results.map(({ workload, cells }) => [
    workload.name,
    workload.unit,
    ...CONTENDERS.map((name) => cellText(cells[name])),
  ]);
  return [alignColumns([head, ...body]), ratiosText(results), environmentText(environment)].join('\n\n');
}

const cellText = ({ median, values }: Cell) =>
  `${formatValue(median)} (${formatValue(Math.min(...values))}..${formatValue(Math.max(...values))})`;

// Of the medians, and of each round: contenders of one round have met the same machine.
function ratiosText(results: readonly WorkloadResult[]): string {
  const rows = results.map(({ workload, cells: { dagwright, dbos, commits } }) => {
    const isTime = workload.unit === 'ms/step';
    const speed = (ours: number, theirs: number) => (isTime ? theirs / ours : ours / theirs);
    const rounds = dagwright.values.map((value, i) => speed(value, dbos.values[i]!).toFixed(1));
    const cost = `; its step takes as long as ${(dagwright.median / commits.median).toFixed(1)} single-row commits`;
    return [
      workload.name,
      `dagwright is ${speed(dagwright.median, dbos.median).toFixed(1)} times as fast as dbos (by round: ${rounds.join(', ')})${isTime ? cost : ''}`,
    ];
  });
  return alignColumns(rows);
}

function environmentText(environment: Environment): string {
  const { node, postgres, cores, processor, fsync, synchronousCommit, rounds, finishedRows, isQuick } =
    environment;
  const lines = [
    `Medians of ${rounds} interleaved rounds (least..most). Node ${node}, PostgreSQL ${postgres}, ${cores} cores (${processor}),`,
    `fsync ${fsync}, synchronous_commit ${synchronousCommit}, ${finishedRows} finished task rows in dagwright's tables before.`,
    'graphile: jobs; in fan1000 and dag10000 without dependencies, batched. commits: single-row inserts, 16 connections (chain100_c1: 1).',
  ];
  if (isQuick) lines.push('dag10000 of dbos: its first 2,000 steps only (--quick).');
  return lines.join('\n');
}

/** Columns as wide as their widest entry. */
export function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((text, i) => text.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
