// A wait for a signal, as definitions say it.
import { describe, expect, test } from 'vitest';
import { executionTimeoutSeconds } from '../../../src/core/definition/checks/execution-timeout.ts';
import { hintsOf, problemsOf, typed, valid, workflow } from './documents.ts';

const waiting = (config: Record<string, unknown>) => workflow([typed('a', 'wait', config)]);
const partly = (config: Record<string, unknown>) =>
  workflow([typed('p', 'parallel', { items: '$.input', task: { taskType: 'wait', config } })]);
const AT = '/nodes/0/config';

test.each<Record<string, unknown>>([
  { signal: 'paid' },
  { signal: 'order:17.paid-up_to' },
  { signal: ['paid', 'cancelled'], timeoutSeconds: 0.5 },
  { signal: 'paid-{{ input.id }}', timeoutSeconds: '{{ input.limit }}' },
  { signal: '$.input.names', when: true },
  { signal: 'paid', when: "payload.amount > input.least && signal == 'paid'" },
  { signal: 'paid', when: { all: [{ path: 'payload.status', operator: 'equals', value: 'ok' }] } },
  { signal: 'paid', when: '$.payload.id == $.task.id' },
])('%j is accepted', (config) => expect(problemsOf(waiting(config))).toEqual([]));

test.each<[Record<string, unknown>, string]>([
  [{ signal: '1st' }, `${AT}/signal pattern`],
  [{ signal: 'a/b' }, `${AT}/signal pattern`],
  [{ signal: [] }, `${AT}/signal range`],
  [{ signal: ['a', ''] }, `${AT}/signal/1 pattern`],
  [{ signal: 5 }, `${AT}/signal type`],
  [{ signal: 'a', seconds: 1 }, `${AT}/signal conflict`],
  [{ seconds: 1, when: 'true' }, `${AT}/when conflict`],
  [{ until: '2030-01-01T00:00:00Z', timeoutSeconds: 1 }, `${AT}/timeoutSeconds conflict`],
  [{ signal: 'a', timeoutSeconds: 0 }, `${AT}/timeoutSeconds range`],
  [{ signal: 'a', when: 'payload.' }, `${AT}/when expression`],
  [{ signal: 'a', when: 'secrets.KEY == payload' }, `${AT}/when out_of_scope`],
  [{ signal: 'a', when: 'item == payload' }, `${AT}/when out_of_scope`],
  [{ signal: '{{ payload.name }}' }, `${AT}/signal expression`],
  [{ signal: 'a', wen: 'true' }, `${AT}/wen unknown_field`],
])('%j is refused', (config, problem) => expect(problemsOf(waiting(config))).toEqual([problem]));

test('what it says of the wrong name helps', () => {
  expect(hintsOf(waiting({ signal: 'not a name' }))[0]![1]).toMatch(/^a letter, then letters/);
  expect(hintsOf(waiting({ seconds: 1, when: 'true' }))[0]![1]).toMatch(/config\.signal/);
});

test('an item of a parallel may be asked for in its condition', () => {
  expect(problemsOf(partly({ signal: 'a', when: 'payload.id == item.id && index < 3' }))).toEqual([]);
});

describe('the execution has no timeout of its own', () => {
  test.each([
    ['a wait', waiting({ signal: 'a' })],
    ['an item', partly({ signal: 'a' })],
  ])('with %s', (_what, document) => {
    expect(executionTimeoutSeconds(valid(document).definition)).toBeNull();
  });
  test('but has one with a wait for a time', () => {
    expect(executionTimeoutSeconds(valid(waiting({ seconds: 1 })).definition)).toBe(3600);
  });
});
