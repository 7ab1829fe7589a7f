// external_api through the whole engine, against servers on loopback.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { NodeDefinition } from '../../src/core/definition/model.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { definition, type Engine, graph, openEngine, until } from '../support/engine.ts';
import { secretsInEnvironment } from '../support/installation-secrets.ts';
import { patience } from '../support/patience.ts';
import { type Answer, openStub, type Stub } from '../tasks/outbound/support/stub-server.ts';

let engine: Engine;
let stub: Stub;
/** What the server answers next, in order; then `{}`. */
let answers: Answer[] = [];
const with200: Answer = (_, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end('{}');
};
const withStatus =
  (status: number, headers: Record<string, string> = {}): Answer =>
  (_, response) => {
    response.writeHead(status, headers);
    response.end();
  };

beforeAll(async () => {
  stub = await openStub((request, response) => (answers.shift() ?? with200)(request, response));
  engine = await openEngine({
    outside: {
      allowedHosts: [`127.0.0.1:${stub.port}`],
      secrets: secretsInEnvironment({ ACME: 'acme-s3cret-key' }),
      publicUrl: 'https://me.example/',
    },
  });
});
afterAll(async () => {
  await engine.expectSound();
  await engine.close();
  await stub.close();
});
beforeEach(() => {
  answers = [];
  (stub.received as unknown[]).length = 0;
});

const api = (config: JsonObject, more: Partial<NodeDefinition> = {}): NodeDefinition => ({
  taskId: 'call',
  taskType: 'external_api',
  dependsOn: [],
  config: { url: `${stub.origin}/`, ...config },
  ...more,
});
const quick = { initialIntervalSeconds: 0.01, jitter: 'none', maxAttempts: 4 } as const;
const runOne = (node: NodeDefinition, input: JsonObject = {}) => engine.run(definition([node]), { input });

