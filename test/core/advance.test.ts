import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FAILURE_POLICIES, type FailurePolicy } from '../../src/core/definition/model.ts';
import { advance } from '../../src/core/plan/advance.ts';
import type { TaskState } from '../../src/core/plan/decide.ts';
import type { Plan } from '../../src/core/plan/plan.ts';
import { TASK_STATUSES } from '../../src/core/status.ts';
import { addComingWaits, comingWait, removeComingWaits } from './support/coming-waits.ts';
import { advanceLazily } from './support/simulate.ts';
import { planOf, planOfNodes, taskNode } from './support/text-plan.ts';

beforeAll(addComingWaits);
afterAll(removeComingWaits);

type States = { readonly [taskId: string]: TaskState };

const done: TaskState = { status: 'completed' };
const running: TaskState = { status: 'running' };
const failed = (errorCode = 'timeout'): TaskState => ({ status: 'failed', errorCode });
const waiting = (on: Parameters<typeof comingWait>[0] | null): TaskState => ({
  status: 'waiting',
  waitingOn: on === null ? null : comingWait(on),
});

/** `before` are the states of the database; what is not named is pending. `ended` are new. */
function closure(plan: Plan, before: States, ended: States, alreadyFailing = false) {
  const result = advance({
    plan,
    read: (index) => before[plan.nodes[index]!.taskId] ?? { status: 'pending' },
    ended: Object.entries(ended).map(([taskId, state]) => ({ index: plan.indexOf.get(taskId)!, state })),
    alreadyFailing,
  });
  if (result.kind === 'need') throw new Error('needs what is loaded');
  const name = (index: number): string => plan.nodes[index]!.taskId;
  return {
    failing: result.failing,
    windDown: result.windDown.map(name),
    ends: Object.fromEntries(result.ends.map((end) => [name(end.index), end.reason ?? end.status])),
  };
}

describe('without a failure', () => {
  test('what may run is left to the edge counters', () => {
    expect(closure(planOf('a -> b -> c'), { a: running }, { a: done })).toEqual({
      failing: false,
      windDown: [],
      ends: {},
    });
  });

  test('a branch not taken is skipped with all below it, up to a join that runs', () => {
    const plan = planOf('c -yes-> a -> b -> j; c -no-> d -> j -> after');
    const { ends } = closure(plan, { c: running }, { c: { status: 'completed', branch: 'no' } });
    expect(ends).toEqual({ a: 'branch_not_taken', b: 'upstream_skipped' });
  });

  test('a rejected gate never runs what it guards, nor what follows', () => {
    const plan = planOf('r -approved-> publish -> announce; work -> publish');
    const before = { work: done, r: waiting('review') };
    const { ends } = closure(plan, before, { r: { status: 'completed', branch: 'rejected' } });
    expect(ends).toEqual({ publish: 'branch_not_taken', announce: 'upstream_skipped' });
  });

  test('a child with an open parent is left alone', () => {
    expect(closure(planOf('a -> j; b -> j'), { b: running }, { a: { status: 'cancelled' } }).ends).toEqual(
      {},
    );
  });

  test('two ends at once decide their join once', () => {
    const skip: TaskState = { status: 'skipped', reason: 'condition_false' };
    expect(closure(planOf('a -> j -> k; b -> j'), {}, { a: skip, b: skip }).ends).toEqual({
      j: 'upstream_skipped',
      k: 'upstream_skipped',
    });
  });

  test.each(TASK_STATUSES.filter((status) => status !== 'pending'))(
    'a child that is %s is not touched',
    (status) => {
      const before = { c: { status } } as const;
      expect(closure(planOf('a -> c'), before, { a: { status: 'cancelled' } }).ends).toEqual({});
    },
  );
});

