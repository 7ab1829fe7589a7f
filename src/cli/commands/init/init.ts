// dagwright init: writes a project that runs.
import { lstat, mkdir, realpath, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import packageJson from '../../../../package.json' with { type: 'json' };
import { BUILTIN_TASK_TYPES } from '../../../core/definition/schema/builtin-types.ts';
import { definitionSchema } from '../../../core/definition/schema/document.ts';
import { customTaskType } from '../../../core/definition/task-type.ts';
import { action } from '../../action.ts';
import type { Command } from '../../command.ts';
import type { CommandContext } from '../../context.ts';
import { Refusal } from '../../refusal.ts';
import { findOrigin, quoted } from './origin.ts';
import { projectFiles } from './project.ts';

/** Of this package. */
const HOME = resolve(fileURLToPath(new URL('../../../../', import.meta.url)));

export function defineCommand(command: Command): void {
  command.action(action(initProject));
}

async function initProject(context: CommandContext, _options: object, given = '.'): Promise<number> {
  const folder = resolve(context.io.cwd, given);
  const { dependency, before } = findOrigin(HOME, await realFolder(folder), packageJson.version);
  const files = projectFiles({
    name: packageName(basename(folder)),
    dependency,
    schema: definitionSchema(
      new Map([...BUILTIN_TASK_TYPES, ['count_words', customTaskType('count_words')]]),
    ),
  });
  // All or nothing: what somebody has written is never touched, and no project is left half written.
  const taken: string[] = [];
  for (const { path } of files) if (await exists(join(folder, path))) taken.push(path);
  if (taken.length > 0)
    throw new Refusal(
      taken.map((path) => ({
        pointer: join(given, path),
        code: 'exists',
        message: `${join(given, path)} is there already, and nothing is overwritten`,
        hint: 'dagwright init ANOTHER-FOLDER, or move it away',
      })),
    );
  for (const { path, text } of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    // `wx`: what has come meanwhile is not overwritten either.
    await writeFile(join(folder, path), text, { flag: 'wx' });
  }
  context.printJson({ folder, dependency, files: files.map(({ path }) => path) });
  for (const { path } of files) context.say(`wrote ${join(given, path)}`);
  const enter = given === '.' ? '' : `cd ${quoted(given)} && `;
  const steps = [before, 'npm install', 'npm run hello'].filter((step) => step !== null);
  if (dependency.startsWith('file:'))
    context.say(
      `\nIt takes dagwright from ${dependency.slice('file:'.length)}, where this one has come from.`,
    );
  context.say(`\n${enter}${steps.join(' && ')}`);
  return 0;
}

// Paths from one to the other lead through what the folders are, not what they are called.
async function realFolder(folder: string): Promise<string> {
  return await realpath(folder).catch(async () =>
    dirname(folder) === folder ? folder : join(await realFolder(dirname(folder)), basename(folder)),
  );
}

async function exists(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  );
}

// What npm takes as a name, near what the folder is called.
function packageName(folder: string): string {
  const name = folder
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+|[._-]+$/g, '');
  return name === '' || name === 'dagwright' ? 'my-workflows' : name.slice(0, 100);
}
