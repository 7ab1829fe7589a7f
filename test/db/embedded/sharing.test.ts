import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { connect, readActivity, WATCHER_NAME } from '../../../src/db/embedded/connection.ts';
import { isAlive } from '../../../src/db/embedded/process.ts';
import { embeddedStatus, openEmbedded, stopEmbedded } from '../../../src/db/embedded/server.ts';
import {
  cleanUp,
  makeFolder,
  makeHome,
  openInCommand,
  query,
  until,
  untilWatched,
  watchersOf,
} from './support.ts';

afterEach(cleanUp);

test('commands that open at the same moment share one server and one watcher', async () => {
  const home = join(await makeFolder(), 'home');
  const commands = [1, 2, 3].map(() => openInCommand({ home }));
  const opened = await Promise.all(commands.map((command) => command.opened));
  expect(new Set(opened.map(({ url }) => url)).size).toBe(1);
  expect(opened.filter(({ started }) => started)).toHaveLength(1);
  await untilWatched(home, 1);
});

test('a server survives kill -9 of the command that started it, and is reused', async () => {
  const home = await makeHome();
  const first = openInCommand({ home });
  const { pid, url } = await first.opened;
  await query(url, 'create table kept as select 42 as answer');
  await first.kill();

  const second = await openEmbedded({ home });
  expect(second).toMatchObject({ pid, url, started: false });
  expect(await query(url, 'select answer from kept')).toEqual([{ answer: 42 }]);
  await second.stop();
});

test('a server stops when its last client has been gone for the idle time, and its watcher with it', async () => {
  const home = await makeHome();
  const command = openInCommand({ home, idleMs: 1_000 });
  const { pid } = await command.opened;
  await untilWatched(home, 1);
  const [watcher] = await watchersOf(home);
  await command.kill();
  await until(async () => !(await isAlive(pid)));
  await until(async () => !(await isAlive(watcher!)));
  expect(await embeddedStatus(home)).toMatchObject({ running: false });
});

test('a server stays while a client is connected', async () => {
  const home = await makeHome();
  const short = openInCommand({ home, idleMs: 300 });
  const long = openInCommand({ home, idleMs: 300 });
  const { pid, port, dataDir } = await short.opened;
  await long.opened;
  await short.end();
  // Several idle times pass in a connection that does not count.
  const clock = await connect({ clusterDir: dirname(dataDir), port }, WATCHER_NAME);
  await clock.query('select pg_sleep(1.5)');
  await clock.end();
  expect(await embeddedStatus(home)).toMatchObject({ running: true, pid });
  await long.end();
  await until(async () => !(await isAlive(pid)));
});

test('a server whose watcher was killed gets a new one from the next command', async () => {
  const home = await makeHome();
  const first = openInCommand({ home });
  const { pid } = await first.opened;
  await untilWatched(home, 1);
  const [watcher] = await watchersOf(home);
  process.kill(watcher!, 'SIGKILL');
  await until(async () => !(await isAlive(watcher!)));

  const second = openInCommand({ home, idleMs: 500 });
  expect(await second.opened).toMatchObject({ pid, started: false });
  await Promise.all([first.end(), second.end()]);
  await until(async () => !(await isAlive(pid)));
});

test('status and stop tell what runs, and stop ends it with clients connected', async () => {
  const home = join(await makeFolder(), 'home');
  expect(await embeddedStatus(home)).toEqual({ running: false });
  expect(await stopEmbedded(home)).toEqual({ stopped: false, clients: 0 });

  const server = await openEmbedded({ home });
  const { url, pid, port, dataDir } = server;
  expect(await embeddedStatus(home)).toEqual({ running: true, url, pid, port, dataDir, clients: 1 });
  await server.stop();
  const client = await connect({ clusterDir: dirname(dataDir), port }, 'some client');
  expect(await stopEmbedded(home)).toEqual({ stopped: true, clients: 1 });
  expect(await embeddedStatus(home)).toEqual({ running: false, dataDir });
  expect(await stopEmbedded(home)).toEqual({ stopped: false, clients: 0 });
  await client.end();

  const again = await openEmbedded({ home });
  expect(again).toMatchObject({ started: true, dataDir });
  await again.stop();
});

test('the watcher is never counted as a client, not even while its connection starts', async () => {
  const server = await openEmbedded({ home: await makeHome() });
  const address = { clusterDir: dirname(server.dataDir), port: server.port };
  const looker = await connect(address, 'looker');
  const counts = new Set<number>();
  for (let round = 0; round < 50; round++) {
    const connecting = connect(address, WATCHER_NAME);
    let isConnecting = true;
    connecting.finally(() => {
      isConnecting = false;
    });
    while (isConnecting) counts.add((await readActivity(looker)).clients);
    await (await connecting).end();
  }
  expect([...counts]).toEqual([1]);
  await looker.end();
  await server.stop();
});
