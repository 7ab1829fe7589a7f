// Processor time of a tree of processes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { parseStat, sumTree, treeCpuMs } from '../../bench/processor.ts';

const isLinux = process.platform === 'linux';

/** What /proc says of a process whose own times and whose ended children's are these, in ticks. */
const stat = (pid: number, name: string, parent: number, times: readonly number[], threads = 1) =>
  `${pid} (${name}) S ${parent} 5 5 0 -1 4194560 1 2 3 4 ${times.join(' ')} 20 0 ${threads} 0 100 1 1`;

describe('the line of a process', () => {
  it('is read with a name that holds spaces and parentheses', () => {
    const line = stat(42, 'postgres: a) S 9 (b', 7, [1, 2, 30, 4], 3);
    expect(parseStat(line)).toEqual({
      name: 'postgres: a) S 9 (b',
      parent: 7,
      threads: 3,
      ownMs: 30,
      endedMs: 340,
    });
  });
});

describe('the time of a tree', () => {
  it('is that of the process and of all that descend from it, and of no other', () => {
    const processes = new Map(
      [
        stat(1, 'init', 0, [1000, 0, 0, 0]),
        stat(10, 'postgres', 1, [1, 0, 5, 0]),
        stat(11, 'postgres: writer', 10, [2, 0, 0, 0]),
        stat(12, 'sh', 11, [0, 3, 0, 0]),
        stat(20, 'other', 1, [500, 0, 0, 0]),
      ].map((line) => [Number.parseInt(line, 10), parseStat(line)] as const),
    );
    expect(sumTree(processes, 10, () => null)).toBe(110);
    // The writer's own time is known better.
    expect(sumTree(processes, 10, (pid) => (pid === 11 ? 24.5 : null))).toBe(114.5);
  });

  it('is null without a process', () => {
    expect(treeCpuMs(null)).toBeNull();
    expect(treeCpuMs(2 ** 30)).toBeNull();
  });

  it.runIf(isLinux)('keeps what an ended child has used', async () => {
    const before = treeCpuMs(process.pid)!;
    const child = spawn(process.execPath, ['-e', 'const end = Date.now() + 400; while (Date.now() < end);']);
    await once(child, 'exit');
    expect(treeCpuMs(process.pid)! - before).toBeGreaterThan(50);
  });
});
