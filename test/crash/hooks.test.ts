// A delivery survives the process that takes it (P1, P7): killed before the commit it has left nothing, killed between the
// commit and the answer it is all there; either way the sender's repetitions get one run and one answer.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyTo, type MadeWebhook, makeWebhook, ORDERS, traces } from '../http/support/hooks.ts';
import { fromStandard, send } from '../http/support/senders.ts';
import { openService, type TestService } from '../support/service.ts';
import type { ApiSettings } from './support/api-process.ts';

const PROGRAM = fileURLToPath(new URL('./support/api-process.ts', import.meta.url));
const encryptionKey = randomBytes(32).toString('base64');

interface ApiProcess {
  readonly url: string;
  /** Resolves when a delivery is at the moment where it stands still. */
  readonly standsStill: Promise<void>;
  kill(): Promise<void>;
}

let service: TestService;
let webhook: MadeWebhook;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  service = await openService({ encryptionKey: Buffer.from(encryptionKey, 'base64') });
  await applyTo(service, [ORDERS]);
});
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await service.close();
});

async function startApi(standsStill: ApiSettings['standsStill']): Promise<ApiProcess> {
  const settings: ApiSettings = { url: service.database.url, encryptionKey, standsStill };
  const child = spawn(process.execPath, ['--no-warnings', PROGRAM], {
    env: { ...process.env, CRASH_API: JSON.stringify(settings), NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  const exited = once(child, 'exit').then(() => void running.delete(child));
  const ready = Promise.withResolvers<string>();
  const still = Promise.withResolvers<void>();
  createInterface({ input: child.stdout! }).on('line', (text) => {
    const { message, url } = JSON.parse(text) as { message: string; url?: string };
    if (message === 'ready') ready.resolve(url!);
    if (message === 'stands still') still.resolve();
  });
  void exited.then(() => ready.reject(new Error('the API ended before it was ready')));
  return {
    url: await ready.promise,
    standsStill: still.promise,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

const deliverTo = (api: ApiProcess, id: string) =>
  send(`${api.url}/hooks/${webhook.path}`, fromStandard('{"n":1}', { secret: webhook.secret, id }));

test.each([
  ['before_commit', { events: 0, executions: 0 }],
  ['before_answer', { events: 1, executions: 1 }],
] as const)('a process killed %s leaves %j, and five repetitions make one run', async (moment, left) => {
  webhook = await makeWebhook(service, { verifier: 'standard_webhooks' });
  const [dying, living] = [await startApi(moment), await startApi('never')];
  const lost = deliverTo(dying, 'msg_1').catch(() => 'no answer');
  await dying.standsStill;
  // One is already waiting for the first when that dies.
  const early = deliverTo(living, 'msg_1');
  await dying.kill();
  expect(await lost).toBe('no answer');
  expect(await traces(service, webhook.id)).toEqual(left);
  const answers = [await early, ...(await Promise.all([1, 2, 3, 4].map(() => deliverTo(living, 'msg_1'))))];
  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202]);
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  const [event] = await service.query<{ id: string; executionId: string }>(
    'select id, workflow_execution_id as "executionId" from dagwright.webhook_events where webhook_id = $1',
    [webhook.id],
  );
  expect(answers[0]!.body).toEqual({
    eventId: event!.id,
    status: 'processed',
    executionId: event!.executionId,
  });
  expect(await traces(service, webhook.id)).toEqual({ events: 1, executions: 1 });
  await living.kill();
});

test('two processes that get one delivery at the same moment, 20 times, start one run each time', async () => {
  webhook = await makeWebhook(service, { verifier: 'standard_webhooks' });
  const processes = [await startApi('never'), await startApi('never')];
  for (let i = 0; i < 20; i++) {
    const answers = await Promise.all([0, 1, 0, 1, 0].map((n) => deliverTo(processes[n]!, `msg_${i}`)));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers[0]!.status).toBe(202);
  }
  expect(await traces(service, webhook.id)).toEqual({ events: 20, executions: 20 });
  await Promise.all(processes.map((api) => api.kill()));
});
