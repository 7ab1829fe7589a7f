// Human reviews through the whole engine (LANGUAGE H1, H3, H5, H6): opened with the wait, decided once, due by the timer, closed with
// their task.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import type { ReviewStatus } from '../../src/core/review.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { explainExecution } from '../../src/resources/executions.ts';
import { humanReview } from '../../src/tasks/human-review.ts';
import type { TaskType } from '../../src/tasks/task-type.ts';
import { BEGIN } from '../support/begin.ts';
import { type Engine, failing, gate, graph, openEngine, until } from '../support/engine.ts';
import { cancelExecution, pauseExecution, resumeExecution } from '../support/executions.ts';

let engine: Engine;
/** Called when a `looking` task has found its review open, before it waits again. */
let whileLooking: (reviewId: string) => Promise<void> = async () => {};

// As human_review, with a test between its look and its next wait.
const looking: TaskType = {
  ...humanReview,
  type: 'looking',
  prepare(node, types) {
    const prepared = humanReview.prepare(node, types);
    return {
      ...prepared,
      async run(context) {
        const outcome = await prepared.run(context);
        if (context.phase === 'review' && outcome.kind === 'waitForReview')
          await whileLooking((await reviewOf(context.executionId)).id);
        return outcome;
      },
    };
  },
};

interface ReviewRow {
  readonly id: string;
  readonly status: ReviewStatus;
  readonly fence: string;
  readonly assignees: readonly string[];
  readonly escalations: number;
  readonly decided_by: string | null;
}

interface Answer {
  readonly outcome: string;
  readonly status?: string;
  readonly by?: string;
}

const find = (id: string, index = -1) =>
  engine.query<ReviewRow>(
    'select * from dagwright.human_tasks where workflow_execution_id = $1 and map_index = $2 order by fence desc',
    [id, index],
  );
const reviewOf = (id: string, index = -1): Promise<ReviewRow> =>
  until(async () => (await find(id, index))[0]);

const jobsOf = (id: string) => engine.query('select from dagwright.jobs_v1() where execution_id = $1', [id]);

async function decide(
  id: string,
  decision = 'approved',
  { by = 'user:bob', fence = null as number | null, override = false, comment = null as string | null } = {},
): Promise<Answer> {
  return await engine.database.withTenant({ tenantId: DEFAULT_TENANT_ID, actor: by }, async (client) => {
    const { rows } = await client.query(
      'select dagwright.decide_review_v1($1, $2, $3, null, $4, $5) as answer',
      [id, decision, comment, fence, override],
    );
    return rows[0].answer;
  });
}

async function change(id: string, act: string, given: JsonObject, by = 'user:bob'): Promise<Answer> {
  return await engine.database.withTenant({ tenantId: DEFAULT_TENANT_ID, actor: by }, async (client) => {
    const values = [id, act, JSON.stringify(given)];
    return (await client.query('select dagwright.change_review_v1($1, $2, $3, false) as answer', values))
      .rows[0].answer;
  });
}

/** `r`, a review, and a task for each of its branches. */
function reviewed(
  config: JsonObject = {},
  more: { readonly taskType?: string; readonly branches?: string } = {},
) {
  const { taskType = 'human_review', branches = 'r -approved-> yes; r -rejected-> no' } = more;
  return graph(branches, { tasks: { r: { taskType, config } } });
}

async function open(
  config: JsonObject = {},
  more: Parameters<typeof reviewed>[1] & { readonly createdBy?: string } = {},
): Promise<{ id: string; review: ReviewRow }> {
  const definition = reviewed(config, more);
  await engine.apply(definition);
  const id = await engine.start(definition.workflowId, { createdBy: more.createdBy ?? 'user:alice' });
  return { id, review: await reviewOf(id) };
}

beforeAll(async () => {
  engine = await openEngine({ moreTypes: [looking] });
});
afterAll(async () => {
  await engine.expectSound();
  await engine.close();
});