describe('external_api', () => {
  it('calls, and hands what came back to the next task', async () => {
    answers = [
      (_, response) => {
        response.writeHead(200, { 'content-type': 'application/json', etag: '"1"', 'set-cookie': 'a=1' });
        response.end('{"id":7}');
      },
    ];
    const config = { url: `${stub.origin}/orders/{{ input.id }}`, query: { deep: true }, credential: 'ACME' };
    const run = await engine.run(
      definition([
        api(config),
        {
          taskId: 'next',
          taskType: 'transformation',
          dependsOn: [{ taskId: 'call' }],
          config: { output: '$.tasks.call.output.body.id' },
        },
      ]),
      { input: { id: 'a/b' } },
    );
    expect(run.task('call').output).toMatchObject({ status: 200, headers: { etag: '"1"' }, body: { id: 7 } });
    expect(run.task('next').output).toBe(7);
    expect(stub.received[0]).toMatchObject({ method: 'GET', target: '/orders/a%2Fb?deep=true' });
    expect(stub.received[0]!.headers.authorization).toBe('Bearer acme-s3cret-key');
  });

  it('is tried again where that helps, and every request that went out costs', async () => {
    answers = [withStatus(500), withStatus(429)];
    const run = await runOne(api({ costUsd: '0.0001' }, { retry: quick }));
    expect(run.task('call')).toMatchObject({ status: 'completed', attempt: 3, costUsd: '0.0003' });
  });

  it('waits as long as Retry-After says', async () => {
    answers = [withStatus(429, { 'retry-after': '1' })];
    const startedAt = performance.now();
    const run = await runOne(api({}, { retry: quick }));
    expect(run.task('call').attempt).toBe(2);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(1000);
  });

  it('does not send a POST twice that may have been taken', async () => {
    answers = [withStatus(500)];
    const run = await runOne(api({ method: 'POST', body: { n: 1 } }, { retry: quick }));
    expect(run.task('call')).toMatchObject({
      status: 'failed',
      attempt: 1,
      error: { code: 'http_500', status: 500 },
    });
    expect(stub.received).toHaveLength(1);
  });

  it('sends an idempotent POST again, under the same key', async () => {
    answers = [withStatus(500)];
    const run = await runOne(api({ method: 'POST', body: 1, idempotent: true }, { retry: quick }));
    expect(run.task('call').attempt).toBe(2);
    const keys = stub.received.map(({ headers }) => headers['idempotency-key']);
    expect(keys).toEqual([`${run.execution.id}:call`, `${run.execution.id}:call`]);
  });

  it('is cut at its timeout: a GET is tried again, a POST is not, and no connection is left', async () => {
    const closed = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const hang =
      (i: number): Answer =>
      (_, response) =>
        void response.on('close', () => closed[i]!.resolve());
    answers = [hang(0)];
    const get = await runOne(api({}, { timeoutSeconds: 0.5, retry: quick }));
    expect(get.task('call')).toMatchObject({ status: 'completed', attempt: 2 });
    answers = [hang(1)];
    const post = await runOne(api({ method: 'POST', costUsd: 1 }, { timeoutSeconds: 0.5, retry: quick }));
    expect(post.task('call')).toMatchObject({
      status: 'failed',
      attempt: 1,
      costUsd: '1',
      error: { code: 'timeout' },
    });
    await Promise.all(closed.map(({ promise }) => promise));
  });

  it('is cut by a cancel', async () => {
    const begun = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<void>();
    answers = [
      (_, response) => {
        response.on('close', () => closed.resolve());
        begun.resolve();
      },
    ];
    const flow = definition([api({ method: 'POST' })]);
    await engine.apply(flow);
    const id = await engine.start(flow.workflowId);
    await begun.promise;
    const startedAt = performance.now();
    await engine.database.withTenant(DEFAULT_TENANT_ID, (client) =>
      client.query('select dagwright.cancel_execution($1)', [id]),
    );
    await closed.promise;
    // One second and what a message takes; the bar is 2 s on a machine that does nothing else.
    expect(performance.now() - startedAt).toBeLessThan(patience(4000));
    expect((await engine.ended(id)).execution.status).toBe('cancelled');
  });

  it('does not go where it may not', async () => {
    const run = await runOne(api({ url: `http://127.0.0.1:${stub.port + 1}/?key=s3cr3t` }, { retry: quick }));
    expect(run.task('call')).toMatchObject({
      status: 'failed',
      attempt: 1,
      error: { code: 'blocked_destination' },
    });
    expect(JSON.stringify(run)).not.toContain('s3cr3t');
    expect(stub.received).toEqual([]);
  });

  it('names the path of a call that has no answer, and nothing of its query', async () => {
    answers = [(_, response) => void response.destroy()];
    const run = await runOne(api({ url: `${stub.origin}/v1/orders?key=s3cr3t`, method: 'POST', body: 1 }));
    expect(run.task('call').error).toMatchObject({
      code: 'network',
      message: expect.stringContaining(`POST ${stub.origin}/v1/orders was broken off`),
    });
    expect(JSON.stringify(run)).not.toContain('s3cr3t');
  });

  it('fails with a code that an edge can catch', async () => {
    answers = [withStatus(404)];
    const flow = definition([
      api({}),
      {
        taskId: 'none',
        taskType: 'probe',
        dependsOn: [{ taskId: 'call', on: 'failure', errors: ['http_404'] }],
        config: {},
      },
    ]);
    expect((await engine.run(flow)).states).toBe('call failed, none completed');
  });

  it('runs for each item of a parallel', async () => {
    const config = {
      items: '$.input.ids',
      task: { taskType: 'external_api', config: { url: `${stub.origin}/{{ item }}` } },
    };
    const flow = definition([{ taskId: 'all', taskType: 'parallel', dependsOn: [], config }]);
    const run = await engine.run(flow, { input: { ids: ['a', 'b', 'c'] } });
    expect(run.items('all')).toBe('completed, completed, completed');
    expect(stub.received.map(({ target }) => target).sort()).toEqual(['/a', '/b', '/c']);
  });

  it('gives fetch to task types of users, behind the same guard', async () => {
    engine.bodies.mine = async (context) => (await context.fetch(`${stub.origin}/mine`)).status;
    engine.bodies.blocked = (context) => context.fetch('http://169.254.169.254/');
    const run = await engine.run(graph('mine -> blocked'));
    expect([run.task('mine').output, run.task('blocked').error]).toMatchObject([
      200,
      { code: 'blocked_destination' },
    ]);
  });
});

