// Who waits for executions leaves nothing behind.
import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
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