describe('a review', () => {
  it('is opened by the settle that begins the wait, and holds neither slot nor job', async () => {
    const { id, review } = await open({ title: 'Pay {{ input.n ?? 5 }}?' });
    const [task] = await engine.query(
      `select status, waiting_on, wake_at, ready_at from dagwright.task_executions where workflow_execution_id = $1 and task_id = 'r'`,
      [id],
    );
    expect(task).toEqual({ status: 'waiting', waiting_on: 'review', wake_at: null, ready_at: null });
    await until(async () => engine.worker.running === 0);
    // A job that has ended goes a moment later.
    await until(async () => (await jobsOf(id)).length === 0);
    expect(await decide(review.id)).toMatchObject({ outcome: 'decided', status: 'approved' });
    const run = await engine.ended(id);
    expect(run.states).toBe('r completed, yes completed, no skipped branch_not_taken');
    expect(run.task('r')).toMatchObject({
      attempt: 1,
      output: { decision: 'approved', data: null, responses: [{ by: 'user:bob', decision: 'approved' }] },
    });
  });

  it('that is rejected takes the other way, with the reason', async () => {
    const { id, review } = await open();
    await decide(review.id, 'rejected', { comment: 'too dear' });
    const run = await engine.ended(id);
    expect(run.states).toBe('r completed, yes skipped branch_not_taken, no completed');
    expect(run.task('r').output).toMatchObject({ responses: [{ comment: 'too dear' }] });
  });

  it('that nobody could ever decide is refused when it opens', async () => {
    const user = (id: string) => ({ type: 'user', id });
    const refused: JsonObject[] = [
      { assignees: [user('alice')] },
      { assignees: [user('alice'), user('bob')], requiredApprovals: 2 },
      { assignees: '{{ [{ type: "user", id: "bob" }] }}', requiredApprovals: 2 },
    ];
    for (const config of refused) {
      const run = await engine.run(reviewed(config), { createdBy: 'user:alice' });
      expect(run.task('r').error?.code).toBe('validation');
      expect(await find(run.execution.id)).toEqual([]);
    }
    const { id, review } = await open({ assignees: [user('alice')], selfApproval: true });
    expect(await decide(review.id, 'approved', { by: 'user:alice' })).toMatchObject({ outcome: 'decided' });
    await engine.ended(id);
  });

  it('outlives its workers', async () => {
    const own = await openEngine();
    try {
      const definition = reviewed();
      await own.apply(definition);
      const id = await own.start(definition.workflowId, { createdBy: 'user:alice' });
      const [row] = await until(async () => {
        const rows = await own.query<ReviewRow>('select * from dagwright.human_tasks');
        return rows.length > 0 && rows;
      });
      await own.worker.stop();
      for (let restart = 0; restart < 2; restart++) await (await own.addWorker()).stop();
      await own.database.withTenant({ tenantId: DEFAULT_TENANT_ID, actor: 'user:bob' }, (client) =>
        client.query(`select dagwright.decide_review($1, 'approved')`, [row!.id]),
      );
      await own.addWorker();
      expect((await own.ended(id)).states).toContain('yes completed');
      await own.expectSound();
    } finally {
      await own.close();
    }
  });

  it('is told by why', async () => {
    const { id, review } = await open({ dueInSeconds: 3600 });
    const acting = { tenantId: DEFAULT_TENANT_ID, actor: 'test' };
    const why = await engine.database.withTenant(acting, (client) => explainExecution(client, acting, id));
    const items = why.ok ? why.value.items : [];
    const waitsFor = { kind: 'review', review: review.id, until: expect.stringMatching(/^\d{4}-.*Z$/) };
    expect(items.find(({ taskId }) => taskId === 'r')).toMatchObject({ waitsFor });
    await decide(review.id);
    await engine.ended(id);
  });
});

