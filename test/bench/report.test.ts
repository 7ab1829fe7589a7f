// What is printed and what is recorded, also where contenders or figures are missing.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Environment } from '../../bench/environment.ts';
import { recordEntry } from '../../bench/record.ts';
import { peerRatiosOf, resultObject, resultText } from '../../bench/report.ts';
import type { Cell, WorkloadResult } from '../../bench/rounds.ts';
import { workloadNamed } from '../../bench/workloads.ts';

const cell = (values: readonly number[], serverUs: number | null = 50): Cell => ({
  median: values[1]!,
  values,
  processUs: 20,
  serverUs,
});

const CHAIN: WorkloadResult = {
  workload: workloadNamed('chain10_c64'),
  cells: { dagwright: cell([90, 100, 120]), restate: cell([30, 25, 40]), commits: cell([1, 2, 3], null) },
};
const STEP: WorkloadResult = {
  workload: workloadNamed('chain100_c1'),
  cells: { dagwright: cell([1, 1, 1]), restate: cell([2, 3, 4]), commits: cell([0.4, 0.5, 0.6]) },
};
const ENVIRONMENT: Environment = {
  node: '24.0.0',
  postgres: '18.4',
  cores: 2,
  processor: 'A Processor',
  memoryGb: 8,
  fsync: 'on',
  synchronousCommit: 'on',
  rounds: 3,
  finishedRows: 0,
  isQuick: false,
  contenders: ['dagwright', 'restate', 'graphile', 'commits'],
};

describe('the ratios', () => {
  it('say how many times as fast this engine is, by the medians and by round', () => {
    expect(peerRatiosOf(CHAIN)).toEqual([{ peer: 'restate', ofMedians: 4, byRound: [3, 4, 3] }]);
  });

  it('are turned round where less is faster', () => {
    expect(peerRatiosOf(STEP)).toEqual([{ peer: 'restate', ofMedians: 3, byRound: [2, 3, 4] }]);
  });
});

describe('the report', () => {
  const lines = resultText([CHAIN, STEP], ENVIRONMENT).split('\n');

  it('has a dash for a contender that was not measured, and says which are not installed', () => {
    expect(lines[1]).toMatch(
      /^chain10_c64 +steps\/s +100 \(90\.0\.\.120\) +- +25\.0 \(25\.0\.\.40\.0\) +- +- +2\.000/,
    );
    expect(lines).toContain('Left out, not installed: dbos, openworkflow.');
  });

  it('says what a step costs the process and the server, or that it is not available', () => {
    expect(lines.find((line) => /^chain10_c64 +20\.0 \+/.test(line))).toMatch(
      /^chain10_c64 +20\.0 \+ 50\.0 +- +20\.0 \+ 50\.0 +- +- +20\.0 \+ not available$/,
    );
  });

  it('compares a sequential step with the commit limit', () => {
    expect(lines).toContain('chain100_c1  a step of dagwright takes as long as 2.0 single-row commits');
  });

  it('is an object with null for what was not measured', () => {
    expect(resultObject([CHAIN], ENVIRONMENT)).toMatchObject({
      workloads: {
        chain10_c64: {
          unit: 'steps/s',
          dagwright: 100,
          dbos: null,
          cpuUsPerStep: {
            dagwright: { process: 20, server: 50 },
            dbos: null,
            commits: { process: 20, server: null },
          },
        },
      },
    });
  });
});

describe('the history', () => {
  it('gets an entry at its end, with machine, commit and command', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dagwright-history-'));
    const file = join(folder, 'performance.md');
    writeFileSync(file, '# Performance\n\n## History\n');
    try {
      await recordEntry(
        {
          at: new Date('2026-11-30T12:00:00Z'),
          commit: 'abc1234',
          args: ['--record', 'chain10_c64'],
          results: [CHAIN],
          environment: ENVIRONMENT,
        },
        pathToFileURL(file),
      );
      expect(readFileSync(file, 'utf8')).toBe(`# Performance

## History

### 2026-11-30, abc1234

\`npm run bench -- --record chain10_c64\`: medians of 3 rounds, 0 finished task rows before. 2 cores (A Processor), 8 GB, Node 24.0.0, PostgreSQL 18.4, fsync on, synchronous_commit on.

| workload | unit | dagwright | restate | graphile | commits |
| --- | --- | --- | --- | --- | --- |
| chain10_c64 | steps/s | 100 | 25.0 | - | 2.000 |

Times as fast as each peer, and processor µs per step (process + server):

| workload | times as fast as | dagwright | restate | graphile | commits |
| --- | --- | --- | --- | --- | --- |
| chain10_c64 | restate 4.0 | 20.0 + 50.0 | 20.0 + 50.0 | - | 20.0 + not available |
`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
