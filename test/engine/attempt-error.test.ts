// What an attempt failed with, as it is stored: no part of it holds a secret.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
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

describe('of an error that nobody planned the logs get the place', () => {
  const placeIn = (failure: unknown) =>
    errorOf(failure, work, { mayRepeat: true, redact: createRedact([SECRET]) }).place;
  const withStack = (message: string, ...frames: string[]) => {
    const failure = new Error(message);
    failure.stack = [`Error: ${message}`, ...frames.map((frame) => `    at ${frame}`)].join('\n');
    return failure;
  };
  const own = new URL('../../src/tasks/registry.ts', import.meta.url).href;
  const author = pathToFileURL(resolve('tasks/price.ts')).href;

  test('where it was thrown is the first frame of the author, as a path below the directory of the process', () => {
    expect(
      placeIn(
        withStack(
          'fetch failed',
          'node:internal/deps/undici/undici:1:2',
          `parse (${pathToFileURL(resolve('node_modules/csv/index.js')).href}:3:4)`,
          `async priceOf (${author}?v=2:12:7)`,
          `Object.run (${author}:30:1)`,
          `perform (${own}:5:6)`,
        ),
      ),
    ).toEqual({
      thrownAt: 'tasks/price.ts:12:7',
      stack: [
        'node:internal/deps/undici/undici:1:2',
        'parse (node_modules/csv/index.js:3:4)',
        'priceOf (tasks/price.ts:12:7)',
        'Object.run (tasks/price.ts:30:1)',
      ],
    });
  });

  test('a real error has it, with what caused it', () => {
    const failure = new TypeError('fetch failed', { cause: new Error(`refused ${SECRET}`) });
    expect(placeIn(failure)).toMatchObject({
      thrownAt: expect.stringMatching(/^test\/engine\/attempt-error\.test\.ts:\d+:\d+$/),
      cause: 'refused [redacted]',
    });
  });

  test('no secret is in it, and no line of the message passes for a frame', () => {
    const place = placeIn(
      withStack(`no\n    at ${SECRET} (/tmp/x.ts:1:1)`, `f${SECRET} (/srv/${SECRET}/a.ts:1:2)`),
    );
    expect(place).toEqual({
      thrownAt: '/srv/[redacted]/a.ts:1:2',
      stack: ['f[redacted] (/srv/[redacted]/a.ts:1:2)'],
    });
  });

  test('what has no place, or one that cannot be read, has none', () => {
    const hostile = Object.defineProperty(new Error('x'), 'stack', {
      get: () => {
        throw new Error('no');
      },
    });
    expect(['text', null, { because: 1 }, withStack('x'), hostile].map(placeIn)).toEqual(Array(5).fill(null));
    expect(placeIn(new TerminalError('boom', 'as planned'))).toBeUndefined();
  });

  test('it is bounded', () => {
    const frames = Array.from({ length: 400 }, (_, i) => `f${i} (/srv/${'/a'.repeat(i)}.ts:1:2)`);
    const place = placeIn(withStack('x', ...frames));
    expect(place?.stack).toHaveLength(10);
    expect(JSON.stringify(place).length).toBeLessThan(12_000);
  });
});
