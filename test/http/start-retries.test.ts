// Impatient clients over connections that break: what was started was started once, and nothing that was answered is lost.
import { Agent, request as send } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openDatabase, untilAnswered } from '../../src/db/connection/connection.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { applyDefinition } from '../../src/db/resources/definitions.ts';
import { graph } from '../support/engine.ts';
import { patience } from '../support/patience.ts';
import { type FaultyProxy, startProxy } from '../support/proxy.ts';
import { openService, type TestService } from '../support/service.ts';

let service: TestService;
let toService: FaultyProxy;
let toDatabase: FaultyProxy;
let workflowId: string;

beforeAll(async () => {
  const { hostname, port } = new URL(inject('adminUrl'));
  toDatabase = await startProxy({ host: hostname, port: Number(port) });
  service = await openService({
    listen: true,
    reach: (url) => openDatabase(toDatabase.urlOf(url), { name: 'dagwright-api' }),
  });
  toService = await startProxy({ host: '127.0.0.1', port: Number(new URL(service.url).port) });
  const wanted = graph('a');
  workflowId = wanted.workflowId;
  await applyDefinition(service.database, DEFAULT_TENANT_ID, wanted, 'test');
});
afterAll(async () => {
  await service.close();
  await toService.close();
  await toDatabase.close();
});

interface Answer {
  readonly status: number;
  readonly id: string | undefined;
  readonly retryAfter: string | undefined;
}

/** One try; null where the connection broke before the answer. */
function post(agent: Agent, key: string, input: unknown): Promise<Answer | null> {
  return new Promise((resolve) => {
    const request = send(
      {
        ...{ host: '127.0.0.1', port: toService.port, agent, method: 'POST', timeout: 8_000 },
        path: `/v1/workflows/${workflowId}/executions`,
        headers: { host: '127.0.0.1', 'content-type': 'application/json', 'idempotency-key': key },
      },
      (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('error', () => resolve(null));
        response.on('end', () => {
          if (!response.complete) return resolve(null);
          const retryAfter = response.headers['retry-after'];
          resolve({ status: response.statusCode!, id: JSON.parse(text).id, retryAfter });
        });
      },
    );
    request.on('error', () => resolve(null));
    request.on('timeout', () => request.destroy());
    request.end(JSON.stringify({ input }));
  });
}

// A connection that was broken while it was idle says so to who uses it next.
const rows = () =>
  untilAnswered(() =>
    service.query<{ id: string; input: { n: number } }>(
      'select id, input from dagwright.workflow_executions',
    ),
  );

describe('starts with an idempotency key', () => {
  it('are done once each by clients that send them again until they are answered', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 50 });
    const isDone = new AbortController();
    const answered = new Map<string, string>();
    const met = { broken: 0, unavailable: 0, other: 0 };
    const breaking = (async () => {
      let before = 0;
      for (let n = 0, everyMs = 40; !isDone.signal.aborted; n++) {
        await pause(everyMs);
        // A machine too busy to answer anything in that time gets more of it.
        everyMs = answered.size > before ? 40 : Math.min(2_000, everyMs * 2);
        before = answered.size;
        toService.reset();
        if (n % 5 === 4) toDatabase.reset();
      }
    })();
    const client = async (first: number) => {
      for (let n = first; n < 400; n += 50)
        for (let key = `order-${n}`; !answered.has(key); ) {
          const answer = await post(agent, key, { n });
          if (answer === null) met.broken++;
          else if (answer.status === 201) answered.set(key, answer.id!);
          else if (answer.status === 503) {
            met.unavailable++;
            expect(answer.retryAfter).toBeDefined();
          } else met.other++;
        }
    };
    await Promise.all(Array.from({ length: 50 }, (_, n) => client(n)));
    isDone.abort();
    await breaking;
    agent.destroy();
    expect(met.broken).toBeGreaterThan(20);
    expect(met.other).toBe(0);
    const started = await rows();
    expect(started.map(({ input }) => input.n).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 400 }, (_, n) => n),
    );
    for (const { id, input } of started) expect(answered.get(`order-${input.n}`)).toBe(id);
    const jobs = await untilAnswered(() => service.query('select from dagwright.jobs_v1()'));
    expect(jobs).toHaveLength(400);
  });

  it('give fifty requests at the same moment one execution', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 50 });
    const answers = await Promise.all(Array.from({ length: 50 }, () => post(agent, 'one', { n: -1 })));
    agent.destroy();
    expect(new Set(answers.map((answer) => `${answer?.status} ${answer?.id}`)).size).toBe(1);
    expect(answers[0]!.status).toBe(201);
    expect((await rows()).filter(({ input }) => input.n === -1)).toHaveLength(1);
  });

  it('answer 503 with Retry-After while the database is away', async () => {
    const agent = new Agent();
    toDatabase.blackhole();
    toDatabase.reset();
    const before = performance.now();
    const answer = await post(agent, 'away', { n: -2 });
    expect(answer).toMatchObject({ status: 503, retryAfter: expect.stringMatching(/^\d+$/) });
    expect(performance.now() - before).toBeLessThan(patience(20_000));
    toDatabase.heal({ forgets: true });
    let back = await post(agent, 'away', { n: -2 });
    while (back?.status !== 201) back = await post(agent, 'away', { n: -2 });
    expect((await rows()).filter(({ input }) => input.n === -2)).toHaveLength(1);
  });
});
