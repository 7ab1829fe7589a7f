// What the patterns of a webhook cost to build is bounded: where its owner gives them, and where a delivery of a stranger meets those
// that an earlier release has stored.
import { expect, it } from 'vitest';
import type { Json } from '../../../src/core/json.ts';
import type { WebhookRow } from '../../../src/db/resources/webhooks.ts';
import { readSettings } from '../../../src/resources/webhooks/settings.ts';
import { decideEvent } from '../../../src/triggers/webhooks/event/decide.ts';
import { cpuMs } from '../../support/cpu-time.ts';
import { patience } from '../../support/patience.ts';

const REFUSED = /patterns and schemas of this document take too much to compile/;
let made = 0;
/** Patterns of a thousand instructions that nobody has built yet: 100 take half a second. */
const patterns = (count: number) =>
  Array.from({ length: count }, () => `^(?:hook${made++}|[a-z0-9_]{1,90}z?){1,9}$`);
const searches = (count: number): Json => patterns(count).map((one) => `{{ search(body.a, '${one}') }}`);
const EVENT = {
  ...{ eventId: 'e', receivedAt: '2026-11-20T17:00:00.000Z' },
  ...{ method: 'POST', headers: {}, query: {} },
};
const settings = (more: Record<string, Json>) =>
  readSettings(
    { ...{ workflowId: 'w', path: 'p', authType: 'none' }, ...more } as Parameters<typeof readSettings>[0],
    'default',
  );
const messagesOf = (more: Record<string, Json>) => {
  const read = settings(more);
  return read.ok ? '' : read.problems.map(({ message }) => message).join('\n');
};

it('settings with patterns by the hundred are refused before all of them are built; a few are taken', () => {
  expect(messagesOf({ inputMapping: searches(10) })).toBe('');
  let said = '';
  const ms = cpuMs(() => {
    said = messagesOf({ inputMapping: searches(600) });
  });
  expect(said).toMatch(REFUSED);
  expect(ms).toBeLessThan(patience(4_000));
});

it('filters, mapping and answer share one budget', () => {
  const two = () => ({
    filters: patterns(18).map((value) => ({ fieldPath: 'body.a', operator: 'regex', value })),
    respond: { body: searches(18) },
  });
  expect(messagesOf(two())).toBe('');
  expect(messagesOf({ ...two(), inputMapping: searches(18) })).toMatch(REFUSED);
});

it('what a delivery asks of the settings is compiled for the first one, and found for the next', async () => {
  let reads = 0;
  const filter = {
    get fieldPath() {
      reads++;
      return 'body.a';
    },
    operator: 'equals',
    value: 'never',
  };
  const webhook = { tenantId: 't', filters: [filter], inputMapping: null } as unknown as WebhookRow;
  const decide = async () => {
    const before = reads;
    expect(
      await decideEvent({} as never, {} as never, webhook, { ...EVENT, body: { a: 'b' } }),
    ).toMatchObject({
      status: 'filtered',
    });
    return reads - before;
  };
  expect(await decide()).toBeGreaterThan(1);
  // Its text is what it is found by.
  expect(await decide()).toBe(1);
});

it('a delivery to one that an earlier release has stored fails with what is too much, soon', async () => {
  const webhook = { filters: [], inputMapping: searches(600) } as unknown as WebhookRow;
  const before = process.threadCpuUsage().user;
  const decided = await decideEvent({} as never, {} as never, webhook, { ...EVENT, body: {} });
  expect(decided).toMatchObject({ status: 'failed', error: { message: expect.stringMatching(REFUSED) } });
  expect(process.threadCpuUsage().user - before).toBeLessThan(1000 * patience(4_000));
});
