// A call that answers later, from the request that external_api sends to the answer of the outside service.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { definition, until } from '../support/engine.ts';
import { openService, type TestService } from '../support/service.ts';

let service: TestService;
let outside: Server;
let outsideUrl: string;
const urls: string[] = [];

beforeAll(async () => {
  // Takes the job and the URL to answer to.
  outside = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      urls.push(JSON.parse(text).answerTo);
      response.writeHead(202).end('{}');
    });
  });
  await new Promise<void>((resolve) => outside.listen(0, '127.0.0.1', resolve));
  outsideUrl = `http://127.0.0.1:${(outside.address() as AddressInfo).port}`;
  service = await openService({
    worker: { outside: { allowedHosts: [new URL(outsideUrl).host] } } as object,
  });
});
afterAll(async () => {
  await service.engine!.expectSound();
  await service.close();
  outside.close();
});

async function waitingTask(
  callback: JsonObject = { timeoutSeconds: 60 },
): Promise<{ id: string; path: string }> {
  const wanted = definition([
    {
      taskId: 'ask',
      taskType: 'external_api',
      dependsOn: [],
      config: {
        method: 'POST',
        url: `${outsideUrl}/jobs`,
        body: { answerTo: '{{ task.callbackUrl }}' },
        callback,
      },
    },
  ]);
  await service.engine!.apply(wanted);
  const before = urls.length;
  const id = await service.engine!.start(wanted.workflowId);
  const url = await until(async () => urls[before]);
  await until(
    async () =>
      (
        await service.query(
          `select from dagwright.task_executions where workflow_execution_id = $1 and status = 'waiting'`,
          [id],
        )
      ).length,
  );
  return { id, path: new URL(url).pathname };
}
const answer = (path: string, body: unknown) => service.call('POST', path, { body });

/** A body as it stands, which JSON.stringify could not write. */
async function answerText(path: string, body: string): Promise<number> {
  const { statusCode } = await service.app.inject({
    method: 'POST',
    url: path,
    headers: { 'content-type': 'application/json' },
    payload: body,
  });
  return statusCode;
}

const SNOWFLAKE = '{"id":12345678901234567890}';
it.each<[string, (path: string) => Promise<unknown>]>([
  ['HTTP', (path) => answerText(path, `{"output":${SNOWFLAKE}}`)],
  [
    'SQL',
    (path) =>
      service.database.withTenant(DEFAULT_TENANT_ID, (client) =>
        client.query('select dagwright.complete_callback($1, $2)', [path.split('/').at(-1), SNOWFLAKE]),
      ),
  ],
])(
  'an integer beyond 2^53 is kept exactly, as a text, where it comes by %s, and the log of the task says so',
  async (_by, send) => {
    const { id, path } = await waitingTask();
    await send(path);
    const run = await service.engine!.ended(id);
    expect(run.task('ask')).toMatchObject({ status: 'completed', output: { id: '12345678901234567890' } });
    const lines = await until(async () => {
      const { body } = await service.call('GET', `/v1/executions/${id}/logs?level=warn`);
      return body.items.length > 0 ? body.items : undefined;
    });
    expect(lines).toMatchObject([{ taskId: 'ask', level: 'warn', fields: { code: 'long_number' } }]);
  },
);

