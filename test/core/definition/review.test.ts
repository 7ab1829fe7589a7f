import { describe, expect, test } from 'vitest';
import { executionTimeoutSeconds } from '../../../src/core/definition/checks/execution-timeout.ts';
import type { NodeDefinition } from '../../../src/core/definition/model.ts';
import { assigneeText, branchesOf, readAssignee } from '../../../src/core/review.ts';
import { problemsOf, task, typed, workflow } from './documents.ts';

const review = (config: Record<string, unknown> = {}) => workflow([typed('r', 'human_review', config)]);
const user = (id: string) => ({ type: 'user', id });
const mail = (config: Record<string, unknown> = {}) => ({
  notify: {
    taskType: 'external_api',
    config: { method: 'POST', url: 'https://mail.example.com', ...config },
  },
});

describe('a human_review', () => {
  test.each<[string, Record<string, unknown>]>([
    ['needs nothing', {}],
    ['may ask people and roles', { assignees: [user('alice'), { type: 'role', id: 'reviewer' }] }],
    ['may take templates', { assignees: '{{ input.who }}', dueInSeconds: '{{ input.s }}' }],
    ['may fill in a form', { reviewType: 'input', formSchema: { type: 'object' } }],
    ['may escalate', { dueInSeconds: 60, onExpire: 'escalate', escalateTo: [user('bob')] }],
    ['may tell people', mail({ body: '{{ task.reviewUrl }} {{ task.input.reason }}' })],
  ])('%s', (_, config) => {
    expect(problemsOf(review(config))).toEqual([]);
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['an input without a form', { reviewType: 'input' }, '/formSchema required'],
    ['a form that is no schema', { formSchema: { type: 'thing' } }, '/formSchema/type invalid_schema'],
    ['a due time that is none', { dueInSeconds: 0 }, '/dueInSeconds range'],
    ['what happens then, without one', { onExpire: 'reject' }, '/onExpire conflict'],
    ['an escalation to nobody', { dueInSeconds: 1, onExpire: 'escalate' }, '/escalateTo required'],
    ['others who are never asked', { dueInSeconds: 1, escalateTo: [user('a')] }, '/escalateTo conflict'],
    [
      'a reminder before the opening',
      { dueInSeconds: 1, remindBeforeSeconds: 2 },
      '/remindBeforeSeconds range',
    ],
    [
      'more approvals than people',
      { requiredApprovals: 2, assignees: [user('a'), user('user:a')] },
      '/requiredApprovals range',
    ],
    ['a person without a name', { assignees: [{ type: 'user' }] }, '/assignees/0/id required'],
    [
      'a notice that waits',
      { notify: { taskType: 'wait', config: { seconds: 1 } } },
      '/notify/taskType invalid_value',
    ],
  ])('%s is refused', (_, config, problem) => {
    expect(problemsOf(review(config))).toContain(`/nodes/0/config${problem}`);
  });

  test('has the branches of its type, and the expiry', () => {
    const after = (branch: string, config: Record<string, unknown> = {}) =>
      problemsOf(workflow([typed('r', 'human_review', config), task('a', [{ taskId: 'r', branch }])]));
    for (const branch of branchesOf('approval')) expect(after(branch)).toEqual([]);
    expect(after('submitted')).toEqual(['/nodes/1/dependsOn/0/branch unknown_branch']);
    const input = { reviewType: 'input', formSchema: { type: 'object' } };
    for (const branch of branchesOf('input')) expect(after(branch, input)).toEqual([]);
  });

  test('a link is read in its notice only', () => {
    expect(problemsOf(review({ title: '{{ task.reviewUrl }}' }))).toEqual([
      '/nodes/0/config/title out_of_scope',
    ]);
  });

  test('takes as long as people take', () => {
    const timeoutOf = (node: Partial<NodeDefinition>) =>
      executionTimeoutSeconds({
        nodes: [{ taskId: 'r', dependsOn: [], config: {}, taskType: 'wait', ...node }],
      });
    expect(timeoutOf({ taskType: 'human_review' })).toBe(null);
    const tools = (approval: boolean) => ({ tools: [{ name: 't', task: {}, approval }] });
    expect(timeoutOf({ taskType: 'model_inference', config: tools(true) })).toBe(null);
    expect(timeoutOf({ taskType: 'model_inference', config: tools(false) })).toBe(3600);
  });
});

test('a person is one, with or without "user:"', () => {
  expect(assigneeText({ type: 'user', id: 'user:alice' })).toBe(assigneeText({ type: 'user', id: 'alice' }));
  for (const text of ['user:alice', 'role:a:b', 'user:key:0191'])
    expect(assigneeText(readAssignee(text))).toBe(text);
});
