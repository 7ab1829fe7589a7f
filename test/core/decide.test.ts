import { describe, expect, test } from 'vitest';
import { TRIGGER_RULES, type TriggerRule } from '../../src/core/definition/model.ts';
import {
  decide,
  type EdgeOutcome,
  edgeOutcome,
  matchingFailureEdges,
  type TaskState,
} from '../../src/core/plan/decide.ts';
import type { Plan } from '../../src/core/plan/plan.ts';
import { SKIP_REASONS } from '../../src/core/status.ts';
import { planOf } from './support/text-plan.ts';

const completed: TaskState = { status: 'completed', branch: 'X' };
const failed: TaskState = { status: 'failed', errorCode: 'http_404' };
const skipped: TaskState = { status: 'skipped', reason: 'upstream_skipped' };
const upstreamFailed: TaskState = { status: 'skipped', reason: 'upstream_failed' };
const cancelled: TaskState = { status: 'cancelled' };

function outcomesOf(plan: Plan, taskId: string, states: { readonly [taskId: string]: TaskState }) {
  const node = plan.nodes[plan.indexOf.get(taskId)!]!;
  const parents = node.inEdges.map((edge) => states[plan.nodes[edge.from]!.taskId]!);
  const outcomes = node.inEdges.map((edge, at) => edgeOutcome(edge, plan.nodes[edge.from]!, parents[at]!));
  return { node, parents, outcomes };
}

function decided(plan: Plan, taskId: string, states: { readonly [taskId: string]: TaskState }): string {
  const { node, outcomes, parents } = outcomesOf(plan, taskId, states);
  const decision = decide(node, outcomes, parents);
  return decision.kind === 'skip' ? decision.reason : decision.kind;
}

describe('the outcome of an edge (CONTRACT 2.1)', () => {
  // `catches`: another edge of the parent matches its failure. In the rows with `on: failure` the edge itself does.
  const caught = ' ; p -!-> other';
  const uncaught = ' ; p -!timeout-> other';
  const columns = [
    'completed',
    'failed, uncaught',
    'failed, caught',
    'skipped',
    'cancelled',
    'upstream_failed',
  ];
  const rows: [edge: string, expected: EdgeOutcome[]][] = [
    ['p -> c', ['success', 'failed', 'skipped', 'skipped', 'skipped', 'failed']],
    ['p -X-> c', ['success', 'failed', 'skipped', 'skipped', 'skipped', 'failed']],
    ['p -Y-> c', ['skipped', 'failed', 'skipped', 'skipped', 'skipped', 'failed']],
    ['p -!http_4xx-> c', ['skipped', 'success', 'success', 'skipped', 'skipped', 'skipped']],
    ['p -!-> c', ['skipped', 'success', 'success', 'skipped', 'skipped', 'skipped']],
    ['p -!http_500,timeout-> c', ['skipped', 'skipped', 'skipped', 'skipped', 'skipped', 'skipped']],
    ['p -*-> c', ['success', 'success', 'success', 'success', 'success', 'success']],
  ];
  const states = [completed, failed, failed, skipped, cancelled, upstreamFailed];
  for (const [text, expected] of rows) {
    test.each(columns.map((column, i) => [column, states[i]!, expected[i]!] as const))(
      `${text}, parent %s`,
      (column, state, outcome) => {
        const plan = planOf(text + (column === 'failed, caught' ? caught : uncaught));
        expect(outcomesOf(plan, 'c', { p: state }).outcomes).toEqual([outcome]);
      },
    );
    test(`${text}: an optional parent that failed counts as completed and chose no branch`, () => {
      const plan = planOf(text + caught, { optional: ['p'] });
      const outcome = text.includes('-!') || text.includes('X') || text.includes('Y') ? 'skipped' : 'success';
      expect(outcomesOf(plan, 'c', { p: failed }).outcomes).toEqual([outcome]);
      expect(matchingFailureEdges(plan.nodes[0]!, 'http_404')).toEqual([]);
    });
    test.each(['pending', 'running', 'waiting', 'retrying'] as const)(`${text}, parent %s`, (status) => {
      expect(outcomesOf(planOf(text), 'c', { p: { status } }).outcomes).toEqual(['pending']);
    });
  }

  test.each(SKIP_REASONS)('only upstream_failed of all skip reasons fails the edge: %s', (reason) => {
    const { outcomes } = outcomesOf(planOf('p -> c'), 'c', { p: { status: 'skipped', reason } });
    expect(outcomes).toEqual([reason === 'upstream_failed' ? 'failed' : 'skipped']);
  });

  test('a completed fork that chose nothing takes no branch', () => {
    const state: TaskState = { status: 'completed', branch: null };
    expect(outcomesOf(planOf('p -X-> c'), 'c', { p: state }).outcomes).toEqual(['skipped']);
  });

  test('the failure edges that match are those without errors and those whose errors hold the code', () => {
    const plan = planOf(
      't -!-> all; t -!http_4xx-> client; t -!timeout,http_404-> two; t -!timeout-> slow; t -> ok',
    );
    const targets = matchingFailureEdges(plan.nodes[plan.indexOf.get('t')!]!, 'http_404').map(
      (edge) => plan.nodes[edge.to]!.taskId,
    );
    expect(targets).toEqual(['all', 'client', 'two']);
  });
});