describe('other work', () => {
  it('is done while the table of reviews is locked: completions never look at it', async () => {
    const holder = await engine.database.engine.connect();
    try {
      await holder.query(BEGIN);
      await holder.query(
        'set role none; lock table dagwright.human_tasks, dagwright.review_responses, dagwright.review_assignees',
      );
      const items = { items: [1, 2, 3], task: { taskType: 'probe', config: {} } };
      const run = await engine.run(
        graph('a -> b -> c; a -> f -> d; f -!-> e; b -> p; c -> g; g -yes-> h; g -no-> i', {
          tasks: {
            f: failing(),
            p: { taskType: 'parallel', config: items },
            g: { taskType: 'condition', config: { cases: [{ when: 'true', branch: 'yes' }], default: 'no' } },
          },
        }),
      );
      expect(run.execution.status).toBe('completed');
      expect(run.items('p')).toBe('completed, completed, completed');
    } finally {
      await holder.query('rollback');
      holder.release(true);
    }
  });
});

describe('a decision', () => {
  it('counts once, however many come at the same moment', async () => {
    const { id, review } = await open();
    const people = Array.from({ length: 100 }, (_, i) => `user:p${i}`);
    const answers = await Promise.all(
      people.map((by, i) => decide(review.id, i % 2 === 0 ? 'approved' : 'rejected', { by })),
    );
    const winners = answers.filter(({ outcome }) => outcome === 'decided');
    expect(winners).toHaveLength(1);
    const status = winners[0]!.status!;
    expect(answers.filter(({ outcome }) => outcome === 'closed').map((answer) => answer.status)).toEqual(
      Array.from({ length: 99 }, () => status),
    );
    const run = await engine.ended(id);
    expect(run.task('r').output).toMatchObject({ decision: status, responses: [{ decision: status }] });
  });

  it('under another fence changes nothing', async () => {
    const { id, review } = await open();
    expect(await decide(review.id, 'approved', { fence: Number(review.fence) + 1 })).toMatchObject({
      outcome: 'stale',
      fence: Number(review.fence),
    });
    expect(await decide(review.id, 'approved', { fence: Number(review.fence) })).toMatchObject({
      outcome: 'decided',
    });
    await engine.ended(id);
  });

  it('between the look of its task and its next wait is not slept through', async () => {
    whileLooking = async (reviewId) => void (await decide(reviewId));
    const { id } = await open({ dueInSeconds: 3600, remindBeforeSeconds: 3599.8 }, { taskType: 'looking' });
    const run = await engine.ended(id);
    whileLooking = async () => {};
    expect(run.states).toContain('yes completed');
  });

  it('needs as many people as were asked for, each once, and a vote may be changed', async () => {
    const { id, review } = await open({ requiredApprovals: 2, rejectAfter: 2 });
    expect(await decide(review.id)).toMatchObject({ outcome: 'voted', approvals: 1 });
    expect(await decide(review.id, 'approved', { by: 'bob' })).toMatchObject({
      outcome: 'voted',
      approvals: 1,
    });
    expect(await decide(review.id, 'rejected')).toMatchObject({
      outcome: 'voted',
      approvals: 0,
      rejections: 1,
    });
    expect(await decide(review.id)).toMatchObject({ outcome: 'voted', approvals: 1 });
    expect(await decide(review.id, 'approved', { by: 'user:carol' })).toMatchObject({ outcome: 'decided' });
    expect((await engine.ended(id)).task('r').output).toMatchObject({
      responses: [{ by: 'user:bob' }, { by: 'user:carol' }],
    });
  });

  it('is in the audit trail, with who made it', async () => {
    const { id, review } = await open();
    await decide(review.id, 'rejected', { by: 'user:carol' });
    await engine.ended(id);
    const trail = await engine.query(
      `select actor, action, new_values->>'decision' as decision from dagwright.audit_logs where resource_type = 'reviews' and resource_id = $1`,
      [review.id],
    );
    expect(trail).toEqual([{ actor: 'user:carol', action: 'reviews.decide', decision: 'rejected' }]);
  });
});

