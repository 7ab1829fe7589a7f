// The history of docs/performance.md: one entry for each `--record`, the newest last, each with the machine it was measured
// on, since figures of two machines say nothing about each other.
import { appendFile } from 'node:fs/promises';
import { CONTENDERS } from './contender.ts';
import type { Environment } from './environment.ts';
import { costOf, peerRatiosOf } from './report.ts';
import { formatValue, type WorkloadResult } from './rounds.ts';

export const HISTORY = new URL('../docs/performance.md', import.meta.url);

export interface Entry {
  readonly at: Date;
  readonly commit: string;
  /** As typed after `npm run bench --`. */
  readonly args: readonly string[];
  readonly results: readonly WorkloadResult[];
  readonly environment: Environment;
}

export async function recordEntry(entry: Entry, file: URL = HISTORY): Promise<void> {
  await appendFile(file, `\n${entryText(entry)}\n`);
}

export function entryText({ at, commit, args, results, environment }: Entry): string {
  const { node, postgres, cores, processor, memoryGb, fsync, synchronousCommit } = environment;
  const { rounds, finishedRows, contenders } = environment;
  const shown = CONTENDERS.filter((name) => contenders.includes(name));
  const rows = results.map(({ workload, cells }) => [
    workload.name,
    workload.unit,
    ...shown.map((name) => (cells[name] === undefined ? '-' : formatValue(cells[name].median))),
  ]);
  const ratios = results.map((result) => [
    result.workload.name,
    peerRatiosOf(result)
      .map(({ peer, ofMedians }) => `${peer} ${ofMedians.toFixed(1)}`)
      .join(', ') || '-',
    ...shown.map((name) => costOf(result.cells[name])),
  ]);
  return [
    `### ${at.toISOString().slice(0, 10)}, ${commit}`,
    `\`${['npm run bench --', ...args].join(' ')}\`: medians of ${rounds} rounds, ${finishedRows} finished task rows before. ${cores} cores (${processor}), ${memoryGb} GB, Node ${node}, PostgreSQL ${postgres}, fsync ${fsync}, synchronous_commit ${synchronousCommit}.`,
    tableOf([['workload', 'unit', ...shown], ...rows]),
    'Times as fast as each peer, and processor µs per step (process + server):',
    tableOf([['workload', 'times as fast as', ...shown], ...ratios]),
  ].join('\n\n');
}

function tableOf([head, ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head!), line(head!.map(() => '---')), ...rows.map(line)].join('\n');
}