describe('external_api with OAuth client credentials', () => {
  const token =
    (value: string, more: JsonObject = {}): Answer =>
    (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ access_token: value, token_type: 'Bearer', expires_in: 3600, ...more }));
    };
  const oauth = (clientId: string, more: JsonObject = {}): JsonObject => ({
    url: `${stub.origin}/api`,
    auth: {
      oauth2ClientCredentials: {
        ...{
          tokenUrl: `${stub.origin}/token`,
          clientId,
          clientSecret: '{{ secrets.ACME }}',
          scope: 'read write',
        },
        ...more,
      },
    },
  });
  const received = () =>
    stub.received.map(({ target, headers }) => `${target} ${headers.authorization ?? '-'}`);
  const BASIC = (id: string) => `Basic ${Buffer.from(`${id}:acme-s3cret-key`).toString('base64')}`;

  it('fetches a token once, shows it in each call, and hides it where it comes back', async () => {
    answers = [
      token('issued-t0ken-1'),
      (request, response) => response.end(`you sent ${request.headers.authorization}`),
    ];
    const first = await runOne(api(oauth('one')));
    expect(first.task('call').output).toMatchObject({ body: 'you sent Bearer [redacted]' });
    expect(stub.received[0]).toMatchObject({
      method: 'POST',
      target: '/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'grant_type=client_credentials&scope=read+write',
    });
    await runOne(api(oauth('one')));
    expect(received()).toEqual([
      `/token ${BASIC('one')}`,
      '/api Bearer issued-t0ken-1',
      '/api Bearer issued-t0ken-1',
    ]);
  });

  it('fetches another where the service has taken it back, and makes the call once more, also a POST', async () => {
    answers = [token('old-t0ken-12'), with200, withStatus(401), token('new-t0ken-12'), with200];
    await runOne(api(oauth('two')));
    const run = await runOne(api({ ...oauth('two'), body: { a: 1 } }));
    expect(run.task('call')).toMatchObject({ status: 'completed', attempt: 1 });
    expect(received().slice(2)).toEqual([
      '/api Bearer old-t0ken-12',
      `/token ${BASIC('two')}`,
      '/api Bearer new-t0ken-12',
    ]);
    // A new one that is refused as well is an answer like any other.
    answers = [withStatus(401), token('newest-t0ken'), withStatus(401)];
    expect((await runOne(api(oauth('two')))).task('call').error).toMatchObject({
      code: 'http_401',
      attempts: 1,
    });
  });

  it('says what the token endpoint answered; a POST whose token could not be had was not sent', async () => {
    answers = [
      (_, response) => {
        response.writeHead(400, { 'content-type': 'application/json' });
        response.end('{"error":"invalid_client","error_description":"acme-s3cret-key is wrong"}');
      },
    ];
    const refused = await runOne(api(oauth('three', { sendIn: 'body' })));
    expect(refused.task('call').error).toMatchObject({
      code: 'http_400',
      message: `Task "call": the token endpoint ${stub.origin} answered 400: invalid_client: [redacted] is wrong`,
    });
    expect(stub.received[0]!.body).toBe(
      'grant_type=client_credentials&scope=read+write&client_id=three&client_secret=acme-s3cret-key',
    );
    answers = [withStatus(503), token('t0ken-of-four')];
    const run = await runOne(api({ ...oauth('four'), body: { a: 1 } }, { retry: quick }));
    expect(run.task('call')).toMatchObject({ status: 'completed', attempt: 2 });
  });
});

