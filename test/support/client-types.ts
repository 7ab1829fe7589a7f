// Writes src/client/api-description.ts: what openapi-typescript makes of the API's description. `npm run client:types`.
// The generator wants a TypeScript that has an API, which the one of this project has not, so both are taken for once.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openApiDocument } from './openapi-document.ts';

const GENERATOR = ['openapi-typescript@7.13.0', 'typescript@5.9.3'];
const TARGET = fileURLToPath(new URL('../../src/client/api-description.ts', import.meta.url));

/** Of what the types are made of: the version of a release changes none. */
export function hashOf(document: object): string {
  const text = JSON.stringify({ ...document, info: null, servers: null });
  return createHash('sha256').update(text).digest('hex');
}

/** The hash that stands in the file. */
export function hashOfTypes(): string | undefined {
  return readFileSync(TARGET, 'utf8').match(/^\/\/ sha256 (\w{64})$/m)?.[1];
}

async function write(): Promise<void> {
  const document = await openApiDocument();
  const folder = mkdtempSync(join(tmpdir(), 'dagwright-types-'));
  try {
    const [given, made] = [join(folder, 'openapi.json'), join(folder, 'types.ts')];
    writeFileSync(given, JSON.stringify(document));
    const packages = GENERATOR.map((name) => `--package=${name}`);
    const args = ['exec', '--yes', ...packages, '--', 'openapi-typescript', given, '--output', made];
    // Elsewhere than here, or npm would take the TypeScript of this project.
    const ran = spawnSync('npm', args, { cwd: folder, stdio: 'inherit' });
    if (ran.status !== 0) throw new Error(`openapi-typescript: exit code ${ran.status}`);
    const text = readFileSync(made, 'utf8').replace(/^\/\*\*[\s\S]*?\*\/\n/, '');
    const header = [
      '// The operations of the API and their schemas. Made by `npm run client:types`; a test says when they are stale.',
      '// Longer than most files, since it is one description, which nobody writes by hand.',
      `// sha256 ${hashOf(document)}`,
    ];
    writeFileSync(TARGET, `${header.join('\n')}\n${text}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await write();
