// Takes away the declarations that no entry of the package leads to: the rest of the house is nobody's interface.
// Runs before packing, after the build.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import packageJson from '../package.json' with { type: 'json' };

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DIST = join(ROOT, 'dist');
const reached = new Set<string>();

function reach(file: string): void {
  if (reached.has(file)) return;
  reached.add(file);
  for (const [, specifier] of readFileSync(file, 'utf8').matchAll(/(?:from |import\()['"](\.[^'"]+)['"]/g))
    reach(resolve(dirname(file), specifier!.replace(/\.[jt]s$/, '.d.ts')));
}

for (const entry of Object.values(packageJson.exports))
  if (typeof entry === 'object') reach(join(ROOT, entry.import.types));
for (const file of readdirSync(DIST, { recursive: true, encoding: 'utf8' })) {
  const path = join(DIST, file);
  if (file.endsWith('.d.ts') && !reached.has(path)) rmSync(path);
}
