// Where and how it was measured: what a figure means nothing without.
import { availableParallelism, cpus, totalmem } from 'node:os';
import type { ContenderName } from './contender.ts';
import type { BenchServer } from './server.ts';

export interface Environment {
  readonly node: string;
  readonly postgres: string;
  readonly cores: number;
  readonly processor: string;
  readonly memoryGb: number;
  readonly fsync: string;
  readonly synchronousCommit: string;
  readonly rounds: number;
  readonly finishedRows: number;
  readonly isQuick: boolean;
  /** Those that were here. */
  readonly contenders: readonly ContenderName[];
}

export type RunOptions = Pick<Environment, 'rounds' | 'finishedRows' | 'isQuick'>;

export function environmentOf(
  server: Pick<BenchServer, 'version' | 'fsync' | 'synchronousCommit'>,
  { rounds, finishedRows, isQuick }: RunOptions,
  contenders: readonly ContenderName[],
): Environment {
  return {
    node: process.versions.node,
    postgres: server.version,
    cores: availableParallelism(),
    processor: cpus()[0]?.model ?? 'unknown',
    memoryGb: Math.round(totalmem() / 2 ** 30),
    fsync: server.fsync,
    synchronousCommit: server.synchronousCommit,
    rounds,
    finishedRows,
    isQuick,
    contenders,
  };
}
