import { describe, expect, test } from 'vitest';
import { readAccess } from '../../../src/tasks/model/provider-access.ts';
import type { ProviderAccess } from '../../../src/tasks/outside.ts';
import { providersOf, secretsOf } from '../../support/outside.ts';

const access = (
  model: string,
  { baseUrl = null, credential = null }: { baseUrl?: string | null; credential?: string | null } = {},
  providers: { [name: string]: ProviderAccess } = {},
) =>
  readAccess(
    { taskId: 'it', model, baseUrl, credential, usedSecrets: new Set() },
    { providers: providersOf(providers), secrets: secretsOf({ MINE: 'key-of-author' }) },
  );
const KEY = { apiKey: 'key-of-operator' };

describe('how a provider is reached', () => {
  test.each([
    [
      'anthropic/claude-x',
      { dialect: 'anthropic', name: 'claude-x', baseUrl: 'https://api.anthropic.com/v1' },
    ],
    ['openai/gpt-x', { dialect: 'openai', name: 'gpt-x', baseUrl: 'https://api.openai.com/v1' }],
    ['google/gemini-x', { dialect: 'google', baseUrl: 'https://generativelanguage.googleapis.com/v1beta' }],
  ])('%s at its own address, with the key of the operator', async (model, wanted) => {
    const provider = model.split('/')[0]!;
    expect(await access(model, {}, { [provider]: KEY })).toMatchObject({
      ...wanted,
      apiKey: 'key-of-operator',
    });
  });

  test('openai at another address speaks chat completions', async () => {
    const at = { dialect: 'compatible', baseUrl: 'https://proxy.example/v1' };
    expect(
      await access('openai/gpt-x', {}, { openai: { ...KEY, baseUrl: 'https://proxy.example/v1/' } }),
    ).toMatchObject({
      ...at,
      apiKey: 'key-of-operator',
    });
    expect(await access('openai/gpt-x', { baseUrl: 'https://proxy.example/v1' })).toMatchObject({
      ...at,
      apiKey: null,
    });
  });

  test("a base URL without a path is completed as the provider's own client does it", async () => {
    const key = { credential: 'MINE' };
    expect((await access('anthropic/x', { ...key, baseUrl: 'https://proxy.example' })).baseUrl).toBe(
      'https://proxy.example/v1',
    );
    expect((await access('anthropic/x', { ...key, baseUrl: 'https://proxy.example/deep/' })).baseUrl).toBe(
      'https://proxy.example/deep',
    );
    expect((await access('google/x', { ...key, baseUrl: 'https://proxy.example' })).baseUrl).toBe(
      'https://proxy.example/v1beta',
    );
    expect(await access('local/a/b', { baseUrl: 'http://ollama:11434' })).toMatchObject({
      baseUrl: 'http://ollama:11434',
      name: 'a/b',
    });
  });

  test.each([
    ['anthropic/x', 'ANTHROPIC_API_KEY'],
    ['openai/x', 'OPENAI_API_KEY'],
    ['google/x', 'GOOGLE_GENERATIVE_AI_API_KEY'],
  ])('%s without a key names %s', async (model, variable) => {
    await expect(access(model)).rejects.toThrow(
      `set ${variable}, or config.credential and DAGWRIGHT_SECRET_<NAME>`,
    );
  });

  test('a credential that is not set names its variable', async () => {
    await expect(access('openai/x', { credential: 'OTHER' })).rejects.toThrow('set DAGWRIGHT_SECRET_OTHER');
    await expect(access('openai/x', { credential: 'toString' })).rejects.toThrow(
      'set DAGWRIGHT_SECRET_toString',
    );
  });
});

describe("the operator's key (A1)", () => {
  const providers = { anthropic: { ...KEY, baseUrl: 'https://proxy.example/anthropic' }, openai: KEY };

  test.each([
    ['https://api.anthropic.com/v1'],
    ['https://proxy.example/elsewhere'],
    ['http://127.0.0.1:9999'],
    ['http://localhost:9999/v1'],
  ])('goes to %s', async (baseUrl) => {
    expect((await access('anthropic/x', { baseUrl }, providers)).apiKey).toBe('key-of-operator');
  });

  test.each([
    ['https://evil.example/v1'],
    ['https://api.anthropic.com.evil.example/v1'],
    ['http://api.anthropic.com/v1'],
    ['http://127.0.0.1.evil.example/v1'],
  ])('never to %s', async (baseUrl) => {
    await expect(access('anthropic/x', { baseUrl }, providers)).rejects.toThrow(
      /no key for "anthropic" at config.baseUrl/,
    );
    expect((await access('openai/x', { baseUrl }, providers)).apiKey).toBeNull();
    expect((await access('anthropic/x', { baseUrl, credential: 'MINE' }, providers)).apiKey).toBe(
      'key-of-author',
    );
  });
});
