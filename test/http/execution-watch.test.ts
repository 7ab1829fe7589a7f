// Who waits for executions leaves nothing behind.
import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { ExecutionWatch } from '../../src/http/waiting/execution-watch.ts';

const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const pool = { query: async () => ({ rows: [] }) } as never;

test('a wait that is over listens to its signal no more, and watches nothing', async () => {
  const watch = new ExecutionWatch({ pool, log });
  const { signal } = new AbortController();
  expect(await watch.untilTerminal('a', { timeoutMs: 1, signal })).toBeUndefined();
  expect(await watch.untilTerminal('b', { timeoutMs: 60_000, signal })).toBeNull();
  expect(getEventListeners(signal, 'abort')).toEqual([]);
  expect(watch.size).toBe(0);
  watch.close();
});