describe('an uncaught failure', () => {
  const catching = planOf('t -!-> h -> after; x -> y', { failurePolicy: 'finish_running' });

  test('is one that no edge matches', () => {
    expect(closure(planOf('t -!network-> h'), {}, { t: failed() }).failing).toBe(true);
    expect(closure(planOf('t -!timeout-> h'), {}, { t: failed() }).failing).toBe(false);
  });
  test('of an optional task is none', () => {
    expect(closure(planOf('t -> a', { optional: ['t'] }), {}, { t: failed() })).toMatchObject({
      failing: false,
      ends: {},
    });
  });
  test('does not act while a target may still catch it', () => {
    expect(closure(catching, { x: running }, { t: failed() })).toEqual({
      failing: false,
      windDown: [],
      ends: {},
    });
  });
  test.each([
    ['failed', failed()],
    ['cancelled', { status: 'cancelled' }],
    ['skipped', { status: 'skipped', reason: 'condition_false' }],
  ] as const)('acts when the last target has %s', (_, end) => {
    const { failing, ends } = closure(catching, { t: failed(), x: running }, { h: end });
    expect(failing).toBe(true);
    expect(ends).toMatchObject({ y: 'execution_failed' });
  });
  test('does not act when a target completes', () => {
    expect(closure(catching, { t: failed() }, { h: done }).failing).toBe(false);
  });
  test('does not act while another target is open, nor when another has completed', () => {
    const plan = planOf('t -!-> h; t -!-> g');
    expect(closure(plan, { t: failed() }, { h: failed() }).failing).toBe(true);
    const cancelled: TaskState = { status: 'cancelled' };
    expect(closure(plan, { t: failed(), g: running }, { h: cancelled }).failing).toBe(false);
    expect(closure(plan, { t: failed(), g: done }, { h: cancelled }).failing).toBe(false);
    expect(closure(plan, { t: failed(), g: cancelled }, { h: cancelled }).failing).toBe(true);
  });
  test('may become one in the same closure: its target is skipped in it', () => {
    const plan = planOf('t -!-> h; g -yes-> h; x -> y');
    const before = { t: running, g: { status: 'completed', branch: 'no' }, x: running } as const;
    expect(closure(plan, before, { t: failed() })).toMatchObject({
      failing: true,
      ends: { h: 'branch_not_taken', y: 'execution_failed' },
    });
  });
  test('reaches every descendant as upstream_failed before the policy acts', () => {
    const plan = planOf('t -> a -> b; t -> j; x -> j');
    expect(closure(plan, { x: running }, { t: failed() }).ends).toEqual({
      a: 'upstream_failed',
      b: 'upstream_failed',
      j: 'execution_failed',
    });
  });
  test('does not act twice', () => {
    const result = closure(planOf('t -> a; x -> y'), { x: running }, { t: failed() }, true);
    expect(result).toEqual({ failing: true, windDown: [], ends: { a: 'upstream_failed' } });
  });
});

