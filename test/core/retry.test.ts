import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_RETRY_ON } from '../../src/core/errors.ts';
import {
  effectivePolicies,
  effectivePolicy,
  type FailedTry,
  nextDelayMs,
  nextDelayOfPoliciesMs,
} from '../../src/core/retry.ts';

const failed = (more: Partial<FailedTry> = {}): FailedTry => ({
  policy: effectivePolicy(undefined),
  triesUsed: 1,
  code: 'network',
  isTerminal: false,
  random: 0.5,
  ...more,
});

describe('effectivePolicy', () => {
  test('without any retry there are 4 attempts, 1 s doubling to 60 s, full jitter', () => {
    expect(effectivePolicy(undefined)).toEqual({
      maxAttempts: 4,
      initialIntervalSeconds: 1,
      backoffCoefficient: 2,
      maxIntervalSeconds: 60,
      jitter: 'full',
      retryOn: null,
      nonRetryableErrors: [],
    });
  });

  test('maxRetries counts retries, maxAttempts counts the first try too', () => {
    expect(effectivePolicy(undefined, 0).maxAttempts).toBe(1);
    expect(effectivePolicy({ jitter: 'none' }, 5).maxAttempts).toBe(6);
    expect(effectivePolicy({ maxAttempts: 2 }, 5).maxAttempts).toBe(2);
  });

  test('a single missing field has its default', () => {
    const policy = effectivePolicy({ maxIntervalSeconds: 7, backoffCoefficient: 1 });
    expect(policy).toMatchObject({ initialIntervalSeconds: 1, maxIntervalSeconds: 7, backoffCoefficient: 1 });
  });
});

describe('several policies', () => {
  const policies = effectivePolicies([
    { retryOn: ['http_429'], maxAttempts: 5, initialIntervalSeconds: 8, jitter: 'none' },
    { retryOn: ['http_4xx', 'timeout'], maxAttempts: 2, jitter: 'none', nonRetryableErrors: ['http_404'] },
    { jitter: 'none', maxAttempts: 3 },
  ]);
  const delay = (code: string, earlierCodes: readonly string[] = [], isTerminal = false) =>
    nextDelayOfPoliciesMs({
      policies,
      code,
      earlierCodes,
      isTerminal,
      triesUsed: earlierCodes.length + 1,
      random: 0,
    });

  test('the first whose retryOn matches decides, in its own words', () => {
    expect(delay('http_429')).toBe(8000);
    expect(delay('http_409')).toBe(1000);
    expect(delay('http_404')).toBeNull();
    expect(delay('network')).toBe(1000);
  });

  test('where none matches it is not tried again', () => {
    expect(delay('validation')).toBeNull();
    expect(delay('network', [], true)).toBeNull();
  });

  test('each counts its own tries, and waits by them', () => {
    expect(delay('http_429', ['timeout', 'network', 'network'])).toBe(8000);
    expect(delay('http_429', ['http_429', 'timeout', 'http_429'])).toBe(32_000);
    expect(delay('timeout', ['http_409'])).toBeNull();
    expect(delay('network', ['http_503', 'timeout'])).toBe(2000);
    expect(delay('network', ['http_503', 'handler_error'])).toBeNull();
  });

  test('one alone counts all tries, and needs no codes of earlier ones', () => {
    const only = effectivePolicies({ maxAttempts: 3, jitter: 'none' });
    const failedTry = { policies: only, code: 'network', earlierCodes: [], isTerminal: false, random: 0 };
    expect(nextDelayOfPoliciesMs({ ...failedTry, triesUsed: 2 })).toBe(2000);
    expect(nextDelayOfPoliciesMs({ ...failedTry, triesUsed: 3 })).toBeNull();
  });
});

