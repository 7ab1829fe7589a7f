// The batcher alone, with a database that the test plays.
import { expect, test } from 'vitest';
import { Batcher, PartlyAnswered } from '../../src/db/connection/batcher.ts';
import { gate } from '../support/engine.ts';

const lost = () => Object.assign(new Error('terminating connection'), { code: '57P01' });

test('calls of one moment share a batch; a lone one goes at once', async () => {
  const sent: string[][] = [];
  const batcher = new Batcher<string, string>({
    keyOf: (item) => item,
    send: async (items) => {
      sent.push([...items]);
      return items.map((item) => item.toUpperCase());
    },
  });
  expect(await batcher.call('a')).toBe('A');
  expect(await Promise.all(['b', 'c', 'd'].map((item) => batcher.call(item)))).toEqual(['B', 'C', 'D']);
  expect(sent).toEqual([['a'], ['b', 'c', 'd']]);
});

test('calls of one key are never under way in two batches', async () => {
  const first = gate();
  let underWay = 0;
  const batcher = new Batcher<string, number>({
    keyOf: () => 'same',
    send: async (items) => {
      expect(++underWay).toBe(1);
      await first.opened;
      underWay--;
      return items.map(() => items.length);
    },
  });
  const one = batcher.call('a');
  await new Promise(setImmediate);
  const others = Promise.all([batcher.call('b'), batcher.call('c')]);
  await new Promise(setImmediate);
  first.open();
  expect([await one, await others]).toEqual([1, [2, 2]]);
});

test('a batch is sent again until the database answers', async () => {
  let sends = 0;
  const batcher = new Batcher<string, string>({
    keyOf: (item) => item,
    send: async (items) => {
      if (++sends < 3) throw lost();
      return [...items];
    },
  });
  expect(await batcher.call('a')).toBe('a');
  expect(sends).toBe(3);
});

test('a poisonous call is refused alone', async () => {
  const batcher = new Batcher<number, number>({
    keyOf: String,
    send: async (items) => {
      if (items.includes(5)) throw new Error('unsupported Unicode escape sequence');
      return [...items];
    },
  });
  const answers = await Promise.allSettled(Array.from({ length: 9 }, (_, i) => batcher.call(i)));
  expect(answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : 'refused'))).toEqual([
    0,
    1,
    2,
    3,
    4,
    'refused',
    6,
    7,
    8,
  ]);
});

test('of a batch that was done in part, only the rest is sent again', async () => {
  const sent: number[][] = [];
  const batcher = new Batcher<number, number>({
    keyOf: String,
    send: async (items) => {
      sent.push([...items]);
      if (sent.length === 1)
        throw new PartlyAnswered(
          lost(),
          items.map((item) => (item % 2 === 0 ? item : undefined)),
        );
      return [...items];
    },
  });
  expect(await Promise.all([0, 1, 2, 3].map((item) => batcher.call(item)))).toEqual([0, 1, 2, 3]);
  expect(sent).toEqual([
    [0, 1, 2, 3],
    [1, 3],
  ]);
});
