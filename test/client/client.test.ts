// The client against a service on a port.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest';
import { ApiError, DagwrightClient, type ExecutionEvent, UnreachableError } from '../../src/client/client.ts';
import { openService, type TestService } from '../support/service.ts';

let service: TestService;
let client: DagwrightClient;
beforeAll(async () => {
  service = await openService({ worker: true, listen: true, withKeys: true });
  const { key } = await service.tenant('acme');
  client = new DagwrightClient({ url: `${service.url}/`, key });
  const transformation = { taskType: 'transformation', config: { output: '{{ input.n }}' } };
  await put('chain', [
    { taskId: 'a', ...transformation },
    { taskId: 'b', dependsOn: ['a'], ...transformation },
  ]);
  await put('waiting', [{ taskId: 'w', taskType: 'wait', config: { seconds: 3000 } }]);
});
afterAll(() => service?.close());

async function put(workflowId: string, nodes: readonly object[]): Promise<void> {
  const { response } = await client.api.PUT('/v1/workflows/{workflowId}', {
    params: { path: { workflowId } },
    body: { workflowId, nodes, output: '{{ input.n }}' } as never,
  });
  expect(response.status).toBe(201);
}
async function all(events: AsyncIterable<ExecutionEvent>): Promise<ExecutionEvent[]> {
  const seen: ExecutionEvent[] = [];
  for await (const event of events) seen.push(event);
  return seen;
}
const nameOf = (event: ExecutionEvent) => (event.type === 'task' ? event.task.taskId : event.type);

describe('the client', () => {
  test('starts once for a key, waits and shows the end', async () => {
    const start = () => client.start('chain', { n: 7 }, { idempotencyKey: 'k' });
    const { id } = await start();
    expect((await start()).id).toBe(id);
    const ended = await client.wait(id);
    expect(ended).toMatchObject({ id, status: 'completed', output: 7, input: { n: 7 } });
    expectTypeOf(ended.costUsd).toEqualTypeOf<string | null>();
    // @ts-expect-error a misspelt field
    expect(ended.costUSD).toBeUndefined();
  });

  test('refuses as the service does', async () => {
    const refused = await client.start('nobody').catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ApiError);
    expect(refused).toMatchObject({ status: 404, code: 'not_found' });
    const id = '00000000-0000-7000-8000-000000000abc';
    for (const call of [() => client.wait(id), () => client.get(id), () => client.cancel(id)])
      expect(await call().catch((error: ApiError) => error.status)).toBe(404);
    const stranger = new DagwrightClient({ url: service.url, key: 'dw_nobody' });
    expect(await stranger.start('chain').catch((error: ApiError) => error.status)).toBe(401);
  });

  test('says once what is wrong, and that its url is without /v1', async () => {
    const refused = await client.start('nobody').catch((error: Error) => error);
    expect((refused as Error).message.match(/nobody/g)).toHaveLength(1);
    const two = new ApiError(new Response(null, { status: 422 }), {
      detail: '/a: is missing (and 1 more)',
      errors: ['/a', '/b'].map((pointer) => ({ pointer, code: 'required', message: 'is missing' })),
    });
    expect(two.message).toBe('/a: is missing (and 1 more)\n/b is missing');
    const doubled = new DagwrightClient({ url: `${service.url}/v1` });
    expect(await doubled.start('chain').catch((error: Error) => error.message)).toMatch(
      /the `url` of a client is without \/v1$/,
    );
  });

  test('names the address at which nobody answers', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(closed.address() as AddressInfo).port}`;
    await new Promise((resolve) => closed.close(resolve));
    const lost = new DagwrightClient({ url, key: 'dw_a-key-that-is-not-told' });
    const failures = await Promise.all(
      [lost.start('chain'), lost.get('x'), lost.wait('x')].map((call) =>
        call.catch((error: unknown) => error),
      ),
    );
    for (const failure of failures) {
      expect(failure).toBeInstanceOf(UnreachableError);
      expect(failure).toMatchObject({
        code: 'unreachable',
        url,
        message: expect.stringContaining('ECONNREFUSED'),
      });
      expect(failure).toMatchObject({ message: expect.stringContaining(`no answer from ${url}`) });
      expect((failure as Error).message).not.toContain('not-told');
    }
    const stopped = lost.start('chain', {}, { signal: AbortSignal.abort(new Error('enough')) });
    expect(await stopped.catch((error: Error) => error.message)).toBe('enough');
  });

  test('waits no longer than it is told, and cancels', async () => {
    const { id } = await client.start('waiting');
    expect(await client.wait(id, { timeoutMs: 1 }).catch((error: Error) => error.name)).toBe('TimeoutError');
    const waited = client.wait(id);
    expect(await client.cancel(id, 'enough')).toMatchObject({ status: 'cancelled' });
    expect(await waited).toMatchObject({ status: 'cancelled', error: { message: 'enough' } });
  });

  test('follows an execution, and goes on after any event', async () => {
    const { id } = await client.start('chain', { n: 1 });
    const events = (await all(client.events(id))).filter(({ type }) => type !== 'status');
    expect(events.map(nameOf)).toEqual(['a', 'b', 'end']);
    const [first] = events.flatMap((event) => (event.type === 'task' ? event.seq : []));
    const rest = await all(client.events(id, { after: first }));
    expect(rest.filter(({ type }) => type !== 'status').map(nameOf)).toEqual(['b', 'end']);
  });
});

describe('a stream that breaks', () => {
  let server: Server;
  afterAll(() => void server?.close());

  test('is opened again after what was seen, and refusals of the way are waited out', async () => {
    const asked: string[] = [];
    const task = (seq: number) =>
      `event: task\nid: ${seq}\ndata: ${JSON.stringify({ taskId: `t${seq}` })}\n\n`;
    const end = 'event: end\nid: end\ndata: {"status":"completed"}\n\n';
    server = createServer((request, response) => {
      asked.push(request.url ?? '');
      if (asked.length === 2) return response.writeHead(503, { 'retry-after': '0' }).end();
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      if (asked.length === 1) response.write(task(4), () => response.destroy());
      // Cut in the middle of a character and of a line.
      else if (asked.length === 3) {
        const bytes = Buffer.from(`event: later\ndata: é\n\n${task(9)}${end}`);
        response.write(bytes.subarray(0, 21), () => response.end(bytes.subarray(21)));
      }
      return undefined;
    });
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    const { port } = server.address() as AddressInfo;
    const seen = await all(new DagwrightClient({ url: `http://127.0.0.1:${port}` }).events('x'));
    expect(seen.map(nameOf)).toEqual(['t4', 't9', 'end']);
    expect(asked).toEqual([
      '/v1/executions/x/events',
      '/v1/executions/x/events?lastEventId=4',
      '/v1/executions/x/events?lastEventId=4',
    ]);
  });
});
