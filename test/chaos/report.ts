// What the chaos run prints: a line per cell with its figures, what broke, and where it was measured.
import { availableParallelism, cpus } from 'node:os';
import { type Bar, type Outcome, passes } from './cell.ts';
import { duration } from './statistics.ts';
import type { Verdict } from './verdict.ts';

export interface CellReport {
  readonly id: string;
  readonly title: string;
  readonly seconds: number;
  readonly tookMs: number;
  readonly cpuShare: number;
  readonly outcome: Outcome;
  readonly verdict: Verdict;
  readonly complaints: Readonly<Record<string, number>>;
  /** The cell itself failed: it could not do its faults. */
  readonly error?: string;
}

/** Bars that were not kept, and rules that were broken; empty: passed. */
export function failuresOf({ outcome, verdict, error }: CellReport, isQuick: boolean): string[] {
  return [
    ...(error === undefined ? [] : [error]),
    ...outcome.bars
      .filter((bar) => !passes(bar, isQuick))
      .map((bar) => `${bar.name}: ${valueText(bar.value, bar)}, at most ${valueText(bar.atMost, bar)}`),
    ...Object.entries(verdict.broken).map(([rule, rows]) => `${rule}: ${JSON.stringify(rows)}`),
  ];
}

const valueText = (value: number, { unit }: Bar) => (unit === 'ms' ? duration(value) : String(value));

function figuresOf({ outcome, verdict, cpuShare }: CellReport): Record<string, string> {
  const { counts, convergedMs } = verdict;
  return {
    ...outcome.figures,
    ...(counts.acknowledged > 0 && { 'starts / tasks': `${counts.acknowledged} / ${counts.tasks}` }),
    'recoveries / bodies begun again': `${counts.recoveries} / ${counts.extraStarts}`,
    converged: convergedMs === null ? 'not' : duration(convergedMs),
    processor: `${Math.round(cpuShare * 100)} %`,
    ...(counts.deadlocks > 0 && { deadlocks: String(counts.deadlocks) }),
  };
}

export function cellText(report: CellReport, isQuick: boolean): string {
  const { verdict } = report;
  const failures = failuresOf(report, isQuick);
  const figures = Object.entries(figuresOf(report)).map(([name, value]) => `${name}: ${value}`);
  return [
    `${failures.length === 0 ? 'pass' : 'FAIL'} ${report.id} ${report.title}`,
    `     ${figures.join('; ')}`,
    ...(verdict.slow.length > 0
      ? [`     open after 12 s: ${JSON.stringify(verdict.slow).slice(0, 1_500)}`]
      : []),
    ...failures.map((failure) => `     ! ${failure.slice(0, 2_000)}`),
    ...(failures.length > 0 ? [`     logged: ${JSON.stringify(report.complaints).slice(0, 2_000)}`] : []),
  ].join('\n');
}

export function markdownTable(reports: readonly CellReport[], isQuick: boolean): string {
  const rows = reports.map((report) => {
    const { outcome } = report;
    const bars = outcome.bars.map((bar) => `${bar.name} ≤ ${valueText(bar.atMost, bar)}`);
    const figures = Object.entries(figuresOf(report)).map(([name, value]) => `${name}: ${value}`);
    const mark = failuresOf(report, isQuick).length === 0 ? 'pass' : '**fail**';
    return `| ${report.id} | ${figures.join('; ')} | ${bars.join('; ')} | ${mark} |`;
  });
  return ['| cell | figures | bar | |', '|---|---|---|---|', ...rows].join('\n');
}

export function environmentOf(seed: number): Record<string, string | number> {
  const cpu = cpus()[0]?.model ?? 'unknown';
  return { seed, node: process.versions.node, cores: availableParallelism(), processor: cpu };
}