describe('external_api with a callback', () => {
  const config = {
    method: 'POST',
    body: { url: '{{ task.callbackUrl }}', token: '{{ task.callbackToken }}' },
    callback: { timeoutSeconds: 30 },
  };
  const complete = (token: string, output: JsonObject): Promise<unknown> =>
    engine.database.withTenant(DEFAULT_TENANT_ID, (client) =>
      client.query('select dagwright.complete_callback($1, $2)', [token, output]),
    );

  it('waits without a slot for what is sent with its token', async () => {
    const flow = definition([api(config)]);
    await engine.apply(flow);
    const id = await engine.start(flow.workflowId);
    const told = await until(async () => stub.received[0]?.body);
    const { url, token } = JSON.parse(told) as { url: string; token: string };
    expect(url).toBe(`https://me.example/v1/callbacks/${token}`);
    await until(async () => engine.worker.running === 0);
    await complete(token, { done: true });
    const run = await engine.ended(id);
    expect(run.task('call')).toMatchObject({ status: 'completed', attempt: 1, output: { done: true } });
    expect(stub.received).toHaveLength(1);
  });

  it('has no limit of time for its execution, unless the definition gives one', async () => {
    const deadlines = async (more: JsonObject): Promise<(number | null)[]> => {
      const flow = definition([api(config)], more);
      await engine.apply(flow);
      const id = await engine.start(flow.workflowId);
      const rows = await until(async () => {
        const found = await engine.query<{ deadline: number | null }>(
          `select extract(epoch from deadline_at - started_at)::float8 as deadline from dagwright.workflow_executions
           where id = $1 and started_at is not null`,
          [id],
        );
        return found.length > 0 && found;
      });
      await engine.database.withTenant(DEFAULT_TENANT_ID, (client) =>
        client.query('select dagwright.cancel_execution($1)', [id]),
      );
      await engine.ended(id);
      return rows.map(({ deadline }) => deadline);
    };
    expect(await deadlines({})).toEqual([null]);
    expect(await deadlines({ timeoutSeconds: 600 })).toEqual([600]);
  });

  it('takes an answer that comes before its call has returned', async () => {
    answers = [
      ({ body }, response) => {
        const { token } = JSON.parse(body) as { token: string };
        void complete(token, { early: true }).then(() => response.end());
      },
    ];
    expect((await runOne(api(config))).task('call').output).toEqual({ early: true });
  });

  it('fails when nothing comes in time; what may be repeated is called again', async () => {
    const short = { ...config, callback: { timeoutSeconds: 0.3 } };
    const post = await runOne(api(short, { retry: quick }));
    expect(post.task('call')).toMatchObject({ status: 'failed', attempt: 1, error: { code: 'timeout' } });
    const again = await runOne(api({ ...short, idempotent: true }, { retry: { ...quick, maxAttempts: 2 } }));
    expect(again.task('call')).toMatchObject({ status: 'failed', attempt: 2, error: { code: 'timeout' } });
    expect(stub.received).toHaveLength(3);
  });

  it('keeps its token out of the error of a call that is not accepted', async () => {
    let token = '';
    answers = [
      ({ body }, response) => {
        token = (JSON.parse(body) as { token: string }).token;
        response.writeHead(400, { 'content-type': 'application/json' });
        response.end(body);
      },
    ];
    const run = await runOne(api(config));
    expect(run.task('call').error).toMatchObject({ code: 'http_400' });
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(JSON.stringify(run)).not.toContain(token);
  });
});

describe('as the tool of a model', () => {
  it('is called with the arguments, a secret and a key of its own, and answers the model', async () => {
    answers = [
      (_, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end('{"celsius":21}');
      },
    ];
    const run = await engine.run(
      definition([
        {
          taskId: 'ask',
          taskType: 'model_inference',
          modelId: 'simulated/agent',
          dependsOn: [],
          config: {
            prompt: 'How warm is it?',
            tools: [
              {
                name: 'weather',
                inputSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
                task: {
                  taskType: 'external_api',
                  config: {
                    method: 'POST',
                    url: `${stub.origin}/weather`,
                    credential: 'ACME',
                    idempotent: true,
                    costUsd: '0.002',
                    body: { city: '{{ task.input.city }}' },
                  },
                },
              },
            ],
          },
        },
      ]),
    );
    expect(run.execution.status).toBe('completed');
    const { output, resourceUsage, costUsd } = run.task('ask');
    const [received] = stub.received;
    expect(received!.headers).toMatchObject({
      authorization: 'Bearer acme-s3cret-key',
      'idempotency-key': `${run.execution.id}:ask#tool:1`,
    });
    expect(JSON.stringify(output)).toContain('celsius');
    expect(JSON.stringify([output, resourceUsage])).not.toContain('acme-s3cret-key');
    expect(Number(costUsd)).toBeGreaterThan(0.002);
  });
});
