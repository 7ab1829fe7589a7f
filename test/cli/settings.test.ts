// The environment becomes settings: all problems at once, no secret in any of them.
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/cli/settings/config.ts';

const read = (env: Record<string, string>) => {
  const result = readConfig(env, '/tmp');
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.value;
};

describe('the URL of a database', () => {
  const problemsOf = (url: string) => {
    const result = readConfig({ DATABASE_URL: url }, '/tmp');
    return result.ok ? [] : result.problems;
  };

  it.each([
    'postgres://app:canary/pass@db.internal:5432/d',
    'postgres://app:123/canary@db.internal:5432/d',
    'postgres://app:canary?pass@db.internal:5432/d',
    'postgres://app:canary#pass@db.internal:5432/d',
    'postgres://app:12#canary@db.internal/d',
    'postgres://app:12?canary@db.internal/d',
    'postgres://app:c%anary@db.internal/d',
    'postgres://app:can@ary/pass@db.internal/d',
  ])('with a password that is not escaped is refused with what to do: %s', (url) => {
    const [problem, ...more] = problemsOf(url);
    expect(more).toEqual([]);
    expect(problem).toMatchObject({ pointer: 'DATABASE_URL', hint: expect.stringContaining('%2F') });
    expect(JSON.stringify(problem)).not.toMatch(/canary|anary|123/);
  });

  it.each([
    'postgres://app:can%2Fary@db.internal:5432/d',
    'postgres://app:p@ss@db.internal/d',
    'postgres://app@db.internal/d?application_name=a@b',
    'postgres://db.internal:5432/d?application_name=a@b',
    'postgres:///d?host=/var/run/postgresql&user=a@b',
    'postgres://%2Fvar%2Frun%2Fpostgresql/d',
  ])('is taken: %s', (url) => {
    expect(problemsOf(url)).toEqual([]);
  });
});

describe('settings of the outside world', () => {
  it('reads secrets by name, and nothing else as a secret', async () => {
    const { secrets } = read({
      DAGWRIGHT_SECRET_GITHUB: 'ghp_0123456789',
      DAGWRIGHT_SECRET_: 'nameless',
      DAGWRIGHT_SECRET_EMPTY: '',
      GITHUB_TOKEN: 'other',
    }).outside;
    expect(secrets!.all.map(({ name, value }) => [name, value])).toEqual([['GITHUB', 'ghp_0123456789']]);
    expect(await secrets!.read('default', 'constructor')).toBeNull();
  });

  it('reads the keys of model providers under their usual names', () => {
    const { providers } = read({
      ANTHROPIC_API_KEY: 'sk-ant-1',
      GEMINI_API_KEY: 'g-1',
      OPENAI_BASE_URL: 'http://localhost:8080/v1',
    }).outside;
    expect(Object.fromEntries(providers!)).toEqual({
      anthropic: { apiKey: 'sk-ant-1', baseUrl: undefined },
      google: { apiKey: 'g-1', baseUrl: undefined },
      openai: { apiKey: undefined, baseUrl: 'http://localhost:8080/v1' },
    });
  });

  it('gives the keys of model providers to all tenants, or to those that are named', () => {
    const of = (names: string) => read({ DAGWRIGHT_PROVIDER_KEYS_FOR: names }).outside.providerKeysFor;
    expect(of('')).toBeUndefined();
    expect([...of('default, acme-eu,')!]).toEqual(['default', 'acme-eu']);
    const wrong = readConfig({ DAGWRIGHT_PROVIDER_KEYS_FOR: 'acme,*' }, '/tmp');
    expect(wrong).toMatchObject({ ok: false, problems: [{ pointer: 'DAGWRIGHT_PROVIDER_KEYS_FOR' }] });
  });

  it('never calls its own databases, on their ports', () => {
    expect(
      read({
        DATABASE_URL: 'postgres://u:p@pooler.internal:6432/d',
        DIRECT_DATABASE_URL: 'postgres://u:p@db.internal/d',
      }).outside.deniedHosts,
    ).toEqual(['pooler.internal:6432', 'db.internal:5432']);
  });

  it('takes the public address, or what it listens on', () => {
    expect(read({ DAGWRIGHT_PUBLIC_URL: 'https://flows.example.org' }).outside.publicUrl).toBe(
      'https://flows.example.org',
    );
    expect(read({ PORT: '8099' }).outside.publicUrl).toBe('http://127.0.0.1:8099');
  });

  it('names every bad setting, and the value of no secret', () => {
    const result = readConfig(
      {
        DAGWRIGHT_SECRET_X: 'canary-canary',
        DAGWRIGHT_PUBLIC_URL: 'ftp://x',
        DAGWRIGHT_ALLOWED_HOSTS: 'ok.example, 10.0.0.0/99, http://x/',
        DAGWRIGHT_RETENTION_DAYS: '-1',
        ANTHROPIC_BASE_URL: 'not a url',
      },
      '/tmp',
    );
    if (result.ok) throw new Error('expected problems');
    expect(result.problems.map(({ pointer }) => pointer).sort()).toEqual([
      'ANTHROPIC_BASE_URL',
      'DAGWRIGHT_ALLOWED_HOSTS',
      'DAGWRIGHT_ALLOWED_HOSTS',
      'DAGWRIGHT_PUBLIC_URL',
      'DAGWRIGHT_RETENTION_DAYS',
    ]);
    expect(JSON.stringify(result.problems)).not.toContain('canary');
  });
});
