// What of a provider's answer the libraries see.
import { expect, it } from 'vitest';
import { HeardAnswer } from '../../../src/tasks/model/heard-answer.ts';

const heard = (body: string, status: number) =>
  new HeardAnswer(async () => new Response(body, { status, headers: { 'x-request-id': 'r1' } }), {
    dialect: 'openai',
    tenantId: 't1',
    throwError: ({ error }) => {
      throw new Error(JSON.stringify(error));
    },
  }).fetch('https://model.example.org');

it('the libraries get an error as it is, or the beginning of a long one', async () => {
  const words = JSON.stringify({ error: { message: 'canary', more: 'x'.repeat(100_000) } });
  const short = await heard(words, 400);
  expect([short.status, short.headers.get('x-request-id'), await short.text()]).toEqual([400, 'r1', words]);
  const long = await heard(
    JSON.stringify({ error: { message: 'canary' }, more: Array(1_000_000).fill(1) }),
    429,
  );
  const text = await long.text();
  expect([long.status, text.slice(0, 30), text.length]).toEqual([
    429,
    '{"error":{"message":"canary"},',
    16_384,
  ]);
});