describe('an answer to a callback', () => {
  it('completes the task with what it brings, once: a repeated one changes nothing', async () => {
    const { id, path } = await waitingTask();
    expect((await service.call('GET', `/v1/executions/${id}/why`)).body.items).toMatchObject([
      { taskId: 'ask', waitsFor: { kind: 'callback', until: expect.any(String) } },
    ]);
    expect(await answer(path, { output: { total: 3 } })).toMatchObject({
      status: 200,
      body: { status: 'accepted' },
    });
    expect(await answer(path, { output: { total: 4 } })).toMatchObject({
      status: 200,
      body: { status: 'already_completed' },
    });
    const run = await service.engine!.ended(id);
    expect(run.task('ask').output).toEqual({ total: 3 });
    expect((await answer(path, { output: 5 })).body.status).toBe('already_completed');
  });

  it('may be null, and may be an error with its code', async () => {
    const [one, two] = [await waitingTask(), await waitingTask()];
    await answer(one.path, { output: null });
    await answer(two.path, { error: { code: 'out_of_stock', message: 'none left', details: { sku: 1 } } });
    expect((await service.engine!.ended(one.id)).task('ask').output).toBeNull();
    expect((await service.engine!.ended(two.id)).task('ask').error).toMatchObject({
      ...{ code: 'out_of_stock', message: 'none left' },
    });
  });

  it('that still comes is announced by a heartbeat', async () => {
    const { id, path } = await waitingTask({ timeoutSeconds: 60, heartbeatSeconds: 30 });
    const expires = async () =>
      (
        await service.query<{ at: string }>(
          'select expires_at as at from dagwright.task_callbacks where workflow_execution_id = $1',
          [id],
        )
      )[0]!.at;
    const before = await expires();
    expect((await answer(path, { heartbeat: true })).body.status).toBe('accepted');
    expect(Date.parse(await expires())).toBeGreaterThan(Date.parse(before));
    await answer(path, { output: 1 });
    await service.engine!.ended(id);
  });

  it('to nothing is 404, and to what has ended 410', async () => {
    expect((await answer('/v1/callbacks/unknown', { output: 1 })).status).toBe(404);
    const { id, path } = await waitingTask();
    await service.call('POST', `/v1/executions/${id}/cancel`);
    expect((await answer(path, { output: 1 })).body).toMatchObject({ status: 410, code: 'expired' });
  });

  it.each([
    [{}],
    [{ output: 1, error: { code: 'a', message: 'b' } }],
    [{ heartbeat: false }],
    [{ error: { code: '1 2', message: 'b' } }],
    [{ error: 'no' }],
    [{ result: 1 }],
  ])('%j is refused, and the task waits on', async (body) => {
    const { id, path } = await waitingTask();
    expect((await answer(path, body)).status).toBe(422);
    expect((await answer(path, { output: 'good' })).body.status).toBe('accepted');
    await service.engine!.ended(id);
  });

  it('that cannot be stored is refused, and nothing of the token is logged or shown', async () => {
    const { id, path } = await waitingTask();
    const send = async (body: string) =>
      (await service.call('POST', path, { body, headers: { 'content-type': 'application/json' } })).status;
    expect(await send('{"output": "\\u0000"}')).toBe(422);
    expect(await send('{"output": "\\ud800"}')).toBe(422);
    expect(await send(`{"output": "${'x'.repeat(1_100_000)}"}`)).toBe(413);
    expect(await send('{"output": ')).toBe(400);
    const token = path.split('/').at(-1)!;
    const wrong = await answer(`${path}x`, { output: 1 });
    expect(JSON.stringify(wrong.body)).not.toContain(token);
    await answer(path, { output: 'done' });
    await service.engine!.ended(id);
    expect(JSON.stringify([service.logged, service.engine!.logged])).not.toContain(token);
  });

  it('is in the audit trail: from where it came, and nothing of what it brought', async () => {
    const { id, path } = await waitingTask();
    await service.call('POST', path, {
      ...{ body: { output: 'canary' }, headers: { 'user-agent': 'outside/1' } },
    });
    await answer(path, { output: 'canary again' });
    await service.engine!.ended(id);
    const { items } = (await service.call('GET', `/v1/audit?resourceType=executions&resourceId=${id}`)).body;
    expect(items).toEqual([
      expect.objectContaining({
        ...{ actor: 'callback', action: 'callbacks.answer', address: '127.0.0.1', userAgent: 'outside/1' },
        ...{ oldValues: null, newValues: { taskId: 'ask', mapIndex: null, part: 'output' } },
      }),
    ]);
  });

  it('counts once of fifty that come at the same time', async () => {
    const { id, path } = await waitingTask();
    const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => answer(path, { output: n })));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    const accepted = answers.flatMap(({ body }, n) => (body.status === 'accepted' ? [n] : []));
    expect(accepted).toHaveLength(1);
    expect((await service.engine!.ended(id)).task('ask').output).toBe(accepted[0]);
  });
});
