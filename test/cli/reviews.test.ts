// dagwright reviews, as its users see it: the database's command line is one person, and an operator.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { definition, type Engine, openEngine, until } from '../support/engine.ts';
import { runCli } from './support/run-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'dagwright-reviews-'));
let engine: Engine;

beforeAll(async () => {
  engine = await openEngine();
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await engine.expectSound();
  await engine.close();
});

const dagwright = (...args: string[]) =>
  runCli(args, { cwd: folder, env: { HOME: folder, DATABASE_URL: engine.database.url, LOG_LEVEL: 'warn' } });

const json = async (...args: string[]) => JSON.parse((await dagwright(...args, '--json')).stdout);

async function open(
  config: JsonObject = {},
  createdBy = 'user:alice',
): Promise<{ id: string; review: string }> {
  const made = definition([{ taskId: 'r', taskType: 'human_review', dependsOn: [], config }]);
  await engine.apply(made);
  const id = await engine.start(made.workflowId, { createdBy });
  const review = await until(async () => {
    const rows = await engine.query<{ id: string }>(
      'select id from dagwright.human_tasks where workflow_execution_id = $1',
      [id],
    );
    return rows[0]?.id;
  });
  return { id, review };
}

test('list and show say what is asked; approve decides, and a second decision is told what it is', async () => {
  const { id, review } = await open({
    title: 'Pay 5 EUR?',
    assignees: [{ type: 'user', id: 'cli' }],
    dueInSeconds: 600,
  });
  expect((await dagwright('reviews', 'list')).stdout).toMatch(
    new RegExp(`${review} .* r +Pay 5 EUR\\? +open +0/1 +user:cli`),
  );
  const shown = await dagwright('reviews', 'show', review);
  expect(shown.stdout).toContain('Pay 5 EUR? (approval): open');
  expect(shown.stdout).toContain(`execution ${id}`);
  expect((await dagwright('executions', 'why', id)).stdout).toContain(
    `waits for a decision in review ${review}, due at`,
  );
  const approved = await dagwright('reviews', 'approve', review, '--comment', 'fine');
  expect(approved).toMatchObject({ code: 0, stdout: `${review} is approved\n` });
  const again = await dagwright('reviews', 'reject', review);
  expect([again.code, again.stderr]).toEqual([
    1,
    expect.stringContaining('the review is approved by cli at'),
  ]);
  expect((await engine.ended(id)).task('r').output).toMatchObject({
    responses: [{ by: 'cli', comment: 'fine' }],
  });
  expect((await dagwright('reviews', 'list')).stdout).toBe('no reviews\n');
});

test('what the command line has started it decides with --override only, and is told so', async () => {
  const { id, review } = await open({}, 'cli');
  const refused = await dagwright('reviews', 'approve', review);
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringMatching(/self_approval[\s\S]*--override/),
  ]);
  const done = await dagwright('reviews', 'reject', review, '--override', '--json');
  expect(JSON.parse(done.stdout)).toMatchObject({ status: 'rejected', decidedBy: 'cli' });
  await engine.ended(id);
});

test('a form is sent as JSON, and what does not fit names its place', async () => {
  const formSchema = { type: 'object', required: ['size'], properties: { size: { type: 'integer' } } };
  const { id, review } = await open({ reviewType: 'input', formSchema });
  const wrong = await dagwright('reviews', 'submit', review, '--data', '{"size":"big"}', '--json');
  expect([wrong.code, JSON.parse(wrong.stdout).errors[0].pointer]).toEqual([1, '/data/size']);
  await dagwright('reviews', 'submit', review, '--data', '{"size":3}');
  expect((await engine.ended(id)).task('r').output).toMatchObject({
    decision: 'submitted',
    data: { size: 3 },
  });
});

test('it is handed on, commented and given another due time', async () => {
  const { id, review } = await open();
  await dagwright('reviews', 'assign', review, 'user:bob', 'role:reviewer');
  await dagwright('reviews', 'comment', review, 'who knows more?');
  await dagwright('reviews', 'update', review, '--due', '2040-01-01T00:00:00Z', '--priority', '9');
  const { stdout } = await dagwright('reviews', 'show', review);
  for (const text of ['for user:bob, role:reviewer', 'who knows more?', 'due 2040-01-01T00:00:00.000Z'])
    expect(stdout).toContain(text);
  expect((await dagwright('reviews', 'assign', review, 'bob')).code).toBe(2);
  expect((await dagwright('reviews', 'approve', review)).stderr).toContain('not_assignee');
  await dagwright('reviews', 'approve', review, '--override');
  await engine.ended(id);
});

test('the example asks managers, and pays when they approve', async () => {
  const path = fileURLToPath(new URL('../../examples/', import.meta.url));
  expect((await dagwright('apply', `${path}approval-with-escalation.yaml`)).code).toBe(0);
  const input = JSON.parse(readFileSync(`${path}approval-with-escalation.input.json`, 'utf8'));
  const id = await engine.start('approval-with-escalation', { input, createdBy: 'user:ada' });
  const review = await until(async () => (await json('reviews', 'list', '--execution', id)).items[0]?.id);
  expect((await dagwright('reviews', 'show', review)).stdout).toContain('Pay 180 EUR to Ada?');
  await dagwright('reviews', 'approve', review, '--override');
  expect((await engine.ended(id)).execution.output).toEqual({ result: { paid: true, amountEur: 180 } });
});

test.each([[['reviews', 'show', 'x']], [['reviews', 'update', '0191f0de-0000-7000-8000-000000000001']]])(
  '%j is wrong usage',
  async (args) => {
    expect((await dagwright(...args)).code).toBe(2);
  },
);
