// An empty project of somebody else, in a folder with a space in its name, with the packed package installed.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import packageJson from '../../package.json' with { type: 'json' };

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const NPM = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Packed {
  readonly filename: string;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

export interface Project {
  readonly folder: string;
  readonly packed: Packed;
  /** The oldest Node that `engines` names, and the one that the tests run on. */
  readonly nodes: readonly string[];
  write(files: Readonly<Record<string, string>>): void;
  node(node: string, args: readonly string[], env?: Readonly<Record<string, string>>): Ran;
  /** Type-checks files of the project. */
  tsc(args: readonly string[]): Ran;
  remove(): void;
}

/** Packs, which builds, and installs. */
export function createProject(): Project {
  const top = mkdtempSync(join(tmpdir(), 'dagwright-package-'));
  const folder = join(top, 'an empty project');
  mkdirSync(folder);
  const env = {
    ...process.env,
    // The Node that runs this file, also for what npm starts.
    PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
    NODE_OPTIONS: '',
    VITEST: '',
    LOG_LEVEL: 'warn',
  };
  const run = (command: string, args: readonly string[], cwd: string, more = {}): Ran => {
    const { status, stdout, stderr } = spawnSync(command, args, {
      cwd,
      env: { ...env, ...more },
      encoding: 'utf8',
      timeout: 120_000,
    });
    return { code: status, stdout, stderr };
  };
  const npm = (args: readonly string[], cwd: string): string => {
    const { code, stdout, stderr } = run('npm', [...args, ...NPM], cwd);
    if (code !== 0) throw new Error(`npm ${args.join(' ')}: exit code ${code}\n${stdout}${stderr}`);
    return stdout;
  };
  const json = npm(['pack', '--json', '--pack-destination', top], ROOT);
  const [packed] = JSON.parse(json.slice(json.search(/^\[/m))) as [Packed];
  writeFileSync(join(folder, 'package.json'), '{ "name": "mine", "private": true, "type": "module" }');
  const types = `@types/node@${packageJson.devDependencies['@types/node']}`;
  npm(['install', join(top, packed.filename), types], folder);

  const oldest = packageJson.engines.node.replace('>=', '');
  const name = `node-${process.platform}-${process.arch}`;
  mkdirSync(join(top, 'oldest'));
  writeFileSync(join(top, 'oldest/package.json'), '{}');
  npm(['install', '--ignore-scripts', `${name}@${oldest}`], join(top, 'oldest'));
  return {
    folder,
    packed,
    nodes: [join(top, 'oldest/node_modules', name, 'bin/node'), process.execPath],
    write(files) {
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), text);
      }
    },
    node: (node, args, more) => run(node, args, folder, more),
    tsc: (args) => run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), ...args], folder),
    remove() {
      run(process.execPath, ['node_modules/.bin/dagwright', 'db', 'stop'], folder);
      rmSync(top, { recursive: true, force: true });
    },
  };
}
