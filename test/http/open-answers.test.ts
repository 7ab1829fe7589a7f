// Places of answers that stay open: counted by what they keep in memory, of all and of each tenant.
import { expect, test } from 'vitest';
import { OpenAnswers } from '../../src/http/waiting/open-answers.ts';

test('there are so many for a tenant and for all, and each comes back once', () => {
  const answers = new OpenAnswers({ most: 10, mostOfOne: 6 });
  const take = (tenant: string, places: number) => answers.take(tenant, (places - 1) * 20_000 + 19_999);
  expect(take('a', 7)).toBeNull();
  for (let times = 0; times < 20; times++) {
    const giveBack = take('a', 6)!;
    expect(take('a', 1)).toBeNull();
    giveBack();
    giveBack();
  }
  const [ofA, ofB] = [take('a', 6)!, take('b', 4)!];
  expect(take('c', 1)).toBeNull();
  ofB();
  expect(take('c', 5)).toBeNull();
  expect(take('c', 4)).not.toBeNull();
  expect(take('b', 1)).toBeNull();
  ofA();
  expect(take('b', 6)).not.toBeNull();
});
