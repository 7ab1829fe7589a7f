// Holds the OpenAPI document against what others read it with: Redocly's and Spectral's linters, and the types that
// openapi-typescript generates, which a client is compiled against. CI calls it (`.ci/run`): the tools come from npm, pinned,
// and are too large for everybody's node_modules. `node test/support/openapi/lint.ts [FOLDER]`: where files are kept.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeApi } from '../described-api.ts';

const REDOCLY = '@redocly/cli@2.77.0';
const SPECTRAL = '@stoplight/spectral-cli@6.16.3';
const OPENAPI_TYPESCRIPT = 'openapi-typescript@7.13.0';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const fileHere = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const given = process.argv[2];
const folder = given === undefined ? mkdtempSync(join(tmpdir(), 'dagwright-openapi-')) : resolve(given);

/** Runs a program in the folder; what it says is ours. */
function run(what: string, command: string, args: readonly string[]): boolean {
  const { status, error } = spawnSync(command, args, {
    cwd: folder,
    stdio: 'inherit',
    // Linters that ask for newer versions of themselves, or tell that they were used.
    env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', CI: 'true' },
  });
  const isGood = status === 0;
  if (!isGood) console.error(`${what} failed${error === undefined ? '' : `: ${error.message}`}`);
  return isGood;
}

const npx = (what: string, ...args: readonly string[]) => run(what, 'npx', ['-y', ...args]);

function compileClient(): boolean {
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  copyFileSync(fileHere('consumer.ts'), join(folder, 'consumer.ts'));
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        ...{
          strict: true,
          noEmit: true,
          skipLibCheck: false,
          target: 'esnext',
          module: 'nodenext',
          types: [],
        },
        ...{ allowImportingTsExtensions: true, exactOptionalPropertyTypes: true },
      },
      files: ['consumer.ts'],
    }),
  );
  return run('the client', process.execPath, [compiler, '-p', '.']);
}

try {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'openapi.json'), JSON.stringify(await describeApi(), null, 2));
  const isGood = [
    npx(
      'Redocly',
      REDOCLY,
      'lint',
      'openapi.json',
      '--config',
      fileHere('redocly.yaml'),
      '--max-problems=50',
    ),
    npx('Spectral', SPECTRAL, 'lint', 'openapi.json', '-r', fileHere('spectral.yaml'), '-F', 'warn'),
    npx('openapi-typescript', OPENAPI_TYPESCRIPT, 'openapi.json', '-o', 'openapi.d.ts') && compileClient(),
  ];
  if (isGood.includes(false)) process.exitCode = 1;
} finally {
  if (given === undefined) rmSync(folder, { recursive: true, force: true });
}
