import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { isAlive } from '../../../src/db/embedded/process.ts';
import { openEmbedded } from '../../../src/db/embedded/server.ts';
import { cleanUp, openInCommand, query, until, untilWatched } from './support.ts';

afterEach(cleanUp);

const homeOf = (dataDir: string): string => dirname(dirname(dataDir));

test('a throw-away server ends with its folder when it is let go', async () => {
  const server = await openEmbedded({ home: '', ephemeral: true });
  expect(await query(server.url, 'show fsync')).toEqual([{ fsync: 'on' }]);
  await server.stop();
  expect(await isAlive(server.pid)).toBe(false);
  expect(existsSync(homeOf(server.dataDir))).toBe(false);
});

test('a throw-away server ends with its folder after kill -9 of its owner, clients or not', async () => {
  const owner = openInCommand({ home: '', ephemeral: true, durable: false });
  const { pid, url, dataDir } = await owner.opened;
  expect(await query(url, 'show fsync')).toEqual([{ fsync: 'off' }]);
  const sleeping = query(url, 'select pg_sleep(600)').catch((error) => error);
  await owner.kill();
  await until(async () => !(await isAlive(pid)));
  await until(() => !existsSync(homeOf(dataDir)));
  await untilWatched(homeOf(dataDir), 0);
  expect(await sleeping).toBeInstanceOf(Error);
});

test('a throw-away server leaves nothing after kill -9 of its owner during the start', async () => {
  const owner = openInCommand({ home: '', ephemeral: true });
  const said = await owner.progress('/postgres\n');
  const home = /PostgreSQL in (.*)\/postgres/.exec(said)?.[1];
  await owner.kill();
  await until(() => !existsSync(home!));
  await untilWatched(home!, 0);
});
