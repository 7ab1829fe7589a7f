// What package.json promises to those who install. `npm run check` packs, installs and tries it (test/package).
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

interface Locked {
  readonly dev?: boolean;
  readonly engines?: { readonly node?: string };
}

describe('the package', () => {
  it('wants the Node that all that it depends on wants', () => {
    const oldest = versionOf(packageJson.engines.node);
    const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Locked> };
    const wanting = Object.entries(packages)
      .filter(([name, { dev, engines }]) => name !== '' && dev !== true && engines?.node?.includes('>='))
      .map(([name, { engines }]) => [name, versionOf(engines!.node!)] as const);
    expect(wanting.length).toBeGreaterThan(50);
    expect(wanting.filter(([, version]) => version > oldest)).toEqual([]);
    expect(Math.max(...wanting.map(([, version]) => version))).toBe(oldest);
    expect(read('entry/dagwright.js')).toContain(`(major === 22 && minor < ${oldest % 1000})`);
  });

  it.each(Object.entries(packageJson.exports).filter(([, entry]) => typeof entry === 'object'))(
    'gives the same by import and require: %s',
    (_name, entry) => {
      if (typeof entry === 'string') throw new Error('it has one form only');
      const source = entry.import.default.replace('./dist/', 'src/').replace(/\.js$/, '.ts');
      expect(read(entry.require.default.slice(2))).toContain(`require('.${entry.import.default}')`);
      const exported = valuesOf(read(source));
      expect(exported.length).toBeGreaterThan(1);
      const declared = [...read(entry.require.types.slice(2)).matchAll(/^export declare const (\w+)/gm)];
      expect(declared.map((match) => match[1]).sort()).toEqual(exported.sort());
    },
  );

  it('a checkout that is not built gives its sources to who asks for them; installed there are none', () => {
    const text =
      "console.log(JSON.stringify(['dagwright', 'dagwright/client'].map((name) => import.meta.resolve(name))))";
    const resolved = (...conditions: string[]) => {
      const args = [...conditions, '--input-type=module', '--eval', text];
      const { stdout } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
      return (JSON.parse(stdout) as string[]).map((url) => relative(ROOT, fileURLToPath(url)));
    };
    const sources = resolved('--conditions=dagwright-source');
    expect(sources).toEqual(['src/index.ts', 'src/client/client.ts']);
    expect(sources.every((file) => existsSync(join(ROOT, file)))).toBe(true);
    expect(resolved()).toEqual(['dist/index.js', 'dist/client/client.js']);
    expect(packageJson.files.filter((file) => file.startsWith('src'))).toEqual([]);
  });

  it('names files that are there', () => {
    for (const file of [packageJson.bin.dagwright, packageJson.main, ...packageJson.files.filter(isPlain)])
      expect(file === 'dist' || existsSync(join(ROOT, file)), file).toBe(true);
  });
});

const isPlain = (file: string) => !file.includes('*');

/** Names of what a file exports beside types; read, since to load it is to load the whole house. */
function valuesOf(source: string): string[] {
  const lists = [...source.matchAll(/^export \{([^}]*)\}/gm)].flatMap(([, list]) => list!.split(','));
  const declared = [...source.matchAll(/^export (?:class|(?:async )?function|const) (\w+)/gm)];
  return [
    ...lists.map((name) => name.trim()).filter((name) => name !== '' && !name.startsWith('type ')),
    ...declared.map((match) => match[1]!),
  ];
}

/** Of `>=22.19` (the last alternative of a range): 22019. */
function versionOf(range: string): number {
  const [, major, minor = '0'] = range.match(/>=\s*(\d+)(?:\.(\d+))?[^>]*$/) ?? [];
  return Number(major) * 1000 + Number(minor);
}
