// An outside world in which nothing can be reached, for tasks that are tried without an engine; parts may be replaced.
import { redactNothing } from '../../src/core/redact.ts';
import type { Outside } from '../../src/tasks/outside.ts';

export function closedOutside(more: Partial<Outside> = {}): Outside {
  return {
    http: {
      fetch: () => Promise.reject(new Error('this test has no outside world')),
      request: () => Promise.reject(new Error('this test has no outside world')),
      close: async () => {},
    },
    secrets: {},
    providers: new Map(),
    prices: { price: async () => ({ inputCostUsd: null, outputCostUsd: null, costUsd: null }) },
    services: { use: (_service, _signal, call) => call() },
    redact: redactNothing,
    publicUrl: 'http://127.0.0.1:3000',
    ...more,
  };
}