describe('failurePolicy, row by row (CONTRACT 2.1)', () => {
  const rows: [row: string, before: TaskState, Record<FailurePolicy, string>][] = [
    [
      'pending',
      { status: 'pending' },
      { finish_running: 'execution_failed', fail_fast: 'execution_failed', continue: '-' },
    ],
    ['retrying', { status: 'retrying' }, { finish_running: 'failed', fail_fast: 'failed', continue: '-' }],
    ['running', running, { finish_running: '-', fail_fast: 'cancelled', continue: '-' }],
    ...(['timer', 'signal', 'callback', 'review', 'items', null] as const).map(
      (on): [string, TaskState, Record<FailurePolicy, string>] => [
        `waiting on ${on}`,
        waiting(on),
        { finish_running: 'cancelled', fail_fast: 'cancelled', continue: '-' },
      ],
    ),
    [
      'child',
      waiting('child'),
      { finish_running: 'same policy inside', fail_fast: 'cancelled', continue: '-' },
    ],
    ...(['completed', 'failed', 'skipped', 'cancelled'] as const).map(
      (status): [string, TaskState, Record<FailurePolicy, string>] => [
        status,
        { status },
        { finish_running: '-', fail_fast: '-', continue: '-' },
      ],
    ),
  ];
  for (const [row, state, expected] of rows) {
    test.each(FAILURE_POLICIES)(`${row} under %s`, (failurePolicy) => {
      const plan = planOf('t; up -> other', { failurePolicy });
      const { failing, ends, windDown } = closure(plan, { up: running, other: state }, { t: failed() });
      expect(failing).toBe(true);
      const found = windDown.includes('other') ? 'same policy inside' : (ends.other ?? '-');
      expect(found).toBe(expected[failurePolicy]);
    });
  }

  const asking: [string, Plan][] = (['finish_running', 'fail_fast'] as const).flatMap(
    (failurePolicy): [string, Plan][] => [
      [`${failurePolicy}, on: failure`, planOf('t; up -!-> q -> below', { failurePolicy })],
      [`${failurePolicy}, on: any`, planOf('t; up -*-> q -> below', { failurePolicy })],
      ...(['all_done', 'all_failed', 'one_failed', 'one_done', 'none_skipped'] as const).map(
        (rule): [string, Plan] => [
          `${failurePolicy}, ${rule}`,
          planOf('t; up -> q -> below', { failurePolicy, rules: { q: rule } }),
        ],
      ),
    ],
  );
  test.each(asking)('a pending task that asks for failures stays, with its descendants: %s', (_, plan) => {
    // `up` is waiting for a child that is not cancelled, or cancelled by fail_fast: then the rule itself decides.
    const { ends } = closure(plan, { up: running }, { t: failed() });
    expect(Object.values(ends)).not.toContain('execution_failed');
  });
  test.each(['all_success', 'none_failed', 'none_failed_min_one_success', 'one_success'] as const)(
    'a pending task with %s does not stay',
    (rule) => {
      const plan = planOf('t; up -> q', { rules: { q: rule } });
      expect(closure(plan, { up: running }, { t: failed() }).ends).toEqual({ q: 'execution_failed' });
    },
  );

  test('what the policy ends is decided by the rules of those that stay', () => {
    const plan = planOf('t; w -> a -*-> cleanup -> after; w -!-> h -> more; r -!-> g');
    const before: States = { w: waiting('timer'), r: { status: 'retrying', errorCode: 'network' } };
    expect(closure(plan, before, { t: failed() }).ends).toEqual({
      w: 'cancelled',
      a: 'execution_failed',
      r: 'failed',
      // cleanup runs (on: any) and so do its descendants; g runs, since r failed; h does not, since w was cancelled.
      h: 'upstream_skipped',
      more: 'upstream_skipped',
    });
  });
});

describe('states that are not loaded', () => {
  const read = (index: number, known: readonly number[]): TaskState | undefined =>
    known.includes(index) ? { status: 'pending' } : undefined;
  const need = (plan: Plan, known: readonly number[], ended: TaskState) => {
    const result = advance({
      plan,
      read: (index) => read(index, known),
      ended: [{ index: 0, state: ended }],
      alreadyFailing: false,
    });
    return result.kind === 'need' ? result.indexes.map((index) => plan.nodes[index]!.taskId) : result.kind;
  };

  test('children and their other parents are asked for', () => {
    expect(need(planOf('a -> b -> d; a -> c; x -> c'), [], done)).toEqual(['b', 'x', 'c']);
  });
  test('no parent is asked for while a loaded one is open', () => {
    const plan = planOf('a -> j; b -> j; c -> j');
    expect(need(plan, [1, 3], done)).toBe('done');
    expect(need(plan, [3], done)).toEqual(['b', 'c']);
  });
  test('a join is not decided past a parent that is not loaded, however often it is looked at', () => {
    const plan = planOf('a -> j; b -> j; x -> y; x -> j', { rules: { j: 'all_done' } });
    const turned = planOfNodes([
      taskNode('x'),
      taskNode('a'),
      taskNode('b'),
      taskNode('j', [{ taskId: 'x' }, { taskId: 'a' }, { taskId: 'b' }]),
    ]);
    for (const { nodes, indexOf } of [plan, turned]) {
      const result = advance({
        plan: { ...plan, nodes, indexOf },
        read: (index) => (index === indexOf.get('j') ? { status: 'pending' } : undefined),
        ended: ['a', 'b'].map((taskId) => ({ index: indexOf.get(taskId)!, state: { status: 'cancelled' } })),
        alreadyFailing: false,
      });
      expect(result).toEqual({ kind: 'need', indexes: [indexOf.get('x')] });
    }
  });
  test('all are asked for when the policy has to act', () => {
    expect(need(planOf('t; a -> b'), [], failed())).toEqual(['a', 'b']);
    expect(need(planOf('t; a -> b', { failurePolicy: 'continue' }), [], failed())).toBe('done');
  });
  test('a join of thousands is not looked into before its counter says so', () => {
    const parents = Array.from({ length: 5000 }, (_, i) => taskNode(`p${i}`));
    const plan = planOfNodes([
      ...parents,
      taskNode(
        'j',
        parents.map(({ taskId }) => ({ taskId })),
      ),
    ]);
    const asked: number[] = [];
    const result = advance({
      plan,
      read: (index) => {
        asked.push(index);
        return undefined;
      },
      openEdges: () => 5000,
      ended: [{ index: 0, state: done }],
      alreadyFailing: false,
    });
    expect([result.kind, asked]).toEqual(['done', []]);
  });
});

