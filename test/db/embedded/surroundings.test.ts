// Where and as whom: the places in which a fresh clone has to work.
import { existsSync } from 'node:fs';
import { chmod, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { embeddedStatus, openEmbedded, stopEmbedded } from '../../../src/db/embedded/server.ts';
import { canExecute, userOf } from '../../../src/db/embedded/user.ts';
import {
  cleanUp,
  makeCheckout,
  makeFolder,
  makeHome,
  openInCommand,
  query,
  removeSystemData,
} from './support.ts';

const isRoot = process.getuid?.() === 0;
const NOBODY = userOf(65534, 65534);

afterEach(cleanUp);

test('a path with a space and quotes works', async () => {
  const home = join(await makeFolder("it's a folder "), 'home');
  const server = await openEmbedded({ home });
  expect(server.dataDir).toBe(join(home, 'postgres/data'));
  expect(await query(server.url, 'select current_database() as name')).toEqual([{ name: 'dagwright' }]);
  await server.stop();
});

test.each([
  ['unset', {}],
  ['set to a locale that is not installed', { LANG: 'xx_YY.UTF-8', LC_ALL: 'xx_YY.UTF-8' }],
])('the database is UTF-8 with LANG %s', async (_, env) => {
  const home = join(await makeFolder(), 'home');
  const { url } = await openInCommand({ home }, { env }).opened;
  const [row] = await query(
    url,
    "select current_setting('server_encoding') as encoding, upper('žluť') as word",
  );
  expect(row).toEqual({ encoding: 'UTF8', word: 'ŽLUŤ' });
});

test('the server listens on the loopback address only and asks for the password', async () => {
  const server = await openEmbedded({ home: await makeHome() });
  expect(await query(server.url, 'show listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
  const stranger = new URL(server.url);
  stranger.password = 'guess';
  await expect(query(stranger.href, 'select 1')).rejects.toThrow('password authentication failed');
  expect((await stat(join(server.dataDir, '../password'))).mode & 0o777).toBe(0o600);
  await server.stop();
});

test.runIf(isRoot)(
  'root in a folder closed to others gets its data in a system folder, and is told',
  async () => {
    const folder = await makeFolder();
    const checkout = await makeCheckout(folder, { uid: 0, gid: 0 });
    await chmod(folder, 0o700);
    const home = join(folder, 'home');
    const command = openInCommand({ home }, { checkout, cwd: checkout });
    const opened = await command.opened;
    try {
      expect(opened.dataDir.startsWith(folder)).toBe(false);
      expect(opened.notes.join()).toContain(opened.dataDir.replace(/\/data$/, ''));
      expect((await stat(opened.dataDir)).uid).not.toBe(0);
      await command.kill();
      const again = await openEmbedded({ home });
      expect(again).toMatchObject({ pid: opened.pid, started: false, notes: opened.notes });
      await again.stop();
      expect(await stopEmbedded(home)).toMatchObject({ stopped: true });
      expect(await embeddedStatus(home)).toEqual({ running: false, dataDir: opened.dataDir });
    } finally {
      await stopEmbedded(home);
      await removeSystemData(opened.dataDir);
    }
  },
);

test.runIf(isRoot)('an ordinary user gets everything in the home folder', async (context) => {
  if (!canExecute(NOBODY, process.execPath))
    context.skip(`${NOBODY.name} cannot execute ${process.execPath}`);
  const folder = await makeFolder();
  const checkout = await makeCheckout(folder, NOBODY);
  const home = join(checkout, 'home');
  const asNobody = { checkout, cwd: checkout, uid: NOBODY.uid, gid: NOBODY.gid, env: {} };
  const first = openInCommand({ home }, asNobody);
  const opened = await first.opened;
  expect(opened).toMatchObject({ started: true, notes: [], dataDir: join(home, 'postgres/data') });
  expect((await stat(opened.dataDir)).uid).toBe(NOBODY.uid);
  await first.kill();
  // Root finds the same server, and runs the data as their owner.
  const root = await openEmbedded({ home });
  expect(root).toMatchObject({ pid: opened.pid, started: false });
  await root.stop();
  expect(await stopEmbedded(home)).toMatchObject({ stopped: true });
  const second = openInCommand({ home }, asNobody);
  expect(await second.opened).toMatchObject({ started: true });
  await second.end();
  expect(await stopEmbedded(home)).toMatchObject({ stopped: true });
  expect(existsSync(join(home, 'command.lock'))).toBe(true);
});
