// Access tokens: fetched once for all that want one, kept while they are good, never shared between keys.
import { expect, test } from 'vitest';
import { AccessTokens } from '../../../src/tasks/access-tokens.ts';

const NEVER = new AbortController().signal;
const counting = (expiresInSeconds: number | null) => {
  let fetched = 0;
  return { fetch: async () => ({ value: `token-${++fetched}`, expiresInSeconds }), count: () => fetched };
};

test('of those that want one at once, one fetches it; later ones find it kept', async () => {
  const tokens = new AccessTokens();
  const { fetch, count } = counting(3600);
  const read = () => tokens.read(['a'], NEVER, fetch);
  expect(await Promise.all([read(), read(), read()])).toEqual(
    Array(3).fill({ value: 'token-1', isKept: false }),
  );
  expect(await read()).toEqual({ value: 'token-1', isKept: true });
  expect(await tokens.read(['b'], NEVER, fetch)).toEqual({ value: 'token-2', isKept: false });
  tokens.forget(['a'], 'another');
  expect((await read()).isKept).toBe(true);
  tokens.forget(['a'], 'token-1');
  expect(await read()).toEqual({ value: 'token-3', isKept: false });
  expect(count()).toBe(3);
});

test("one that has expired is not kept, one whose life is unknown is for a while, and a failure is nobody else's", async () => {
  const tokens = new AccessTokens();
  const expired = counting(0);
  await tokens.read(['a'], NEVER, expired.fetch);
  expect(await tokens.read(['a'], NEVER, expired.fetch)).toEqual({ value: 'token-2', isKept: false });
  const unknown = counting(null);
  await tokens.read(['b'], NEVER, unknown.fetch);
  expect((await tokens.read(['b'], NEVER, unknown.fetch)).isKept).toBe(true);
  await expect(tokens.read(['c'], NEVER, () => Promise.reject(new Error('down')))).rejects.toThrow('down');
  expect((await tokens.read(['c'], NEVER, unknown.fetch)).value).toBe('token-2');
});

test('who is aborted stops waiting; the others get the token', async () => {
  const tokens = new AccessTokens();
  const { promise, resolve } = Promise.withResolvers<{ value: string; expiresInSeconds: number }>();
  const controller = new AbortController();
  const first = tokens.read(['a'], controller.signal, () => promise);
  const second = tokens.read(['a'], NEVER, () => promise);
  controller.abort(new Error('gone'));
  await expect(first).rejects.toThrow('gone');
  resolve({ value: 'late', expiresInSeconds: 60 });
  expect((await second).value).toBe('late');
  await expect(tokens.read(['a'], controller.signal, () => promise)).rejects.toThrow('gone');
});
