// Every way in which a provider says when to come back.
import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { retryAfterOf } from '../../../src/tasks/model/retry-advice.ts';

const NOW = Date.parse('2026-11-30T12:00:00Z');
const retryInfo = (retryDelay: JsonObject | string): JsonObject => ({
  error: {
    code: 429,
    details: [
      { '@type': 'type.googleapis.com/google.rpc.QuotaFailure' },
      { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay },
    ],
  },
});

test.each<
  [string, { headers?: Record<string, string>; body?: JsonObject; message?: string }, number | undefined]
>([
  ['nothing', {}, undefined],
  ['seconds', { headers: { 'retry-after': '7' } }, 7],
  ['a date', { headers: { 'retry-after': 'Mon, 30 Nov 2026 12:00:30 GMT' } }, 30],
  ['milliseconds', { headers: { 'retry-after-ms': '1500' } }, 1.5],
  ['milliseconds of Azure', { headers: { 'x-ms-retry-after-ms': '250' } }, 0.25],
  ['both', { headers: { 'retry-after': '2', 'retry-after-ms': '1500' } }, 2],
  ["Google's RetryInfo", { body: retryInfo('34.074824224s') }, 34.074824224],
  ["Google's RetryInfo in parts", { body: retryInfo({ seconds: '3', nanos: 500_000_000 }) }, 3.5],
  ['a longer RetryInfo than the header', { headers: { 'retry-after': '1' }, body: retryInfo('20s') }, 20],
  ['a field of the error', { body: { error: { retry_after: 12 } } }, 12],
  ['a field of the body', { body: { retry_after_ms: 900 } }, 0.9],
  ['a field of what a router tells', { body: { error: { metadata: { retry_after_seconds: 4 } } } }, 4],
  [
    'the header that a router hands on',
    { body: { error: { metadata: { headers: { 'X-RateLimit-Reset': String(NOW + 9000) } } } } },
    9,
  ],
  ['a reset as a duration', { headers: { 'x-ratelimit-reset-tokens': '6m0s' } }, 360],
  ['a short reset', { headers: { 'x-ratelimit-reset-requests': '20ms' } }, 0.02],
  ['a reset of hours', { headers: { 'x-ratelimit-reset-requests': '1h2m3.5s' } }, 3600],
  [
    'of several resets that of the limit that is used up',
    {
      headers: {
        ...{ 'x-ratelimit-reset-requests': '8.64s', 'x-ratelimit-remaining-requests': '99' },
        ...{ 'x-ratelimit-reset-tokens': '2s', 'x-ratelimit-remaining-tokens': '0' },
      },
    },
    2,
  ],
  [
    'of several resets the longest where none is named',
    { headers: { 'x-ratelimit-reset-requests': '1s', 'x-ratelimit-reset-tokens': '3s' } },
    3,
  ],
  ['a reset in seconds', { headers: { 'x-ratelimit-reset': '5' } }, 5],
  ['a reset as an instant of Unix', { headers: { 'x-ratelimit-reset': String(NOW / 1000 + 11) } }, 11],
  ['a reset of the IETF', { headers: { 'ratelimit-reset': '50' } }, 50],
  [
    'a reset of Anthropic',
    { headers: { 'anthropic-ratelimit-input-tokens-reset': '2026-11-30T12:00:42Z' } },
    42,
  ],
  [
    'a reset of Anthropic, of several',
    {
      headers: {
        'anthropic-ratelimit-requests-reset': '2026-11-30T12:00:01Z',
        'anthropic-ratelimit-requests-remaining': '0',
        'anthropic-ratelimit-output-tokens-reset': '2026-11-30T12:00:59Z',
        'anthropic-ratelimit-output-tokens-remaining': '800',
      },
    },
    1,
  ],
  [
    'a header before a reset',
    { headers: { 'retry-after': '1', 'anthropic-ratelimit-requests-reset': '2026-11-30T13:00:00Z' } },
    1,
  ],
  ['words', { message: 'Rate limit reached. Please try again in 6.5s. Visit …' }, 6.5],
  ['words with parts', { message: 'Please try again in 1m30s.' }, 90],
  ['words with units', { message: 'Please retry after 20 seconds.' }, 20],
  ['words with milliseconds', { message: 'Please try again in 20ms' }, 0.02],
  ['words that say nothing', { message: 'Limit 3 per minute; try again later' }, undefined],
  ['a past instant', { headers: { 'x-ratelimit-reset': String(NOW / 1000 - 11) } }, 0],
  ['too long', { headers: { 'x-ratelimit-reset-tokens': '30h' } }, 3600],
  [
    'nonsense',
    { headers: { 'retry-after': 'soon', 'x-ratelimit-reset': 'x' }, body: { retry_after: -1 } },
    undefined,
  ],
])('%s', (_what, { headers = {}, body = null, message = '' }, seconds) => {
  const found = retryAfterOf({ headers, body, message, nowMs: NOW, isLimited: true });
  if (seconds === undefined) expect(found).toBeUndefined();
  else expect(found).toBeCloseTo(seconds, 6);
});

test('of limits: only where one was reached, and only those of which nothing is said to be left', () => {
  const headers = { 'x-ratelimit-remaining-requests': '199', 'x-ratelimit-reset-requests': '17h' };
  const ask = (more: Record<string, string>, isLimited: boolean) =>
    retryAfterOf({ headers: { ...headers, ...more }, body: null, message: '', nowMs: NOW, isLimited });
  expect(ask({}, true)).toBeUndefined();
  expect(ask({ 'x-ratelimit-reset-tokens': '6s' }, true)).toBe(6);
  expect(ask({ 'x-ratelimit-reset-tokens': '6s' }, false)).toBeUndefined();
  expect(ask({ 'retry-after': '3' }, false)).toBe(3);
});

test('a text that is no duration costs nothing', () => {
  const long = `1${'0'.repeat(200)} seconds`;
  const asked = { headers: {}, body: { retry_after: long }, message: '', nowMs: NOW, isLimited: true };
  expect(retryAfterOf(asked)).toBeUndefined();
  const body = { retry_after: '7'.repeat(1_000_000) };
  expect(retryAfterOf({ headers: {}, body, message: '', nowMs: NOW, isLimited: true })).toBeUndefined();
});