describe('a task without a trigger rule', () => {
  const join = planOf('a -> j; b -> j');

  test('waits for all parents, also when one has failed', () => {
    expect(decided(join, 'j', { a: failed, b: { status: 'running' } })).toBe('wait');
  });
  test('is upstream_failed when a parent failed, whatever else was skipped', () => {
    expect(decided(join, 'j', { a: skipped, b: failed })).toBe('upstream_failed');
  });
  test('is upstream_skipped when a parent never ran', () => {
    expect(decided(join, 'j', { a: completed, b: skipped })).toBe('upstream_skipped');
  });
  test('is upstream_skipped when a parent was cancelled', () => {
    expect(decided(join, 'j', { a: completed, b: cancelled })).toBe('upstream_skipped');
  });
  test('is branch_not_taken when the fork went another way', () => {
    expect(decided(planOf('c -yes-> a'), 'a', { c: { status: 'completed', branch: 'no' } })).toBe(
      'branch_not_taken',
    );
  });
  test('is branch_not_taken on the success way of a caught failure', () => {
    expect(decided(planOf('t -> a; t -!-> h'), 'a', { t: failed })).toBe('branch_not_taken');
  });
  test('is branch_not_taken on the failure way of a success', () => {
    expect(decided(planOf('t -!-> h'), 'h', { t: completed })).toBe('branch_not_taken');
  });
  test('runs as a root', () => {
    expect(decided(join, 'a', {})).toBe('run');
  });
  test('takes the plain edge of an if only when the drawn way was not taken', () => {
    const plan = planOf('c -yes-> gate -ok-> a -> j; c -> j');
    expect(decided(plan, 'j', { c: { status: 'completed', branch: 'no' }, a: skipped })).toBe('run');
    expect(decided(plan, 'j', { c: { status: 'completed', branch: 'yes' }, a: skipped })).toBe(
      'upstream_skipped',
    );
    expect(decided(plan, 'j', { c: { status: 'completed', branch: 'yes' }, a: completed })).toBe('run');
  });
});

describe("Airflow's trigger rules", () => {
  type Counts = { all: number; success: number; failed: number; skipped: number; pending: number };
  // The documentation's sentences (airflow, core-concepts/dags, "Trigger Rules"), and from trigger_rule_dep.py when a
  // task that cannot run is marked UPSTREAM_FAILED rather than SKIPPED.
  const rules: Record<TriggerRule, { runs: (n: Counts) => boolean; upstreamFailed: (n: Counts) => boolean }> =
    {
      all_success: { runs: (n) => n.success === n.all, upstreamFailed: (n) => n.failed > 0 },
      all_failed: { runs: (n) => n.failed === n.all, upstreamFailed: () => false },
      all_done: { runs: () => true, upstreamFailed: () => false },
      one_failed: { runs: (n) => n.failed >= 1, upstreamFailed: () => false },
      one_success: {
        runs: (n) => n.success >= 1,
        upstreamFailed: (n) => n.success === 0 && n.skipped < n.all,
      },
      one_done: { runs: (n) => n.success >= 1 || n.failed >= 1, upstreamFailed: () => false },
      none_failed: { runs: (n) => n.failed === 0, upstreamFailed: (n) => n.failed > 0 },
      none_failed_min_one_success: {
        runs: (n) => n.failed === 0 && n.success >= 1,
        upstreamFailed: (n) => n.failed > 0,
      },
      none_skipped: { runs: (n) => n.skipped === 0, upstreamFailed: () => false },
    };
  const early = new Set<TriggerRule>(['one_success', 'one_failed', 'one_done']);
  const stateFor = { success: completed, failed, skipped, pending: { status: 'running' } } as const;
  const combinations = [1, 2, 3, 4].flatMap((length) =>
    Array.from({ length: 4 ** length }, (_, code) =>
      Array.from(
        { length },
        (_, at) => (['success', 'failed', 'skipped', 'pending'] as const)[Math.floor(code / 4 ** at) % 4]!,
      ),
    ),
  );

  test.each(TRIGGER_RULES)('%s: every combination of up to four outcomes', (rule) => {
    for (const outcomes of combinations) {
      const text = outcomes.map((_, i) => `p${i} -> j`).join('; ');
      const plan = planOf(text, { rules: { j: rule } });
      const states = Object.fromEntries(outcomes.map((outcome, i) => [`p${i}`, stateFor[outcome]]));
      const counts: Counts = { all: outcomes.length, success: 0, failed: 0, skipped: 0, pending: 0 };
      for (const outcome of outcomes) counts[outcome]++;
      const { runs, upstreamFailed } = rules[rule];
      const isKnown = counts.pending === 0 || (early.has(rule) && runs(counts));
      let expected = runs(counts) ? 'run' : upstreamFailed(counts) ? 'upstream_failed' : 'upstream_skipped';
      if (!isKnown) expected = 'wait';
      expect(`${outcomes}: ${decided(plan, 'j', states)}`).toBe(`${outcomes}: ${expected}`);
    }
  });
});