describe('which errors are retried', () => {
  test.each([...DEFAULT_RETRY_ON.filter((code) => code !== 'http_5xx'), 'http_500', 'http_503'])(
    '%s is retried by default',
    (code) => expect(nextDelayMs(failed({ code }))).not.toBeNull(),
  );

  test.each(['validation', 'missing_path', 'http_404', 'no_branch', 'provider_refused', 'my_code'])(
    '%s is not retried by default',
    (code) => expect(nextDelayMs(failed({ code }))).toBeNull(),
  );

  test('a TerminalError is not retried by default, whatever its code', () => {
    expect(nextDelayMs(failed({ isTerminal: true }))).toBeNull();
  });

  test.each([
    [['my_code'], 'my_code', true],
    [['http_4xx'], 'http_404', true],
    [['*'], 'validation', true],
    [['my_code'], 'network', false],
    [[], 'network', false],
  ])('retryOn %j with %s: %s', (retryOn, code, isRetried) => {
    const policy = effectivePolicy({ retryOn });
    expect(nextDelayMs(failed({ policy, code })) !== null).toBe(isRetried);
    expect(nextDelayMs(failed({ policy, code, isTerminal: true })) !== null).toBe(isRetried);
  });

  test('nonRetryableErrors wins over retryOn', () => {
    const policy = effectivePolicy({ retryOn: ['http_5xx'], nonRetryableErrors: ['http_501'] });
    expect(nextDelayMs(failed({ policy, code: 'http_501' }))).toBeNull();
    expect(nextDelayMs(failed({ policy, code: 'http_502' }))).not.toBeNull();
  });
});

describe('how long', () => {
  test.each([
    [1, 1000],
    [2, 2000],
    [3, 4000],
    [6, 32_000],
    [7, 60_000],
    [2000, 60_000],
  ])('without jitter, after try %d: %d ms', (triesUsed, delayMs) => {
    const policy = effectivePolicy({ jitter: 'none', maxAttempts: 10_000 });
    expect(nextDelayMs(failed({ policy, triesUsed }))).toBe(delayMs);
  });

  test('full jitter spreads from 0 to the whole interval', () => {
    expect(nextDelayMs(failed({ random: 0 }))).toBe(0);
    expect(nextDelayMs(failed({ random: 1 - Number.EPSILON / 2 }))).toBe(1000);
  });

  test('retryAfter is the least delay, also beyond the interval, up to an hour', () => {
    expect(nextDelayMs(failed({ retryAfterSeconds: 90.0001 }))).toBe(90_001);
    expect(nextDelayMs(failed({ retryAfterSeconds: 86_400 }))).toBe(3_600_000);
    expect(nextDelayMs(failed({ retryAfterSeconds: 0.1, random: 0.9 }))).toBe(900);
  });

  test.each([Number.NaN, -5, Number.NEGATIVE_INFINITY])(
    'a retryAfter of %d is ignored',
    (retryAfterSeconds) => {
      expect(nextDelayMs(failed({ retryAfterSeconds, random: 0 }))).toBe(0);
    },
  );

  test('an interval of 0 stays 0 however often it doubles', () => {
    const policy = effectivePolicy({ initialIntervalSeconds: 0, maxAttempts: 1e9 });
    expect(nextDelayMs(failed({ policy, triesUsed: 1e6 }))).toBe(0);
  });
});

describe('properties', () => {
  const seconds = fc.double({ min: 0, max: 1e308, noNaN: true });
  const policies = fc.record({
    maxAttempts: fc.integer({ min: 1, max: 1e6 }),
    initialIntervalSeconds: seconds,
    backoffCoefficient: fc.double({ min: 1, max: 1e300, noNaN: true }),
    maxIntervalSeconds: seconds,
    jitter: fc.constantFrom('full' as const, 'none' as const),
  });
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

  test('the delay is a whole number of milliseconds, never negative, never above the greatest interval', () => {
    fc.assert(
      fc.property(policies, fc.integer({ min: 1, max: 1e6 }), random, (retry, triesUsed, random) => {
        const delay = nextDelayMs(failed({ policy: effectivePolicy(retry), triesUsed, random }));
        if (delay === null) {
          expect(triesUsed).toBeGreaterThanOrEqual(retry.maxAttempts);
          return;
        }
        expect(Number.isSafeInteger(delay)).toBe(true);
        expect(delay).toBeGreaterThanOrEqual(0);
        expect(delay).toBeLessThanOrEqual(Math.ceil(retry.maxIntervalSeconds * 1000));
      }),
    );
  });

  test('exactly maxAttempts tries are made', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), random, (maxAttempts, random) => {
        const policy = effectivePolicy({ maxAttempts });
        let triesUsed = 1;
        while (nextDelayMs(failed({ policy, triesUsed, random })) !== null) triesUsed++;
        expect(triesUsed).toBe(maxAttempts);
      }),
    );
  });
});
