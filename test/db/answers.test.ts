// Answers, whatever waits for them: one act under a kind and a key. Callbacks in full: test/engine/callbacks.test.ts.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isForAnswer, WAIT_KINDS } from '../../src/core/wait.ts';
import { type AnswerKind, giveAnswer, openAnswer } from '../../src/db/protocol/answers.ts';
import { settleBatch } from '../../src/db/protocol/settle.ts';
import type { Claim } from '../../src/db/protocol/transitions.ts';
import { graph } from '../support/engine.ts';
import { openProtocol, type Protocol, settleOf } from '../support/protocol.ts';

let protocol: Protocol;
beforeAll(async () => {
  protocol = await openProtocol();
});
afterAll(() => protocol.engine.close());

const ACTING = { actor: 'callback' };
const LIMITS = { timeoutMs: 60_000, heartbeatMs: null };
const pool = () => protocol.engine.database.engine;
const keyOf = (id: string) => createHash('sha256').update(id).digest();
const wait = (id: string, claim: Claim, kind: AnswerKind) =>
  settleBatch(pool(), protocol.worker, [
    settleOf(id, { claim, end: { kind: 'waiting', on: kind, delayMs: LIMITS.timeoutMs } }),
  ]);
const call = async (text: string, ...values: unknown[]) =>
  (await protocol.engine.query<{ answer: unknown }>(`select dagwright.${text} as answer`, values))[0]!.answer;

describe.each(WAIT_KINDS.filter(isForAnswer))('an answer to a wait for a %s', (kind) => {
  test('wakes the task that waits for it, once', async () => {
    const { id, claim } = await protocol.open(graph('a'));
    const to = { kind, key: keyOf(id) };
    expect(await openAnswer(pool(), id, claim, { ...to, ...LIMITS })).toBe(true);
    await wait(id, claim, kind);
    expect(await giveAnswer(pool(), ACTING, to, 'output', '1')).toBe('accepted');
    expect(await giveAnswer(pool(), ACTING, to, 'output', '2')).toBe('already_completed');
    expect(await protocol.taskOf(id, 'a')).toMatchObject({
      status: 'waiting',
      waiting_on: kind,
      wake_at: null,
    });
    expect(await protocol.jobsFor(id, 'a')).toBe(1);
  });

  test('is kept where it comes early', async () => {
    const { id, claim } = await protocol.open(graph('a'));
    const to = { kind, key: keyOf(id) };
    await openAnswer(pool(), id, claim, { ...to, ...LIMITS });
    expect(await giveAnswer(pool(), ACTING, to, 'output', '1')).toBe('accepted');
    expect(await protocol.jobsFor(id, 'a')).toBe(0);
    await wait(id, claim, kind);
    expect(await protocol.jobsFor(id, 'a')).toBe(1);
  });

  test('is for its kind alone', async () => {
    const { id, claim } = await protocol.open(graph('a'));
    const to = { kind, key: keyOf(id) };
    await openAnswer(pool(), id, claim, { ...to, ...LIMITS });
    await wait(id, claim, kind);
    for (const other of WAIT_KINDS.filter((each) => each !== kind))
      expect(await call(`answer_v1($1, $2, 'output', '1')`, other, to.key)).toBeNull();
    expect(await protocol.jobsFor(id, 'a')).toBe(0);
  });
});

test('the calls of the release before still open a callback and answer it', async () => {
  const { id, claim } = await protocol.open(graph('a'));
  const key = keyOf(id);
  const open = `open_callback_v1($1, $2, $3, $4, $5, $6, $7)`;
  expect(await call(open, id, 'a', -1, claim.fence, key, 60_000, null)).toBe(true);
  await wait(id, claim, 'callback');
  expect(await call('answer_callback_v1($1, $2, $3)', key, 'heartbeat', null)).toBe('accepted');
  expect(await call('answer_callback_v1($1, $2, $3)', key, 'output', '1')).toBe('accepted');
  expect(await call('answer_callback_v1($1, $2, $3)', key, 'output', '1')).toBe('already_completed');
  expect(await protocol.jobsFor(id, 'a')).toBe(1);
});
