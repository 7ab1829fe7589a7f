// Places of answers that stay open: counted by what they keep in memory, of all and of each tenant.
import { expect, test } from 'vitest';
import { OpenAnswers } from '../../src/http/waiting/open-answers.ts';

test('there are so many for a tenant and for all, and each comes back once', () => {
  const answers = new OpenAnswers({ most: 10, mostOfOne: 6 });
  expect(answers.take('a', 7)).toBeNull();
  for (let times = 0; times < 20; times++) {
    const giveBack = answers.take('a', 6)!;
    expect(answers.take('a')).toBeNull();
    giveBack();
    giveBack();
  }
  const [ofA, ofB] = [answers.take('a', 6)!, answers.take('b', 4)!];
  expect(answers.take('c')).toBeNull();
  ofB();
  expect(answers.take('c', 5)).toBeNull();
  expect(answers.take('c', 4)).not.toBeNull();
  expect(answers.take('b')).toBeNull();
  ofA();
  expect(answers.take('b', 6)).not.toBeNull();
});
