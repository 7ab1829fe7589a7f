// The words of human reviews (LANGUAGE H1 to H9): what may be asked, what may be decided, and what a review is as its settle opens it.
import type { Json, JsonObject } from './json.ts';

/** `approval`: yes or no. `input`: a form that somebody fills in. `review`: yes or no, with changes to what is shown. */
export const REVIEW_TYPES = ['approval', 'input', 'review'] as const;
export type ReviewType = (typeof REVIEW_TYPES)[number];

/** What people decide. */
export const REVIEW_DECISIONS = ['approved', 'rejected', 'submitted'] as const;
export type ReviewDecision = (typeof REVIEW_DECISIONS)[number];

/** `expired`: nobody decided in time; `cancelled`: its task ended otherwise. All but `open` are final. */
export const REVIEW_STATUSES = ['open', ...REVIEW_DECISIONS, 'expired', 'cancelled'] as const;
export type ReviewStatus = (typeof REVIEW_STATUSES)[number];

/** What a due time does that nobody met. `expire`: the branch `expired` where edges name it, else as `fail`. */
export const ON_EXPIRE = ['expire', 'fail', 'approve', 'reject', 'escalate'] as const;
export type OnExpire = (typeof ON_EXPIRE)[number];

/** How often a review is escalated at most; then it expires. */
export const MAX_ESCALATIONS = 5;
/** People and roles that one review may be for. */
export const MAX_ASSIGNEES = 100;

/** What may be decided in a review of this type. */
export function decisionsOf(type: ReviewType): readonly ReviewDecision[] {
  return type === 'input' ? ['submitted', 'rejected'] : ['approved', 'rejected'];
}

/** The branches that a review of this type may take; a type that a template gives is none of them. */
export function branchesOf(type: Json | undefined): readonly string[] {
  return [...decisionsOf(type === 'input' ? 'input' : 'approval'), 'expired'];
}

/** A person or a role, as definitions and the API name it; `id` of a person is a key's subject, with or without `user:`. */
export interface Assignee {
  readonly type: 'user' | 'role';
  readonly id: string;
}

/** `user:alice`, `role:reviewer`: as rows keep it. */
export function assigneeText({ type, id }: Assignee): string {
  return `${type}:${type === 'user' ? id.replace(/^user:/, '') : id}`;
}

export function readAssignee(text: string): Assignee {
  const colon = text.indexOf(':');
  return { type: text.slice(0, colon) === 'role' ? 'role' : 'user', id: text.slice(colon + 1) };
}

/** A review as it is opened; the keys are those that functions/protocol/reviews.sql reads. */
export interface ReviewRequest {
  readonly reviewType: ReviewType;
  readonly title: string;
  readonly description: string | null;
  /** What is shown: the task's input. */
  readonly payload: Json;
  readonly formSchema: JsonObject | null;
  /** As {@link assigneeText}; none: whoever may write reviews. */
  readonly assignees: readonly string[];
  readonly requiredApprovals: number;
  readonly rejectAfter: number;
  readonly selfApproval: boolean;
  readonly priority: number;
  readonly dueInSeconds: number | null;
  readonly remindBeforeSeconds: number | null;
  readonly onExpire: OnExpire;
  readonly escalateTo: readonly string[];
  /** A task tells people of it. */
  readonly notifies: boolean;
  /** SHA-256, hex, of all that whoever decides is shown. */
  readonly shownHash: string;
}

/** Of what people are still to be told. */
export type ReviewNotice = 'opened' | 'reminder' | 'escalated';

/** What has become of the review that a task waits for. */
export interface ReviewState {
  readonly id: string;
  readonly title: string;
  /** As {@link assigneeText}. */
  readonly assignees: readonly string[];
  readonly dueAt: string | null;
  readonly escalations: number;
  /** Null: of nothing. */
  readonly notice: ReviewNotice | null;
  readonly status: ReviewStatus;
  readonly responses: readonly ReviewResponse[];
  /** What was shown. */
  readonly payload: Json;
  /** Of the response that decided: what was filled in or changed. */
  readonly data: Json;
}

export interface ReviewResponse {
  readonly by: string;
  readonly decision: ReviewDecision;
  readonly comment: string | null;
  readonly data: Json;
  readonly at: string;
}