describe('what ends the task otherwise closes its review', () => {
  const isClosed = async (reviewId: string) => {
    const [row] = await engine.query<ReviewRow>('select * from dagwright.human_tasks where id = $1', [
      reviewId,
    ]);
    expect(row!.status).toBe('cancelled');
    expect(await decide(reviewId)).toMatchObject({ outcome: 'closed', status: 'cancelled' });
    expect(
      await engine.query('select from dagwright.review_assignees where review_id = $1', [reviewId]),
    ).toEqual([]);
  };

  it('a cancel', async () => {
    const { id, review } = await open({ assignees: [{ type: 'user', id: 'bob' }] });
    await cancelExecution(engine.database, DEFAULT_TENANT_ID, id);
    await isClosed(review.id);
  });

  it('the failure of another task', async () => {
    const { opened, open: fail } = gate();
    engine.bodies.waits = () => opened;
    const definition = graph('r -approved-> yes; waits -> b', {
      tasks: { r: { taskType: 'human_review' }, b: failing() },
    });
    await engine.apply(definition);
    const id = await engine.start(definition.workflowId);
    const review = await reviewOf(id);
    fail();
    expect((await engine.ended(id)).task('r').status).toBe('cancelled');
    await isClosed(review.id);
  });

  it('enough successes of its fan-out', async () => {
    const definition = graph('p', {
      tasks: {
        p: {
          taskType: 'parallel',
          config: {
            items: [1, 2],
            minSuccesses: 1,
            task: { taskType: 'human_review', config: { title: 'number {{ item }}' } },
          },
        },
      },
    });
    await engine.apply(definition);
    const id = await engine.start(definition.workflowId);
    const [first, second] = [await reviewOf(id, 0), await reviewOf(id, 1)];
    await decide(first.id);
    expect((await engine.ended(id)).items('p')).toBe('completed, cancelled');
    await isClosed(second.id);
  });
});

// Beside each other: they wait for the timers' loop.
describe.concurrent('when nobody decides', () => {
  const due = { dueInSeconds: 0.2 };
  it.each<[JsonObject, string, string]>([
    [{ onExpire: 'fail' }, 'r failed, yes skipped upstream_failed, no skipped upstream_failed', 'expired'],
    [{}, 'r failed, yes skipped upstream_failed, no skipped upstream_failed', 'expired'],
    [{ onExpire: 'approve' }, 'r completed, yes completed, no skipped branch_not_taken', 'approved'],
    [{ onExpire: 'reject' }, 'r completed, yes skipped branch_not_taken, no completed', 'rejected'],
  ])('%j', async (config, states, status) => {
    const { id } = await open({ ...due, ...config });
    const run = await engine.ended(id);
    expect(run.states).toBe(states);
    expect(await reviewOf(id)).toMatchObject({ status, decided_by: 'system' });
    if (status === 'expired') expect(run.task('r').error?.code).toBe('expired');
  });

  it('the branch expired is a way to go on', async () => {
    const { id } = await open(due, { branches: 'r -approved-> yes; r -expired-> late' });
    const run = await engine.ended(id);
    expect(run.states).toBe('r completed, yes skipped branch_not_taken, late completed');
  });

  it('others are asked, and those who were asked may not decide any more', async () => {
    const user = (id: string) => ({ type: 'user', id });
    const { id, review } = await open({
      dueInSeconds: 1,
      onExpire: 'escalate',
      assignees: [user('bob')],
      escalateTo: [user('carol')],
    });
    await until(async () => (await reviewOf(id)).escalations === 1);
    expect(await decide(review.id)).toMatchObject({ outcome: 'not_assignee' });
    // Until it is due again.
    await change(review.id, 'update', { dueAt: null }, 'user:carol');
    expect(await decide(review.id, 'approved', { by: 'user:carol' })).toMatchObject({ outcome: 'decided' });
    expect((await engine.ended(id)).states).toContain('yes completed');
  });

  it('a changed due time counts, earlier or later', async () => {
    const { id, review } = await open({ dueInSeconds: 3600, onExpire: 'reject' });
    await change(review.id, 'update', { dueAt: new Date(Date.now() - 1000).toISOString() });
    expect((await engine.ended(id)).states).toContain('no completed');
  });
});

