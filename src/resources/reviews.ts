// Human reviews of a tenant: what people see of them, decide and change. `client` is in a transaction of the tenant's role.
import type pg from 'pg';
import { compileSchema } from '../core/definition/schema/input-schema.ts';
import type { Problem } from '../core/errors.ts';
import { type Json, toStorableJson } from '../core/json.ts';
import {
  type Assignee,
  assigneeText,
  decisionsOf,
  MAX_ASSIGNEES,
  type ReviewDecision,
} from '../core/review.ts';
import type { BoundedPage } from '../db/connection/byte-bounded.ts';
import type { Acting } from '../db/connection/connection.ts';
import type {
  ReviewAct,
  ReviewAnswer,
  ReviewDetail,
  ReviewFilter,
  ReviewView,
} from '../db/resources/reviews.ts';
import * as rows from '../db/resources/reviews.ts';
import { done, invalid, notFound, type Outcome, type Refused, refused } from './outcome.ts';

export type { ReviewDetail, ReviewView };

/** Characters of a comment. */
export const MAX_COMMENT = 10_000;
/** Bytes (UTF-8 JSON) of what is filled in or changed. */
const MAX_DATA_BYTES = 256 * 1024;

/** What somebody who acts may do beyond his own reviews. */
export interface ReviewRights {
  /** An operator: may decide what is not his to decide, if he says so. */
  readonly mayOverride: boolean;
  /** Manages executions: may change who is asked, and when it is due. */
  readonly manages: boolean;
}

/** Newest first; fewer than asked for where they are large. */
export function listReviews(
  client: pg.ClientBase,
  { tenantId, actor }: Acting,
  { mine, ...filter }: Omit<ReviewFilter, 'mineOf'> & { readonly mine?: boolean | undefined },
): Promise<BoundedPage<ReviewView>> {
  return rows.findReviews(client, tenantId, { ...filter, mineOf: mine === true ? actor : undefined });
}

export async function showReview(
  client: pg.ClientBase,
  { tenantId }: Acting,
  id: string,
): Promise<Outcome<ReviewDetail>> {
  const found = await rows.findReview(client, tenantId, id);
  return found === null ? unknownReview(id) : done(found);
}

export interface DecisionFields {
  readonly id: string;
  readonly decision: ReviewDecision;
  readonly comment?: string | null | undefined;
  /** What is filled in, or changed. */
  readonly data?: Json | undefined;
  /** Of the review that was read: another is refused. */
  readonly fence?: number | null | undefined;
  /** Decides at once, whoever's it is. */
  readonly override?: boolean | undefined;
}

/** One vote; the one that decides ends the wait in the same transaction. */
export async function decideReview(
  client: pg.ClientBase,
  acting: Acting,
  { override = false, data, ...given }: DecisionFields,
  { mayOverride }: Pick<ReviewRights, 'mayOverride'> = NO_RIGHTS,
): Promise<Outcome<ReviewDetail>> {
  const review = await rows.findReview(client, acting.tenantId, given.id);
  if (review === null) return unknownReview(given.id);
  if (override && !mayOverride)
    return refused('not_assignee', {
      pointer: '/override',
      code: 'not_assignee',
      message: 'only an operator may override who decides',
    });
  // What it is now is said before what does not fit.
  const problems = review.status === 'open' ? dataProblems(review, given.decision, data) : [];
  if (problems.length > 0) return invalid(problems);
  const dataJson = data === undefined ? null : JSON.stringify(data);
  const answer = await rows.decideReview(client, { ...given, dataJson, override });
  return refusalOf(given.id, answer) ?? (await showReview(client, acting, given.id));
}

/** Asks others; nobody has claimed it then. */
export function assignReview(
  client: pg.ClientBase,
  acting: Acting,
  { id, assignees }: { readonly id: string; readonly assignees: readonly Assignee[] },
  rights: Pick<ReviewRights, 'manages'> = NO_RIGHTS,
): Promise<Outcome<ReviewDetail>> {
  const given = { assignees: [...new Set(assignees.map(assigneeText))].slice(0, MAX_ASSIGNEES) };
  return change(client, acting, { id, act: { act: 'assign', given }, ...rights });
}

/** Takes it on: where one decision is enough nobody else decides it then. */
export function claimReview(
  client: pg.ClientBase,
  acting: Acting,
  { id }: { readonly id: string },
  rights: Pick<ReviewRights, 'manages'> = NO_RIGHTS,
): Promise<Outcome<ReviewDetail>> {
  return change(client, acting, { id, act: { act: 'claim', given: {} }, ...rights });
}

