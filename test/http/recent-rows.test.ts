// What requests ask for by id, known for a short while: how old it may be, and what a flood costs.
import { expect, test } from 'vitest';
import { RecentRows } from '../../src/http/caller/recent-rows.ts';

interface Row {
  readonly id: string;
  readonly version: number;
}

function openRows(maxRows = 10_000) {
  const state = { now: 0, version: 1, exists: (_id: string): boolean => true };
  const asked: string[][] = [];
  const held: (() => void)[] = [];
  let holds = false;
  const rows = new RecentRows<Row>({
    load: async (ids) => {
      asked.push([...ids]);
      const found = ids.filter(state.exists).map((id) => ({ id, version: state.version }));
      if (holds) await new Promise<void>((resolve) => held.push(resolve));
      return found;
    },
    idOf: ({ id }) => id,
    maxAgeMs: 3_000,
    maxRows,
    now: () => state.now,
  });
  return {
    state,
    asked,
    find: (id: string) => rows.find(id),
    hold: () => {
      holds = true;
    },
    release: () => {
      holds = false;
      for (const resolve of held.splice(0)) resolve();
    },
  };
}

test('a row is remembered for 3 s, counted from when it was asked for', async () => {
  const { state, asked, find, hold, release } = openRows();
  hold();
  const first = find('a');
  state.version = 2;
  state.now = 2_000;
  release();
  expect(await first).toEqual({ row: { id: 'a', version: 1 }, askedAt: 0 });
  state.now = 2_999;
  expect((await find('a'))!.row.version).toBe(1);
  state.now = 3_000;
  expect((await find('a'))!.row.version).toBe(2);
  expect(asked).toEqual([['a'], ['a']]);
});

test('that there is none is remembered as long, and no longer', async () => {
  const { state, asked, find } = openRows();
  state.exists = () => false;
  expect(await find('a')).toBeNull();
  state.exists = () => true;
  state.now = 2_999;
  expect(await find('a')).toBeNull();
  state.now = 3_000;
  expect(await find('a')).not.toBeNull();
  expect(asked).toHaveLength(2);
});

test('a flood of ids costs one look-up at a time, which asks for each id once', async () => {
  const { asked, find, hold, release } = openRows();
  hold();
  const all = Array.from({ length: 1_000 }, (_, i) => find(`id-${i % 500}`));
  expect(asked).toEqual([['id-0']]);
  release();
  await Promise.all(all);
  expect(asked).toHaveLength(2);
  expect(asked[1]).toHaveLength(500);
});

test('invented ids drive no row out, and are forgotten themselves', async () => {
  const { state, asked, find } = openRows(10);
  await find('real');
  state.exists = () => false;
  for (let i = 0; i < 100; i++) await find(`invented-${i}`);
  const before = asked.length;
  expect(await find('real')).not.toBeNull();
  await find('invented-99');
  expect(asked.length).toBe(before);
  await find('invented-0');
  expect(asked.length).toBe(before + 1);
});

test('a look-up that fails is told to all who wait, and not remembered', async () => {
  let isAway = true;
  const rows = new RecentRows<Row>({
    load: async (ids) => {
      if (isAway) throw new Error('away');
      return ids.map((id) => ({ id, version: 1 }));
    },
    idOf: ({ id }) => id,
    maxAgeMs: 3_000,
  });
  const answers = await Promise.allSettled([rows.find('a'), rows.find('a'), rows.find('b')]);
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  isAway = false;
  expect(await rows.find('a')).not.toBeNull();
});
