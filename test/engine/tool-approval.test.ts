// Calls of a model's tools that people approve (LANGUAGE H8), through the whole engine.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../src/core/json.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { decideReview } from '../../src/resources/reviews.ts';
import { definition, type Engine, openEngine, until } from '../support/engine.ts';

let engine: Engine;

const CITY = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const tool = (name: string, approval?: Json): JsonObject => ({
  name,
  inputSchema: CITY,
  task: { taskType: 'transformation', config: { output: `${name} {{ task.input.city }}` } },
  ...(approval !== undefined && { approval }),
});

async function start(...tools: JsonObject[]): Promise<string> {
  const made = definition([
    {
      taskId: 'm',
      taskType: 'model_inference',
      modelId: 'simulated/agent',
      dependsOn: [],
      config: { prompt: 'go', tools },
    },
  ]);
  await engine.apply(made);
  return await engine.start(made.workflowId, { createdBy: 'user:alice' });
}

interface Asked {
  readonly id: string;
  readonly payload: { readonly tool: string; readonly call: number; readonly arguments: Json };
}

const openReview = (id: string): Promise<Asked> =>
  until(async () => {
    const rows = await engine.query<Asked>(
      `select id, payload from dagwright.human_tasks where workflow_execution_id = $1 and status = 'open'`,
      [id],
    );
    return rows[0];
  });

async function decide(id: string, given: Omit<Parameters<typeof decideReview>[2], 'id'>): Promise<void> {
  const acting = { tenantId: DEFAULT_TENANT_ID, actor: 'user:bob' };
  const outcome = await engine.database.withTenant(acting, (client) =>
    decideReview(client, acting, { id, ...given }),
  );
  expect(outcome.ok).toBe(true);
}

const callsOf = (output: Json) => (output as JsonObject).toolCalls;

beforeAll(async () => {
  engine = await openEngine();
});
afterAll(async () => {
  await engine.expectSound();
  await engine.close();
});

it('a call waits without a slot, and runs with what was approved', async () => {
  const id = await start(tool('look'), tool('send', { assignees: [{ type: 'user', id: 'bob' }] }));
  const review = await openReview(id);
  expect(review.payload).toMatchObject({ tool: 'send', call: 2, arguments: { city: expect.any(String) } });
  await until(async () => engine.worker.running === 0);
  await decide(review.id, { decision: 'approved', data: { city: 'Oslo' } });
  const task = (await engine.ended(id)).task('m');
  expect(task).toMatchObject({ status: 'completed', attempt: 1 });
  expect(callsOf(task.output)).toMatchObject([
    { name: 'look', output: expect.stringMatching(/^look /) },
    { name: 'send', input: { city: 'Oslo' }, output: 'send Oslo' },
  ]);
});

it('a refusal goes back to the model with its reason', async () => {
  const id = await start(tool('send', true));
  await decide((await openReview(id)).id, { decision: 'rejected', comment: 'not on a Sunday' });
  expect(callsOf((await engine.ended(id)).task('m').output)).toMatchObject([
    {
      name: 'send',
      error: { code: 'not_allowed', message: 'a person has refused this call: not on a Sunday' },
    },
  ]);
});

it('each call has a review of its own', async () => {
  const id = await start(tool('first', true), tool('second', true));
  const first = await openReview(id);
  await decide(first.id, { decision: 'approved' });
  const second = await until(async () => {
    const review = await openReview(id);
    return review.id !== first.id && review;
  });
  expect([first.payload.tool, second.payload.tool]).toEqual(['first', 'second']);
  await decide(second.id, { decision: 'rejected' });
  expect(callsOf((await engine.ended(id)).task('m').output)).toMatchObject([
    { name: 'first', output: expect.stringMatching(/^first /) },
    { name: 'second', error: { code: 'not_allowed' } },
  ]);
});

it('a call that nobody approves in time is refused', async () => {
  const id = await start(tool('send', { dueInSeconds: 0.2 }));
  expect(callsOf((await engine.ended(id)).task('m').output)).toMatchObject([
    { name: 'send', error: { message: expect.stringContaining('in time') } },
  ]);
});
