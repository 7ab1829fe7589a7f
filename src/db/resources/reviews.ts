// Reviews as people see them. `client` is in a transaction of the tenant's role; what they do is judged by
// functions/resources/decide-review.sql and change-review.sql, under the execution's lock.
import type pg from 'pg';
import type { Json, JsonObject } from '../../core/json.ts';
import {
  type Assignee,
  type OnExpire,
  type ReviewDecision,
  type ReviewStatus,
  type ReviewType,
  readAssignee,
} from '../../core/review.ts';
import { type BoundedPage, findBoundedPage } from '../connection/byte-bounded.ts';

export interface ReviewView {
  readonly id: string;
  readonly executionId: string;
  readonly workflowId: string;
  readonly taskId: string;
  readonly mapIndex: number | null;
  readonly fence: number;
  readonly reviewType: ReviewType;
  readonly title: string;
  readonly description: string | null;
  readonly status: ReviewStatus;
  readonly priority: number;
  readonly assignees: readonly Assignee[];
  readonly claimedBy: string | null;
  readonly requiredApprovals: number;
  readonly rejectAfter: number;
  readonly selfApproval: boolean;
  readonly approvals: number;
  readonly rejections: number;
  readonly openedAt: string;
  readonly dueAt: string | null;
  readonly remindAt: string | null;
  readonly onExpire: OnExpire;
  readonly escalations: number;
  /** What went wrong when people were last told of it; null: nothing. */
  readonly notifyError: readonly string[] | null;
  readonly decidedBy: string | null;
  readonly decidedAt: string | null;
}

/** What somebody said: a vote, or (without a decision) a comment. */
export interface SaidView {
  readonly by: string;
  readonly decision: ReviewDecision | null;
  readonly comment: string | null;
  readonly data: Json;
  readonly at: string;
}

export interface ReviewDetail extends ReviewView {
  readonly payload: Json;
  readonly formSchema: JsonObject | null;
  /** SHA-256, hex, of what was shown. */
  readonly shownHash: string;
  /** The latest, in order of time. */
  readonly responses: readonly SaidView[];
}

/** Responses that a detail shows, and their bytes together. */
const MAX_SHOWN = { rows: 200, bytes: 2_000_000 };

const COLUMNS = `h.id, h.workflow_execution_id as "executionId", h.workflow_id as "workflowId", h.task_id as "taskId",
  nullif(h.map_index, -1) as "mapIndex", h.fence::float8 as fence, h.review_type as "reviewType", h.title, h.description, h.status::text as status,
  h.priority, h.assignees, h.claimed_by as "claimedBy", h.required_approvals as "requiredApprovals", h.reject_after as "rejectAfter",
  h.self_approval as "selfApproval", votes.approvals, votes.rejections, h.opened_at as "openedAt", h.due_at as "dueAt",
  h.remind_at as "remindAt", h.on_expire as "onExpire", h.escalations, h.notify_error as "notifyError", h.decided_by as "decidedBy", h.decided_at as "decidedAt"`;
const VOTES = `cross join lateral (
  select count(*) filter (where r.decision <> 'rejected')::int as approvals, count(*) filter (where r.decision = 'rejected')::int as rejections
  from dagwright.review_responses r where r.review_id = h.id and r.decision is not null) votes`;

type ReviewRow<View extends ReviewView> = Omit<View, 'assignees'> & { readonly assignees: readonly string[] };

function viewOf<View extends ReviewView>(row: ReviewRow<View>): View {
  return { ...row, assignees: row.assignees.map(readAssignee) } as unknown as View;
}

export interface ReviewFilter {
  readonly limit: number;
  /** The id to go on after. */
  readonly before?: string | null | undefined;
  readonly status?: ReviewStatus | undefined;
  readonly workflowId?: string | undefined;
  readonly executionId?: string | undefined;
  /** Due at this instant, or before it. */
  readonly due?: string | undefined;
  /** Of this actor: open ones that are for him or claimed by him, others that he voted in. */
  readonly mineOf?: string | undefined;
}

/** The statement of {@link findReviews}, by itself so that its plan can be looked at. */
export function reviewListQuery(tenantId: string, filter: ReviewFilter) {
  const values: unknown[] = [tenantId, filter.limit + 1];
  const where = ['h.tenant_id = $1'];
  const add = (value: unknown, condition: (place: string) => string) => {
    if (value === undefined || value === null) return;
    values.push(value);
    where.push(condition(`$${values.length}`));
  };
  add(filter.before, (p) => `h.id < ${p}::uuid`);
  add(filter.workflowId, (p) => `h.workflow_id = ${p}`);
  add(filter.executionId, (p) => `h.workflow_execution_id = ${p}::uuid`);
  add(filter.due, (p) => `h.due_at <= ${p}::timestamptz`);
  // Open ones are few among many: their own index holds them.
  if (filter.status === 'open') where.push(`h.status = 'open'`);
  else add(filter.status, (p) => `h.status = ${p}::dagwright.review_status`);
  const among = where.join(' and ');
  const from =
    filter.mineOf === undefined
      ? 'dagwright.human_tasks h'
      : mineAmong(among, `$${values.push(filter.mineOf)}`, filter.status);
  return {
    text: `select ${COLUMNS} from ${from} ${VOTES} where ${among} order by h.id desc limit $2`,
    values,
  };
}

