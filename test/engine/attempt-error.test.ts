// What an attempt failed with, as it is stored: no part of it holds a secret.
import { expect, test } from 'vitest';
import { RetryableError, TerminalError } from '../../src/core/errors.ts';
import { createRedact } from '../../src/core/redact.ts';
import { errorOf } from '../../src/engine/attempt/error.ts';
import type { Work } from '../../src/engine/attempt/work.ts';

const SECRET = 'sk-1234567890';
const work = { runnable: { timeoutSeconds: 1 }, claim: { taskId: 'a' } } as unknown as Work;
const told = { details: { [SECRET]: [`Bearer ${SECRET}`, { token: SECRET }] } };

test.each([
  ['TerminalError', new TerminalError(`E.${SECRET}`, `no ${SECRET}`, told)],
  ['RetryableError', new RetryableError(`no ${SECRET}`, { code: `E.${SECRET}`, ...told })],
  ['Error', new Error(`no ${SECRET}`)],
  ['text', `no ${SECRET}`],
  ['object', { because: SECRET }],
])('a thrown %s is stored without secrets', (_, failure) => {
  const { error } = errorOf(failure, work, { mayRepeat: true, redact: createRedact([SECRET]) });
  expect(JSON.stringify(error)).not.toContain(SECRET);
  expect(error.message).toContain('[redacted]');
});

test('without secrets it is stored as it was thrown', () => {
  const failure = new TerminalError('out_of_stock', 'none left', { details: { left: 0 }, status: 409 });
  expect(errorOf(failure, work, { mayRepeat: true, redact: createRedact([SECRET]) })).toEqual({
    error: {
      taskId: 'a',
      code: 'out_of_stock',
      message: 'none left',
      status: 409,
      details: { left: 0 },
    },
    isTerminal: true,
  });
});
