import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { COMMON_TYPES } from '../../src/db/protocol/job-kinds.ts';

it('the queue and the workers agree which types every worker has', () => {
  const sql = readFileSync(
    new URL('../../src/db/functions/protocol/task-needs.sql', import.meta.url),
    'utf8',
  );
  const list = /t\.type <> all\(array\[(.*?)\]\)/s.exec(sql)![1]!;
  expect([...list.matchAll(/'(\w+)'/g)].map(([, type]) => type)).toEqual(COMMON_TYPES);
});
