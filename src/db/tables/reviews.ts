// The tables of human reviews (LANGUAGE H1 to H9): what people are asked, and what they answer. As engine.ts.
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  index,
  integer,
  jsonb,
  primaryKey,
  smallint,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { REVIEW_STATUSES } from '../../core/review.ts';
import { bytea, dagwright, instant, workflowExecutions } from './engine.ts';

export const reviewStatus = dagwright.enum('review_status', REVIEW_STATUSES);

/** A question to people, made in the settle that begins its task's wait (functions/protocol/reviews.sql). */
export const humanTasks = dagwright.table(
  'human_tasks',
  {
    id: uuid().primaryKey(),
    tenantId: uuid('tenant_id').notNull(),
    workflowExecutionId: uuid('workflow_execution_id')
      .notNull()
      .references(() => workflowExecutions.id, { onDelete: 'cascade' }),
    taskId: text('task_id').notNull(),
    mapIndex: integer('map_index').notNull(),
    workflowId: text('workflow_id').notNull(),
    /** The claim that opened it: a task that opens another later has a higher one. */
    fence: bigint({ mode: 'number' }).notNull(),
    reviewType: text('review_type').notNull(),
    title: text().notNull(),
    description: text(),
    /** What is shown. */
    payload: jsonb().notNull(),
    formSchema: jsonb('form_schema'),
    /** SHA-256 of title, description, payload and form. */
    shownHash: bytea('shown_hash').notNull(),
    status: reviewStatus().notNull().default('open'),
    priority: smallint().notNull().default(5),
    /** `user:alice`, `role:reviewer`; none: whoever may write reviews. */
    assignees: text().array().notNull().default([]),
    /** Who has taken it on. */
    claimedBy: text('claimed_by'),
    claimedAt: instant('claimed_at'),
    requiredApprovals: integer('required_approvals').notNull().default(1),
    rejectAfter: integer('reject_after').notNull().default(1),
    selfApproval: boolean('self_approval').notNull().default(false),
    /** Subjects that may not decide it: whoever started what it is about. */
    starters: text().array().notNull().default([]),
    openedAt: instant('opened_at').notNull(),
    dueInMs: bigint('due_in_ms', { mode: 'number' }),
    remindBeforeMs: bigint('remind_before_ms', { mode: 'number' }),
    dueAt: instant('due_at'),
    remindAt: instant('remind_at'),
    remindedAt: instant('reminded_at'),
    onExpire: text('on_expire').notNull(),
    escalateTo: text('escalate_to').array().notNull().default([]),
    escalations: smallint().notNull().default(0),
    /** A task tells people of it. */
    notifies: boolean().notNull().default(false),
    /** Of what they are still to be told: `opened`, `reminder`, `escalated`. */
    notifyFor: text('notify_for'),
    /** What went wrong the last time. */
    notifyError: jsonb('notify_error'),
    decidedBy: text('decided_by'),
    decidedAt: instant('decided_at'),
  },
  (t) => [
    index('human_tasks_task').on(t.workflowExecutionId, t.taskId, t.mapIndex),
    index('human_tasks_tenant').on(t.tenantId, t.id),
    index('human_tasks_workflow').on(t.tenantId, t.workflowId, t.id),
    index('human_tasks_due').on(t.tenantId, t.dueAt).where(sql`status = 'open' and due_at is not null`),
    // As of executions: policies hide the statistics of enum columns.
    index('human_tasks_open').on(t.tenantId, t.id).where(sql`status = 'open'`),
  ],
);

/**
 * Whom the open reviews are for, by name: what `mine` is found by. Kept by a trigger of human_tasks. No index by review, and so no
 * foreign key: a list in the order of reviews would be read by it, past all that are others'.
 */
export const reviewAssignees = dagwright.table(
  'review_assignees',
  {
    tenantId: uuid('tenant_id').notNull(),
    assignee: text().notNull(),
    reviewId: uuid('review_id').notNull(),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.assignee, t.reviewId] })],
);

/** What people said to a review: their vote, one each, and their comments. */
export const reviewResponses = dagwright.table(
  'review_responses',
  {
    id: uuid().primaryKey(),
    tenantId: uuid('tenant_id').notNull(),
    reviewId: uuid('review_id')
      .notNull()
      .references(() => humanTasks.id, { onDelete: 'cascade' }),
    by: text().notNull(),
    /** Who that is, whatever way it came: two votes are of two subjects. */
    subject: text().notNull(),
    /** Null: a comment. */
    decision: text(),
    comment: text(),
    data: jsonb(),
    at: instant('at').notNull(),
  },
  (t) => [
    uniqueIndex('review_responses_vote').on(t.reviewId, t.subject).where(sql`decision is not null`),
    index('review_responses_review').on(t.reviewId, t.id),
    index('review_responses_subject').on(t.tenantId, t.subject, t.reviewId).where(sql`decision is not null`),
  ],
);

/** Links by which people without a key decide a review, once; nothing of a token is kept but its SHA-256. */
export const reviewLinks = dagwright.table(
  'review_links',
  {
    tokenHash: bytea('token_hash').primaryKey(),
    tenantId: uuid('tenant_id').notNull(),
    reviewId: uuid('review_id')
      .notNull()
      .references(() => humanTasks.id, { onDelete: 'cascade' }),
    /** As whom it decides; null: nobody in particular. */
    person: text(),
    createdAt: instant('created_at').notNull(),
    createdBy: text('created_by').notNull(),
    expiresAt: instant('expires_at').notNull(),
    usedAt: instant('used_at'),
    revokedAt: instant('revoked_at'),
  },
  (t) => [index('review_links_review').on(t.reviewId)],
);