describe('big graphs', () => {
  function countReads(plan: Plan, ended: TaskState): { reads: number; ends: number } {
    let reads = 0;
    const read = (): TaskState => {
      reads++;
      return { status: 'pending' };
    };
    const result = advance({ plan, read, ended: [{ index: 0, state: ended }], alreadyFailing: false });
    return { reads, ends: result.kind === 'done' ? result.ends.length : -1 };
  }

  test('a chain of 10,000 skips is one closure', () => {
    const nodes = Array.from({ length: 10_000 }, (_, i) =>
      taskNode(`n${i}`, i === 0 ? [] : [{ taskId: `n${i - 1}` }]),
    );
    const plan = planOfNodes(nodes);
    const { reads, ends } = countReads(plan, { status: 'cancelled' });
    expect(ends).toBe(9999);
    expect(reads).toBeLessThan(40_000);
    expect(countReads(plan, failed()).ends).toBe(9999);
  });

  test('a fork of 6,000 with a join of 6,000 costs a few looks at each edge', () => {
    const middle = Array.from({ length: 6000 }, (_, i) => taskNode(`m${i}`, [{ taskId: 'a' }]));
    const plan = planOfNodes([
      taskNode('a'),
      ...middle,
      taskNode(
        'j',
        middle.map(({ taskId }) => ({ taskId })),
      ),
    ]);
    const { reads, ends } = countReads(plan, { status: 'cancelled' });
    expect(ends).toBe(6001);
    expect(reads).toBeLessThan(60_000);
  });

  test('6,000 handlers of one failure, all skipped, are judged in linear time', () => {
    const handlers = Array.from({ length: 6000 }, (_, i) =>
      taskNode(`h${i}`, [{ taskId: 't', on: 'failure' }, { taskId: 'g' }]),
    );
    const plan = planOfNodes([taskNode('t'), taskNode('g'), ...handlers]);
    let reads = 0;
    const result = advance({
      plan,
      read: () => {
        reads++;
        return { status: 'pending' };
      },
      ended: [
        { index: 0, state: failed() },
        { index: 1, state: { status: 'cancelled' } },
      ],
      alreadyFailing: false,
    });
    expect(result).toMatchObject({ kind: 'done', failing: true });
    expect(reads).toBeLessThan(100_000);
  });

  test('loading only what is asked for ends in the same closure', () => {
    const plan = planOf('c -yes-> a -> b -> j; c -no-> d -> j; x -> y -> j');
    const input = {
      plan,
      read: (): TaskState => ({ status: 'pending' }),
      ended: [{ index: 0, state: { status: 'completed', branch: 'no' } as const }],
      alreadyFailing: false,
    };
    expect(advanceLazily(input)).toEqual(advance(input));
  });
});
