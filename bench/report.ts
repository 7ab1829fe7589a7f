// What the benchmark prints: a table with medians, and the range over the rounds; what a step costs both processors; the
// ratios; where it was measured.
import { CONTENDERS, type ContenderName, PEERS, type PeerName } from './contender.ts';
import type { Environment } from './environment.ts';
import { type Cell, formatValue, type WorkloadResult } from './rounds.ts';
import { countBodies, countSteps } from './workloads.ts';

/** The object of --json. What was not measured is null. */
export function resultObject(results: readonly WorkloadResult[], environment: Environment): object {
  const round = (value: number | null) =>
    value === null ? null : Number(value.toFixed(value >= 100 ? 0 : 4));
  const eachContender = <T>(cells: WorkloadResult['cells'], view: (cell: Cell) => T) =>
    Object.fromEntries(
      CONTENDERS.map((name) => [name, cells[name] === undefined ? null : view(cells[name])]),
    );
  return {
    workloads: Object.fromEntries(
      results.map(({ workload, cells }) => [
        workload.name,
        {
          unit: workload.unit,
          ...eachContender(cells, ({ median }) => round(median)),
          cpuUsPerStep: eachContender(cells, ({ processUs, serverUs }) => ({
            process: round(processUs),
            server: round(serverUs),
          })),
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
  return [
    alignColumns([head, ...body]),
    costText(results),
    ratiosText(results),
    environmentText(results, environment),
  ].join('\n\n');
}

const cellText = (cell: Cell | undefined) =>
  cell === undefined
    ? '-'
    : `${formatValue(cell.median)} (${formatValue(Math.min(...cell.values))}..${formatValue(Math.max(...cell.values))})`;

function costText(results: readonly WorkloadResult[]): string {
  const head = ['processor µs per step', ...CONTENDERS];
  const body = results.map(({ workload, cells }) => [
    workload.name,
    ...CONTENDERS.map((name) => costOf(cells[name])),
  ]);
  return `${alignColumns([head, ...body])}\nof its Node process + of its server (PostgreSQL; Restate has its own)`;
}

export const costOf = (cell: Cell | undefined): string =>
  cell === undefined
    ? '-'
    : `${formatValue(cell.processUs)} + ${cell.serverUs === null ? 'not available' : formatValue(cell.serverUs)}`;

/** How many times as fast this engine is as a peer: by the medians, and by each round, whose contenders have met the same machine. */
export interface PeerRatio {
  readonly peer: PeerName;
  readonly ofMedians: number;
  readonly byRound: readonly number[];
}

export function peerRatiosOf({ workload, cells }: WorkloadResult): PeerRatio[] {
  const ours = cells.dagwright;
  if (ours === undefined) return [];
  const speed = (mine: number, theirs: number) =>
    workload.unit === 'ms/step' ? theirs / mine : mine / theirs;
  return PEERS.flatMap((peer) => {
    const theirs = cells[peer];
    if (theirs === undefined) return [];
    const byRound = ours.values.map((value, i) => speed(value, theirs.values[i]!));
    return [{ peer, ofMedians: speed(ours.median, theirs.median), byRound }];
  });
}

function ratiosText(results: readonly WorkloadResult[]): string {
  return alignColumns(
    results.flatMap((result) => [
      ...peerRatiosOf(result).map(({ peer, ofMedians, byRound }) => [
        result.workload.name,
        `dagwright is ${ofMedians.toFixed(1)} times as fast as ${peer} (by round: ${byRound.map((ratio) => ratio.toFixed(1)).join(', ')})`,
      ]),
      ...commitsOf(result),
    ]),
  );
}

function commitsOf({ workload, cells: { dagwright, commits } }: WorkloadResult): string[][] {
  if (workload.unit !== 'ms/step' || dagwright === undefined || commits === undefined) return [];
  const ratio = (dagwright.median / commits.median).toFixed(1);
  return [[workload.name, `a step of dagwright takes as long as ${ratio} single-row commits`]];
}

const FOOTNOTES: Readonly<Partial<Record<ContenderName, string>>> = {
  graphile: 'graphile: jobs; in fan1000 and dag10000 without dependencies, batched.',
  restate: 'restate: its own server and store, which flushes to disk before a step counts as recorded.',
  openworkflow: 'openworkflow: a run waits for its worker to poll.',
  commits: 'commits: single-row inserts, 16 connections (chain100_c1: 1).',
};

function environmentText(results: readonly WorkloadResult[], environment: Environment): string {
  const { node, postgres, cores, processor, memoryGb, fsync, synchronousCommit } = environment;
  const { rounds, finishedRows, isQuick, contenders } = environment;
  const left = CONTENDERS.filter((name) => !contenders.includes(name));
  const lines = [
    `Medians of ${rounds} interleaved rounds (least..most). Node ${node}, PostgreSQL ${postgres}, ${cores} cores (${processor}), ${memoryGb} GB,`,
    `fsync ${fsync}, synchronous_commit ${synchronousCommit}, ${finishedRows} finished task rows in dagwright's tables before.`,
    ...contenders.flatMap((name) => FOOTNOTES[name] ?? []),
  ];
  if (results.some(({ workload }) => countBodies(workload) < countSteps(workload)))
    lines.push(
      'mixed10_c64, fanpure: what is pure is code of the workflow in peers, and not recorded by them.',
    );
  if (left.length > 0) lines.push(`Left out, not installed: ${left.join(', ')}.`);
  if (isQuick && results.some(({ workload }) => workload.name === 'dag10000'))
    lines.push('dag10000 of dbos and restate: its first 2,000 steps only (--quick).');
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
