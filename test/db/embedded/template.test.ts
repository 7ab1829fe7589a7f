import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type OwnPostgres, openOwnPostgres } from '../../crash/support/own-postgres.ts';
import { createDatabaseFrom, ensureTemplate } from '../../support/database.ts';
import { query } from './support.ts';

let server: OwnPostgres;
beforeAll(async () => {
  server = await openOwnPostgres(inject('cluster'));
});
afterAll(() => server?.remove());

test('test files that begin together migrate one template, after a failed attempt too', async () => {
  await expect(ensureTemplate(server.url, () => Promise.reject(new Error('broken')))).rejects.toThrow(
    'broken',
  );

  let migrated = 0;
  const migrate = async (url: string): Promise<void> => {
    migrated += 1;
    await query(url, 'create table migrated as select 1 as one');
  };
  const [template, same] = await Promise.all([1, 2].map(() => ensureTemplate(server.url, migrate)));
  expect(same).toBe(template);
  expect(migrated).toBe(1);

  const [first, second] = await Promise.all([1, 2].map(() => createDatabaseFrom(server.url, template!)));
  await query(first!.url, 'insert into migrated values (2)');
  expect(await query(second!.url, 'select * from migrated')).toEqual([{ one: 1 }]);
  await Promise.all([first!.drop(), second!.drop()]);
  expect(await query(server.url, "select from pg_database where datname like 'dagwright_test_%'")).toEqual(
    [],
  );
});
