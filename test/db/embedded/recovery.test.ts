import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { WATCHER_NAME } from '../../../src/db/embedded/connection.ts';
import { isAlive } from '../../../src/db/embedded/process.ts';
import {
  EmbeddedError,
  embeddedStatus,
  openEmbedded,
  stopEmbedded,
} from '../../../src/db/embedded/server.ts';
import { cleanUp, makeFolder, makeHome, openInCommand, query, until } from './support.ts';

afterEach(cleanUp);

const IS_WATCHED = `select from pg_stat_activity where application_name = '${WATCHER_NAME}'`;

test('a server that was killed starts again on its data', async () => {
  const home = await makeHome();
  const command = openInCommand({ home });
  const first = await command.opened;
  await query(first.url, 'create table kept as select 42 as answer');
  await command.kill();
  process.kill(first.pid, 'SIGKILL');
  await until(async () => !(await isAlive(first.pid)));
  expect(existsSync(join(first.dataDir, 'postmaster.pid'))).toBe(true);

  const second = await openEmbedded({ home });
  expect(second.started).toBe(true);
  expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
  await second.stop();
});

test.each([
  ['is killed', async (pid: number) => void process.kill(pid, 'SIGKILL')],
  ['is stopped', async (_: number, home: string) => void (await stopEmbedded(home))],
])('a server that %s under a command is started again by it, on the same port', async (_, end) => {
  const home = await makeHome();
  const command = openInCommand({ home });
  const { pid, port, url } = await command.opened;
  await query(url, 'create table kept as select 42 as answer');
  await end(pid, home);
  await until(async () => (await embeddedStatus(home).catch(() => null))?.running === true);
  await until(async () => (await embeddedStatus(home)).clients === 1);
  const status = await embeddedStatus(home);
  expect([status.port, status.pid === pid]).toEqual([port, false]);
  expect(await query(url, 'select answer from kept')).toEqual([{ answer: 42 }]);
  await command.end();
});

test('a server whose port is taken meanwhile starts on another', async () => {
  const home = await makeHome();
  const first = await openEmbedded({ home });
  await first.stop();
  await stopEmbedded(home);
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(first.port, '127.0.0.1', resolve));
  const second = await openEmbedded({ home });
  expect(second.port).not.toBe(first.port);
  expect(await query(second.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  await second.stop();
  other.close();
});

test('a left-over postmaster.pid that names another living process is no server', async () => {
  const home = await makeHome();
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
  const home = await makeHome();
  const command = openInCommand({ home, idleMs: 1_000 });
  const { pid, url } = await command.opened;
  // A watcher that has not found the server yet could not end it; the server would, within a minute.
  await until(async () => (await query(url, IS_WATCHED)).length > 0);
  await rm(home, { recursive: true, force: true });
  await command.kill();
  await until(async () => !(await isAlive(pid)));
});
