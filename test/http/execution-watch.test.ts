// Who waits for executions is told of their end, and leaves nothing behind.
import { getEventListeners } from 'node:events';
import { expect, test, vi } from 'vitest';
import { ExecutionWatch } from '../../src/http/waiting/execution-watch.ts';

const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const pool = { query: async () => ({ rows: [] }) } as never;

test('a wait that is over listens to its signal no more, and watches nothing', async () => {
  const { signal } = new AbortController();
  const silent = { query: () => new Promise(() => {}) } as never;
  const unanswered = new ExecutionWatch({ pool: silent, log });
  expect(await unanswered.untilTerminal('a', { timeoutMs: 1, signal })).toBeUndefined();
  expect(unanswered.size).toBe(0);
  unanswered.close();
  const watch = new ExecutionWatch({ pool, log });
  expect(await watch.untilTerminal('b', { timeoutMs: 60_000, signal })).toBeNull();
  expect(getEventListeners(signal, 'abort')).toEqual([]);
  expect(watch.size).toBe(0);
  watch.close();
});

test('who waits for the end alone is told what a worker of this process says, without a look; who follows it looks', async () => {
  const { signal } = new AbortController();
  const ended = { id: 'b', status: 'completed', nextSeq: 2 };
  const query = vi.fn(async () => ({ rows: [ended] }));
  const watch = new ExecutionWatch({ pool: { query } as never, log });
  const over = watch.untilTerminal('a', { timeoutMs: 60_000, signal });
  watch.notice('a');
  expect(await over).toBe('ended');
  expect(query).not.toHaveBeenCalled();
  const seen: unknown[] = [];
  const both = watch.untilTerminal('b', { timeoutMs: 60_000, signal });
  const stop = watch.subscribe('b', (state) => void seen.push(state));
  watch.notice('b');
  expect(await both).toBe('ended');
  await expect.poll(() => seen).toEqual([ended]);
  stop();
  expect(watch.size).toBe(0);
  watch.close();
});

test('what nobody of this process ends is looked at soon, and then ever less often', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  try {
    const looks: number[] = [];
    const running = { id: 'a', status: 'running', nextSeq: 1 };
    const query = async () => {
      looks.push(performance.now());
      return { rows: [running] };
    };
    const startedAt = performance.now();
    const watch = new ExecutionWatch({ pool: { query } as never, log });
    const stop = watch.subscribe('a', () => {});
    await vi.advanceTimersByTimeAsync(400);
    expect(looks.map((at) => Math.round(at - startedAt))).toEqual([5, 15, 35, 75, 155, 255, 355]);
    stop();
    watch.close();
  } finally {
    vi.useRealTimers();
  }
});
