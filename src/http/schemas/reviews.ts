// Reviews as the API shows and takes them (OpenAPI).
import { Type } from 'typebox';
import {
  MAX_ASSIGNEES,
  ON_EXPIRE,
  REVIEW_DECISIONS,
  REVIEW_STATUSES,
  REVIEW_TYPES,
} from '../../core/review.ts';
import { MAX_COMMENT } from '../../resources/reviews.ts';
import { anyJson, id, instant, nullable, nullableInstant, nullOr, words } from './parts.ts';

const closed = { additionalProperties: false };

export const AssigneeSchema = Type.Object(
  {
    type: words(['user', 'role']),
    id: Type.String({
      minLength: 1,
      maxLength: 200,
      description: 'The subject of their keys, with or without `user:`; or the role that their key has.',
      examples: ['alice'],
    }),
  },
  { ...closed, title: 'Assignee', description: 'A person, or all who have a key with the role.' },
);

const review = {
  id: id(),
  executionId: id(),
  workflowId: Type.String(),
  taskId: Type.String(),
  mapIndex: nullable('integer', { description: 'Of an item of a fan-out.' }),
  fence: Type.Integer({ description: 'Of this review: a decision may name it.' }),
  reviewType: words(REVIEW_TYPES),
  title: Type.String(),
  description: nullable('string'),
  status: words(REVIEW_STATUSES, 'All but `open` are final.'),
  priority: Type.Integer({ description: '1 to 10, higher first.' }),
  assignees: Type.Array(AssigneeSchema, { description: 'None: whoever may write reviews.' }),
  claimedBy: nullable('string', { description: 'Who has taken it on; null: nobody.' }),
  requiredApprovals: Type.Integer({ description: 'Different people who must approve.' }),
  rejectAfter: Type.Integer({ description: 'Rejections that decide it.' }),
  selfApproval: Type.Boolean({ description: 'Whoever started the execution may decide as well.' }),
  approvals: Type.Integer(),
  rejections: Type.Integer(),
  openedAt: instant(),
  dueAt: nullableInstant('Null: never.'),
  remindAt: nullableInstant('Null: nobody is reminded.'),
  onExpire: words(ON_EXPIRE, 'What happens when it is due.'),
  escalations: Type.Integer({ description: 'How often others were asked.' }),
  notifyError: nullOr(
    { type: 'array', items: { type: 'string' } },
    'What went wrong when people were last told of it; null: nothing.',
  ),
  decidedBy: nullable('string', { description: '`system`: it expired. Null: it is open, or was cancelled.' }),
  decidedAt: nullableInstant('When it was closed; null: it is open.'),
};

export const ReviewSchema = Type.Object(review, { title: 'Review', description: 'What people are asked.' });

export const ReviewDetailSchema = Type.Object(
  {
    ...review,
    payload: anyJson("What is shown: the task's input."),
    formSchema: nullOr(
      { type: 'object', additionalProperties: true },
      'JSON Schema of what is filled in; null: there is no form.',
    ),
    shownHash: Type.String({ description: 'SHA-256, hex, of what was shown.' }),
    responses: Type.Array(
      Type.Object({
        by: Type.String(),
        decision: nullable('string', { enum: [...REVIEW_DECISIONS, null], description: 'Null: a comment.' }),
        comment: nullable('string'),
        data: anyJson('What was filled in or changed.'),
        at: instant(),
      }),
      { description: 'Votes and comments in order of time, the latest 200.' },
    ),
  },
  { title: 'ReviewDetail', description: 'A review with what is shown, and what people said.' },
);

const comment = Type.String({ maxLength: MAX_COMMENT });

export const DecisionBody = Type.Object(
  {
    decision: words(
      REVIEW_DECISIONS,
      'Of an input `submitted` or `rejected`, else `approved` or `rejected`.',
    ),
    comment: Type.Optional(comment),
    data: Type.Optional(
      Type.Unknown({ description: 'What is filled in or changed; `formSchema` judges it. At most 256 KB.' }),
    ),
    fence: Type.Optional(
      Type.Integer({ minimum: 0, description: 'Of the review that was read: another is refused with 409.' }),
    ),
    override: Type.Optional(
      Type.Boolean({
        description:
          "Decides at once, whoever's it is. For the operator, or where the service runs without keys; the audit trail says so.",
      }),
    ),
  },
  closed,
);

export const AssignBody = Type.Object(
  { assignees: Type.Array(AssigneeSchema, { minItems: 1, maxItems: MAX_ASSIGNEES }) },
  closed,
);

export const CommentBody = Type.Object(
  { comment: Type.String({ minLength: 1, maxLength: MAX_COMMENT }) },
  closed,
);

export const UpdateReviewBody = Type.Object(
  {
    priority: Type.Optional(Type.Integer({ minimum: 1, maximum: 10 })),
    dueAt: Type.Optional(
      Type.Union([Type.String({ format: 'date-time' }), Type.Null()], { description: 'Null: never.' }),
    ),
  },
  { ...closed, minProperties: 1 },
);
