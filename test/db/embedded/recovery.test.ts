import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { isAlive } from '../../../src/db/embedded/process.ts';
import { EmbeddedError, openEmbedded, stopEmbedded } from '../../../src/db/embedded/server.ts';
import { cleanUp, makeFolder, openInCommand, query, until } from './support.ts';

afterEach(cleanUp);

test('a server that was killed starts again on its data', async () => {
  const home = join(await makeFolder(), 'home');
  const first = await openEmbedded({ home });
  await query(first.url, 'create table kept as select 42 as answer');
  process.kill(first.pid, 'SIGKILL');
  await until(async () => !(await isAlive(first.pid)));
  expect(existsSync(join(first.dataDir, 'postmaster.pid'))).toBe(true);

  const second = await openEmbedded({ home });
  expect(second.started).toBe(true);
  expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
  await Promise.all([first.stop(), second.stop()]);
});

test('a left-over postmaster.pid that names another living process is no server', async () => {
  const home = join(await makeFolder(), 'home');
  const first = await openEmbedded({ home });
  const pidFile = join(first.dataDir, 'postmaster.pid');
  const lines = (await readFile(pidFile, 'utf8')).split('\n');
  await first.stop();
  await stopEmbedded(home);
  await writeFile(pidFile, [process.pid, ...lines.slice(1)].join('\n'));

  const second = await openEmbedded({ home });
  expect(second.started).toBe(true);
  expect(second.pid).not.toBe(process.pid);
  await second.stop();
});

test('a half-done initdb is thrown away and made again', async () => {
  const home = join(await makeFolder(), 'home');
  const draft = join(home, 'postgres.draft-abc123');
  await mkdir(join(draft, 'data'), { recursive: true });
  await writeFile(join(draft, 'data/PG_VERSION'), '18\n');

  const killed = openInCommand({ home });
  await killed.progress('Creating a PostgreSQL');
  await killed.kill();

  const server = await openEmbedded({ home });
  expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  expect(existsSync(draft)).toBe(false);
  await server.stop();
});

test('a folder in the way that is no database of ours is not touched', async () => {
  const home = join(await makeFolder(), 'home');
  await mkdir(join(home, 'postgres'), { recursive: true });
  await writeFile(join(home, 'postgres/precious'), 'mine');
  await expect(openEmbedded({ home })).rejects.toThrow(EmbeddedError);
  expect(await readdir(join(home, 'postgres'))).toEqual(['precious']);
});

test('a deleted home ends its server', async () => {
  const folder = await makeFolder();
  const command = openInCommand({ home: join(folder, 'home'), idleMs: 1_000 });
  const { pid, dataDir } = await command.opened;
  await rm(dirname(dirname(dataDir)), { recursive: true, force: true });
  await command.kill();
  await until(async () => !(await isAlive(pid)));
});