describe.concurrent('people are told', () => {
  const user = (id: string) => ({ type: 'user', id });
  const telling = (prompt: string) => ({
    notify: { taskType: 'model_inference', modelId: 'simulated/fast', config: { prompt } },
  });

  it('once each, at the opening and before it is due, and what goes wrong closes nothing', async () => {
    const { id, review } = await open({
      assignees: [user('bob'), user('carol')],
      dueInSeconds: 3600,
      remindBeforeSeconds: 3599.9,
      ...telling('{{ task.input.reason }} {{ task.input.assignee.id }}'),
    });
    const noted = () =>
      engine.query<{ notify_for: string | null; reminded_at: Date | null; notify_error: unknown }>(
        'select notify_for, reminded_at, notify_error from dagwright.human_tasks where id = $1',
        [review.id],
      );
    await until(async () => {
      const [row] = await noted();
      return row!.reminded_at !== null && row!.notify_for === null;
    });
    expect(await noted()).toMatchObject([{ notify_error: null }]);
    await decide(review.id);
    // What telling them costs is the task's.
    expect((await engine.ended(id)).task('r').resourceUsage).toMatchObject({ model: 'simulated/fast' });
  });

  it('and where they cannot be, the review says why, and waits', async () => {
    const { id, review } = await open({ ...telling('{{ task.input.assignee.id }}') });
    const [row] = await until(async () => {
      const rows = await engine.query<{ notify_error: string[] | null }>(
        'select notify_error from dagwright.human_tasks where id = $1 and notify_error is not null',
        [review.id],
      );
      return rows.length > 0 && rows;
    });
    expect(row!.notify_error).toEqual([expect.stringMatching(/^all: .*assignee/)]);
    expect(await decide(review.id)).toMatchObject({ outcome: 'decided' });
    expect((await engine.ended(id)).states).toContain('yes completed');
  });
});

describe.concurrent('a pause', () => {
  it('lets people decide, and goes on with it when it is resumed', async () => {
    const { id, review } = await open();
    await pauseExecution(engine.database, DEFAULT_TENANT_ID, id);
    await until(async () => (await jobsOf(id)).length === 0);
    expect(await decide(review.id)).toMatchObject({ outcome: 'decided' });
    expect(await jobsOf(id)).toEqual([]);
    await resumeExecution(engine.database, DEFAULT_TENANT_ID, id);
    expect((await engine.ended(id)).states).toContain('yes completed');
  });

  it('does not move the due time, which comes at the resume', async () => {
    const { id } = await open({ dueInSeconds: 1, onExpire: 'reject' });
    await pauseExecution(engine.database, DEFAULT_TENANT_ID, id);
    await until(async () => {
      const [row] = await engine.query(
        'select from dagwright.human_tasks where workflow_execution_id = $1 and due_at < now()',
        [id],
      );
      return row;
    });
    expect((await reviewOf(id)).status).toBe('open');
    await resumeExecution(engine.database, DEFAULT_TENANT_ID, id);
    expect((await engine.ended(id)).states).toContain('no completed');
  });
});

describe('handing on', () => {
  const user = (id: string) => ({ type: 'user', id });

  it('is for those who are asked; a claim keeps others from deciding', async () => {
    const { id, review } = await open({ assignees: [user('bob'), user('carol')] });
    expect(await change(review.id, 'assign', { assignees: ['user:mallory'] }, 'user:mallory')).toMatchObject({
      outcome: 'not_assignee',
    });
    expect(await change(review.id, 'claim', {})).toEqual({ outcome: 'done' });
    expect(await change(review.id, 'claim', {}, 'user:carol')).toMatchObject({
      outcome: 'claimed',
      by: 'user:bob',
    });
    expect(await decide(review.id, 'approved', { by: 'user:carol' })).toMatchObject({ outcome: 'claimed' });
    expect(await change(review.id, 'release', {})).toEqual({ outcome: 'done' });
    expect(await change(review.id, 'assign', { assignees: ['user:dave'] })).toEqual({ outcome: 'done' });
    expect(await decide(review.id)).toMatchObject({ outcome: 'not_assignee' });
    expect(await decide(review.id, 'approved', { by: 'dave' })).toMatchObject({ outcome: 'decided' });
    expect(await change(review.id, 'claim', {}, 'user:dave')).toMatchObject({ outcome: 'closed' });
    await engine.ended(id);
  });
});
