// `human_review`: asks people, and goes on with what they decide. The review is opened by the settle that begins its wait
// (functions/protocol/reviews.sql); the task looks at it when it is decided, and when something of it is due.
import type { NodeDefinition } from '../core/definition/model.ts';
import { TerminalError } from '../core/errors.ts';
import { evaluateMapping, type Mapping } from '../core/expression/mapping.ts';
import { isJsonObject, type Json } from '../core/json.ts';
import {
  assigneeText,
  MAX_ASSIGNEES,
  ON_EXPIRE,
  type OnExpire,
  REVIEW_TYPES,
  type ReviewRequest,
  type ReviewType,
} from '../core/review.ts';
import { compileField, invalidField, readField } from './compile-config.ts';
import { type Notice, prepareNotice } from './review-notice.ts';
import { reviewRequest } from './review-request.ts';
import type { TaskContext, TaskOutcome, TaskType } from './task-type.ts';

const MAX_SECONDS = 315_360_000;
const MAX_TITLE = 500;
const MAX_DESCRIPTION = 10_000;

const FIELDS = {
  reviewType: 'approval',
  title: null,
  description: null,
  assignees: [],
  requiredApprovals: 1,
  rejectAfter: 1,
  selfApproval: false,
  priority: 5,
  dueInSeconds: null,
  remindBeforeSeconds: null,
  onExpire: 'expire',
  escalateTo: [],
} as const satisfies Readonly<Record<string, Json>>;
type Field = keyof typeof FIELDS;

export const humanReview: TaskType = {
  type: 'human_review',
  isPure: false,
  prepare(node, types) {
    const names = Object.keys(FIELDS) as Field[];
    const mappings = new Map(names.map((name) => [name, compileField(node, name, FIELDS[name])]));
    const notice = prepareNotice(node, types);
    return {
      mappings: [...mappings.values(), ...(notice?.mappings ?? [])],
      run: (context) =>
        context.phase === 'review'
          ? lookAtReview(node, notice, context)
          : openReview(node, { ...requestOf(node, mappings, context), notifies: notice !== null }, context),
    };
  },
};

async function lookAtReview(
  node: NodeDefinition,
  notice: Notice | null,
  context: TaskContext,
): Promise<TaskOutcome> {
  const review = await context.readReview();
  const named = `Task "${node.taskId}": its review`;
  if (review === null || review.status === 'cancelled')
    throw new TerminalError('cancelled', `${named} was cancelled`);
  const { status, responses } = review;
  if (status === 'open') {
    if (review.notice !== null) await notice?.send(context, review);
    return { kind: 'waitForReview', opens: null };
  }
  if (status === 'expired' && !mayExpire(node, context))
    throw new TerminalError('expired', `${named} was decided by nobody in time`);
  return { kind: 'completed', branch: status, output: { decision: status, data: review.data, responses } };
}

/** An expiry is a way to go on where an edge names it. */
function mayExpire(node: NodeDefinition, { branches = [] }: TaskContext): boolean {
  return readField(node, 'onExpire') !== 'fail' && branches.includes('expired');
}

function requestOf(
  node: NodeDefinition,
  mappings: ReadonlyMap<Field, Mapping>,
  context: TaskContext,
): ReviewRequest {
  const read = (field: Field): Json => evaluateMapping(mappings.get(field)!, context.scope);
  const text = (field: Field, most: number): string | null => {
    const value = read(field);
    if (value === null) return null;
    if (typeof value !== 'string' || value.length > most)
      throw invalidField(node, field, `a text of at most ${most} characters`, value);
    return value;
  };
  const count = (field: Field, most: number): number => {
    const value = read(field);
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > most)
      throw invalidField(node, field, `an integer from 1 to ${most}`, value);
    return value;
  };
  const seconds = (field: Field): number | null => {
    const value = read(field);
    if (value === null) return null;
    if (typeof value !== 'number' || !(value > 0 && value <= MAX_SECONDS))
      throw invalidField(node, field, `a number of seconds, more than 0, at most ${MAX_SECONDS}`, value);
    return value;
  };
  const word = <Word extends string>(field: Field, words: readonly Word[]): Word => {
    const value = read(field);
    const found = words.find((one) => one === value);
    if (found === undefined) throw invalidField(node, field, `one of ${words.join(', ')}`, value);
    return found;
  };
  const people = (field: Field) => peopleOf(node, field, read(field));
  const selfApproval = read('selfApproval');
  if (typeof selfApproval !== 'boolean') throw invalidField(node, 'selfApproval', 'a boolean', selfApproval);
  const form = readField(node, 'formSchema');
  const shown = {
    reviewType: word<ReviewType>('reviewType', REVIEW_TYPES),
    title: text('title', MAX_TITLE) ?? node.taskId,
    description: text('description', MAX_DESCRIPTION),
    payload: context.input,
    formSchema: isJsonObject(form) ? form : null,
  };
  const request = reviewRequest(shown, {
    assignees: people('assignees'),
    requiredApprovals: count('requiredApprovals', MAX_ASSIGNEES),
    rejectAfter: count('rejectAfter', MAX_ASSIGNEES),
    selfApproval,
    priority: count('priority', 10),
    dueInSeconds: seconds('dueInSeconds'),
    remindBeforeSeconds: seconds('remindBeforeSeconds'),
    onExpire: word<OnExpire>('onExpire', ON_EXPIRE),
    escalateTo: people('escalateTo'),
  });
  return request;
}

function peopleOf(node: NodeDefinition, field: Field, value: Json): string[] {
  if (!Array.isArray(value) || value.length > MAX_ASSIGNEES)
    throw invalidField(node, field, `a list of at most ${MAX_ASSIGNEES} people and roles`, value);
  const named = (value as readonly Json[]).map((one) => {
    const isOne = isJsonObject(one) && typeof one.id === 'string' && one.id !== '';
    if (!isOne || (one.type !== 'user' && one.type !== 'role'))
      throw invalidField(node, field, '{ type: user or role, id }', one);
    return assigneeText({ type: one.type, id: one.id as string });
  });
  return [...new Set(named)];
}

async function openReview(
  node: NodeDefinition,
  request: ReviewRequest,
  context: TaskContext,
): Promise<TaskOutcome> {
  const { assignees, requiredApprovals, selfApproval } = request;
  // Who has a role may change until it is decided.
  if (assignees.length > 0 && assignees.every((one) => one.startsWith('user:'))) {
    const starters = selfApproval ? [] : await context.readStarters();
    const voters = assignees.filter((one) => !starters.includes(one));
    if (voters.length < requiredApprovals) throw undecidable(node, request, voters.length);
  }
  return { kind: 'waitForReview', opens: request };
}

/** It would wait for ever. */
function undecidable(node: NodeDefinition, { assignees, requiredApprovals }: ReviewRequest, voters: number) {
  const why =
    voters < assignees.length ? '; whoever started the execution may not decide it without selfApproval' : '';
  return new TerminalError(
    'validation',
    `Task "${node.taskId}": human_review needs ${requiredApprovals} approval(s), but ${voters} of those it is for may decide${why}`,
  );
}