// Found from whom they are for, or by, in the order of the list: those of one person are few among many, and those of a role many.
// One by one: joined otherwise, all that are open would be read.
function mineAmong(among: string, actor: string, status: ReviewStatus | undefined): string {
  const looked = (id: string) =>
    `cross join lateral (select * from dagwright.human_tasks h where h.id = ${id} offset 0) h`;
  const forMe = `select m.id from unnest((select dagwright.review_names_v1(${actor}))) n(name) cross join lateral (
    select h.id from dagwright.review_assignees a ${looked('a.review_id')}
    where a.tenant_id = $1 and a.assignee = n.name and ${among} order by a.review_id desc limit $2) m`;
  const byMe = `(select h.id from dagwright.review_responses r ${looked('r.review_id')}
    where r.tenant_id = $1 and r.decision is not null and r.subject = (select dagwright.review_subject_v1(${actor})) and ${among}
    order by r.review_id desc limit $2)`;
  const ids = status === 'open' ? forMe : status === undefined ? `${forMe} union all ${byMe}` : byMe;
  return `(select distinct id from (${ids}) i) mine ${looked('mine.id')}`;
}

/** Newest first; fewer than asked for where they are large. */
export async function findReviews(
  client: pg.ClientBase,
  tenantId: string,
  filter: ReviewFilter,
): Promise<BoundedPage<ReviewView>> {
  const { text, values } = reviewListQuery(tenantId, filter);
  const bounds = { limit: filter.limit, json: ['title', 'description', 'assignees', '"notifyError"'] };
  const { rows, hasMore } = await findBoundedPage<ReviewRow<ReviewView>>(client, text, { values, ...bounds });
  return { rows: rows.map(viewOf), hasMore };
}

export async function findReview(
  client: pg.ClientBase,
  tenantId: string,
  id: string,
): Promise<ReviewDetail | null> {
  const { rows } = await client.query<ReviewRow<ReviewDetail>>(
    `select ${COLUMNS}, h.payload, h.form_schema as "formSchema", encode(h.shown_hash, 'hex') as "shownHash"
     from dagwright.human_tasks h ${VOTES} where h.tenant_id = $1 and h.id = $2`,
    [tenantId, id],
  );
  if (rows[0] === undefined) return null;
  const said = await findBoundedPage<SaidView>(
    client,
    `select r.by, r.decision, r.comment, r.data, r.at from dagwright.review_responses r where r.tenant_id = $1 and r.review_id = $2
     order by r.at desc, r.id desc limit $3`,
    {
      values: [tenantId, id, MAX_SHOWN.rows + 1],
      limit: MAX_SHOWN.rows,
      maxBytes: MAX_SHOWN.bytes,
      json: ['comment', 'data'],
    },
  );
  return { ...viewOf<ReviewDetail>(rows[0]), responses: said.rows.toReversed() };
}

/** What came of an act upon a review; null: there is none. */
export interface ReviewAnswer {
  readonly outcome: 'decided' | 'voted' | 'done' | 'closed' | 'stale' | 'self' | 'not_assignee' | 'claimed';
  readonly status?: ReviewStatus;
  readonly by?: string | null;
  readonly at?: string | null;
  readonly fence?: number;
  readonly assignees?: readonly string[];
}

export interface DecisionGiven {
  readonly id: string;
  readonly decision: ReviewDecision;
  readonly comment?: string | null | undefined;
  /** JSON. */
  readonly dataJson: string | null;
  readonly fence?: number | null | undefined;
  readonly override: boolean;
}

export async function decideReview(
  client: pg.ClientBase,
  { id, decision, comment = null, dataJson, fence = null, override }: DecisionGiven,
): Promise<ReviewAnswer | null> {
  const { rows } = await client.query<{ answer: ReviewAnswer | null }>(
    'select dagwright.decide_review_v1($1, $2, $3, $4, $5, $6) as answer',
    [id, decision, comment, dataJson, fence, override],
  );
  return rows[0]!.answer;
}

export type ReviewAct =
  | { readonly act: 'assign'; readonly given: { readonly assignees: readonly string[] } }
  | { readonly act: 'claim' | 'release'; readonly given: Record<string, never> }
  | {
      readonly act: 'update';
      readonly given: { readonly priority?: number; readonly dueAt?: string | null };
    }
  | { readonly act: 'comment'; readonly given: { readonly comment: string } };

/** `manages`: also where the review is not for whoever acts. */
export async function changeReview(
  client: pg.ClientBase,
  id: string,
  { act, given }: ReviewAct,
  manages: boolean,
): Promise<ReviewAnswer | null> {
  const { rows } = await client.query<{ answer: ReviewAnswer | null }>(
    'select dagwright.change_review_v1($1, $2, $3, $4) as answer',
    [id, act, JSON.stringify(given), manages],
  );
  return rows[0]!.answer;
}