/** Gives it back. */
export function releaseReview(
  client: pg.ClientBase,
  acting: Acting,
  { id }: { readonly id: string },
  rights: Pick<ReviewRights, 'manages'> = NO_RIGHTS,
): Promise<Outcome<ReviewDetail>> {
  return change(client, acting, { id, act: { act: 'release', given: {} }, ...rights });
}

/** Changes what is named. */
export function updateReview(
  client: pg.ClientBase,
  acting: Acting,
  { id, ...given }: { readonly id: string; readonly priority?: number; readonly dueAt?: string | null },
  rights: Pick<ReviewRights, 'manages'> = NO_RIGHTS,
): Promise<Outcome<ReviewDetail>> {
  return change(client, acting, { id, act: { act: 'update', given }, ...rights });
}

/** Also where it is decided. */
export function commentOnReview(
  client: pg.ClientBase,
  acting: Acting,
  { id, comment }: { readonly id: string; readonly comment: string },
): Promise<Outcome<ReviewDetail>> {
  return change(client, acting, { id, act: { act: 'comment', given: { comment } }, ...NO_RIGHTS });
}

const NO_RIGHTS: ReviewRights = { mayOverride: false, manages: false };

async function change(
  client: pg.ClientBase,
  acting: Acting,
  { id, act, manages }: { readonly id: string; readonly act: ReviewAct; readonly manages: boolean },
): Promise<Outcome<ReviewDetail>> {
  const answer = await rows.changeReview(client, id, act, manages);
  return refusalOf(id, answer) ?? (await showReview(client, acting, id));
}

/** What of a decision does not fit the review's type and form; pointers are into the decision. */
export function dataProblems(
  review: ReviewDetail,
  decision: ReviewDecision,
  data: Json | undefined,
): Problem[] {
  const allowed = decisionsOf(review.reviewType);
  if (!allowed.includes(decision))
    return [
      {
        pointer: '/decision',
        code: 'invalid_value',
        message: `this review (${review.reviewType}) is ${allowed.join(' or ')}`,
      },
    ];
  const { formSchema } = review;
  const isWanted = decision === 'submitted' || (decision === 'approved' && hasOwnForm(review));
  if (data === undefined)
    return isWanted ? [{ pointer: '/data', code: 'required', message: 'the form is not filled in' }] : [];
  if (decision === 'rejected' || (formSchema === null && review.reviewType !== 'review'))
    return [{ pointer: '/data', code: 'conflict', message: 'there is nothing to fill in' }];
  const stored = toStorableJson(data, MAX_DATA_BYTES);
  if (!stored.ok) return [{ pointer: '/data', code: stored.code, message: `data ${stored.message}` }];
  const compiled = formSchema === null ? null : compileSchema(formSchema);
  if (compiled === null) return [];
  const problems = compiled.ok ? compiled.value.validate(data) : compiled.problems;
  return problems.map((problem) => ({ ...problem, pointer: `/data${problem.pointer}` }));
}

/** An approval with a form is no yes without it; of a review the form is that of its changes. */
const hasOwnForm = ({ reviewType, formSchema }: ReviewDetail) =>
  reviewType === 'approval' && formSchema !== null;

export function refusalOf(id: string, answer: ReviewAnswer | null): Refused | null {
  if (answer === null) return unknownReview(id);
  const by = answer.by == null ? '' : ` by ${answer.by}`;
  const at = answer.at == null ? '' : ` at ${answer.at}`;
  switch (answer.outcome) {
    case 'done':
    case 'decided':
    case 'voted':
      return null;
    case 'closed':
      return refusedAt('/status', 'already_decided', `the review is ${answer.status}${by}${at}`);
    case 'stale':
      return refusedAt('/fence', 'fence_mismatch', `the review has the fence ${answer.fence}`);
    case 'self':
      return refusedAt(
        '',
        'self_approval',
        `it was started by ${answer.by}, who may not decide it without selfApproval in its config`,
      );
    case 'not_assignee':
      return refusedAt('', 'not_assignee', `it is for ${answer.assignees?.join(', ')}, not for ${answer.by}`);
    case 'claimed':
      return refusedAt('/claimedBy', 'claimed', `the review is claimed${by}${at}`);
  }
}

function refusedAt(
  pointer: string,
  code: 'already_decided' | 'fence_mismatch' | 'self_approval' | 'not_assignee' | 'claimed',
  message: string,
): Refused {
  return refused(code, { pointer, code, message }, message);
}

export const unknownReview = (id: string) => notFound('review', `there is no review ${id}`);
