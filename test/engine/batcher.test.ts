// The batcher alone, with a database that the test plays.
import { describe, expect, test } from 'vitest';
import { Batcher, PartlyAnswered } from '../../src/db/connection/batcher.ts';
import { LOCKED } from '../../src/db/connection/locked.ts';
import { casesOf } from '../support/depth.ts';
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

describe('what finds its row locked waits alone', () => {
  const locking = (isLocked: (item: string) => boolean) => {
    const sent: string[][] = [];
    const frees = new Map<string, () => void>();
    const batcher = new Batcher<string, string>({
      keyOf: (item) => item[0]!,
      concurrency: 1,
      untilFree: (key) => new Promise((resolve) => void frees.set(key, resolve)),
      send: async (items) => {
        sent.push([...items]);
        return items.map((item) => (isLocked(item) ? LOCKED : item));
      },
    });
    return { batcher, sent, frees };
  };

  test('the others of its batch are answered, and later batches go on without it', async () => {
    let isLocked = true;
    const { batcher, sent, frees } = locking((item) => isLocked && item[0] === 'a');
    const held = batcher.call('a1');
    expect(await batcher.call('b')).toBe('b');
    expect(await batcher.call('c')).toBe('c');
    isLocked = false;
    frees.get('a')!();
    expect(await held).toBe('a1');
    expect(sent).toEqual([['a1', 'b'], ['c'], ['a1']]);
  });

  test('what comes for the same key joins it, and they go together', async () => {
    let isLocked = true;
    const { batcher, sent, frees } = locking((item) => isLocked && item[0] === 'a');
    const first = batcher.call('a1');
    await batcher.call('b');
    const second = batcher.call('a2');
    expect(await batcher.call('c')).toBe('c');
    isLocked = false;
    frees.get('a')!();
    expect([await first, await second]).toEqual(['a1', 'a2']);
    expect(sent).toEqual([['a1', 'b'], ['c'], ['a1', 'a2']]);
  });

  test('of a batch that was done in part too', async () => {
    let sends = 0;
    const batcher = new Batcher<string, string>({
      keyOf: (item) => item,
      untilFree: async () => {},
      send: async (items) => {
        if (++sends === 1) throw new PartlyAnswered(lost(), [LOCKED, undefined]);
        return items.map((item) => item.toUpperCase());
      },
    });
    expect(await Promise.all([batcher.call('a'), batcher.call('b')])).toEqual(['A', 'B']);
  });
});

describe.each(casesOf(['55P03', '57014', '40001', '40P01']))('%s is nobody’s fault', (code) => {
  const conflict = () => Object.assign(new Error('not now'), { code });

  test('a call that meets it alone is refused never, and holds up no other', async () => {
    let tries = 0;
    const batcher = new Batcher<string, string>({
      keyOf: (item) => item,
      concurrency: 1,
      send: async (items) => {
        if (items.includes('a') && ++tries < 25) throw conflict();
        return [...items];
      },
    });
    let isDone = false;
    const held = batcher.call('a').finally(() => {
      isDone = true;
    });
    for (const item of ['b', 'c', 'd']) expect(await batcher.call(item)).toBe(item);
    expect(isDone).toBe(false);
    expect(await held).toBe('a');
  }, 30_000);

  test('in a batch it is found by halving, and its neighbours are done', async () => {
    let isConflicted = true;
    const batcher = new Batcher<number, number>({
      keyOf: String,
      send: async (items) => {
        if (isConflicted && items.includes(5)) throw conflict();
        return [...items];
      },
    });
    const calls = Array.from({ length: 9 }, (_, i) => batcher.call(i));
    expect(await Promise.all(calls.filter((_, i) => i !== 5))).toEqual([0, 1, 2, 3, 4, 6, 7, 8]);
    isConflicted = false;
    expect(await calls[5]).toBe(5);
  });
});
