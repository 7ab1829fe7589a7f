// Human reviews: listed, shown, decided, handed on.
import { Type } from 'typebox';
import type { Json } from '../../core/json.ts';
import { REVIEW_STATUSES, type ReviewStatus } from '../../core/review.ts';
import type { Acting } from '../../db/connection/connection.ts';
import * as reviews from '../../resources/reviews.ts';
import { IdParams } from '../request/id-params.ts';
import { readInstant } from '../request/instant.ts';
import { PageQuery, pageOfBounded, readPage } from '../request/page.ts';
import { pageOfSchema } from '../schemas/parts.ts';
import {
  AssignBody,
  CommentBody,
  DecisionBody,
  ReviewDetailSchema,
  ReviewSchema,
  UpdateReviewBody,
} from '../schemas/reviews.ts';
import type { Api, Principal } from '../server/api.ts';
import type { ApiContext } from '../server/api-context.ts';
import { outcomeToHttp } from '../server/outcome.ts';
import { badRequest, unprocessable } from '../server/problem.ts';

const closed = { additionalProperties: false };
const tags = ['reviews'];
const KIND = 'reviews';
const read = { access: 'reviews:read' } as const;
const write = { access: 'reviews:write' } as const;

const ReviewQuery = Type.Object(
  {
    ...PageQuery,
    mine: Type.Optional(
      Type.Boolean({
        description: 'Open ones that are for the caller or claimed by him; decided ones that he voted in.',
      }),
    ),
    status: Type.Optional(
      Type.Unsafe<ReviewStatus>({
        type: 'string',
        enum: [...REVIEW_STATUSES],
        description: 'Those with this status.',
      }),
    ),
    due: Type.Optional(Type.String({ format: 'date-time', description: 'Due at this instant or before.' })),
    workflowId: Type.Optional(
      Type.String({ minLength: 1, maxLength: 100, description: 'Those of this workflow.' }),
    ),
    executionId: Type.Optional(Type.String({ format: 'uuid', description: 'Those of this execution.' })),
  },
  closed,
);

export function addReviewRoutes(api: Api, service: ApiContext): void {
  addReads(api, service);
  addDecision(api, service);
  addChanges(api, service);
}

/** What the caller may do beyond his own reviews. */
function rightsOf(principal: Principal | null): reviews.ReviewRights {
  const mayOverride = principal !== null && principal.kind !== 'key';
  return { mayOverride, manages: mayOverride || principal?.scopes.has('executions:write') === true };
}

function addReads(api: Api, { database }: ApiContext): void {
  api.get(
    '/v1/reviews',
    {
      config: read,
      schema: {
        tags,
        summary: 'List reviews',
        description: 'Newest first.',
        operationId: 'listReviews',
        querystring: ReviewQuery,
        response: { 200: pageOfSchema(ReviewSchema) },
      },
    },
    async (request) => {
      const { acting } = request;
      const { cursor: _, due, ...filter } = request.query;
      const wanted = { ...filter, ...readPage(request, KIND), due: dueOf(due) };
      const page = await database.withTenant(acting, (client) => reviews.listReviews(client, acting, wanted));
      return pageOfBounded(KIND, acting.tenantId, page, ({ id }) => id);
    },
  );

  api.get(
    '/v1/reviews/:id',
    {
      config: read,
      schema: {
        tags,
        summary: 'Show a review',
        description: 'With what is shown, its form, and what people said.',
        operationId: 'getReview',
        params: IdParams,
        response: { 200: ReviewDetailSchema },
      },
    },
    async ({ acting, params }) =>
      outcomeToHttp(
        await database.withTenant(acting, (client) => reviews.showReview(client, acting, params.id)),
      ),
  );
}

function addDecision(api: Api, { database }: ApiContext): void {
  api.post(
    '/v1/reviews/:id/decision',
    {
      config: write,
      schema: {
        tags,
        summary: 'Decide a review',
        description:
          'One vote of the caller, which may be changed until the review is decided. The vote that decides lets the task go on: the decision is its branch. ' +
          '403 `self_approval`: whoever started the execution may not decide; 403 `not_assignee`: it is for others; ' +
          '409 `already_decided`: it is decided, expired or cancelled, and the message says what; 422: the form does not fit.',
        operationId: 'decideReview',
        params: IdParams,
        body: DecisionBody,
        response: { 200: ReviewDetailSchema },
      },
    },
    async ({ acting, principal, params, body }) => {
      const { data, decision, ...given } = body;
      const fields = {
        ...given,
        decision: decision as reviews.DecisionFields['decision'],
        id: params.id,
        data: data as Json | undefined,
      };
      return await database.withTenant(acting, async (client) =>
        outcomeToHttp(await reviews.decideReview(client, acting, fields, rightsOf(principal))),
      );
    },
  );
}

function addChanges(api: Api, { database }: ApiContext): void {
  const act = async (
    acting: Acting,
    work: (
      ...args: Parameters<Parameters<typeof database.withTenant>[1]>
    ) => ReturnType<typeof reviews.claimReview>,
  ) => await database.withTenant(acting, async (client) => outcomeToHttp(await work(client)));
  const schema = { tags, params: IdParams, response: { 200: ReviewDetailSchema } };

  api.patch(
    '/v1/reviews/:id',
    {
      config: write,
      schema: {
        ...schema,
        summary: 'Change priority or due time',
        description: 'By those who are asked, and by keys with `executions:write`. What is not named stays.',
        operationId: 'updateReview',
        body: UpdateReviewBody,
      },
    },
    async ({ acting, principal, params, body: { priority, dueAt } }) =>
      await act(acting, (client) => {
        const due = dueAt === undefined || dueAt === null ? dueAt : readInstant(dueAt);
        if (due === null && typeof dueAt === 'string')
          throw unprocessable([{ pointer: '/dueAt', code: 'format', message: 'dueAt must be an instant' }]);
        const given = { id: params.id, ...(priority !== undefined && { priority }) };
        const change = due === undefined ? given : { ...given, dueAt: due };
        return reviews.updateReview(client, acting, change, rightsOf(principal));
      }),
  );

  api.post(
    '/v1/reviews/:id/assign',
    {
      config: write,
      schema: {
        ...schema,
        summary: 'Ask others',
        description:
          'Its assignees are these then, and nobody has claimed it. By those who are asked, and by keys with `executions:write`.',
        operationId: 'assignReview',
        body: AssignBody,
      },
    },
    async ({ acting, principal, params, body }) =>
      await act(acting, (client) => {
        const assignees = body.assignees as Parameters<typeof reviews.assignReview>[2]['assignees'];
        return reviews.assignReview(client, acting, { id: params.id, assignees }, rightsOf(principal));
      }),
  );

  api.post(
    '/v1/reviews/:id/comments',
    {
      config: write,
      schema: {
        ...schema,
        summary: 'Comment on a review',
        operationId: 'commentOnReview',
        body: CommentBody,
      },
    },
    async ({ acting, params, body }) =>
      await act(acting, (client) =>
        reviews.commentOnReview(client, acting, { id: params.id, comment: body.comment }),
      ),
  );

  for (const [verb, summary, description, work] of [
    [
      'claim',
      'Take a review on',
      'Where one decision is enough nobody else decides it then. 409 `claimed`: another has.',
      reviews.claimReview,
    ],
    [
      'release',
      'Give a review back',
      'By whoever claimed it, and by keys with `executions:write`.',
      reviews.releaseReview,
    ],
  ] as const)
    api.post(
      `/v1/reviews/:id/${verb}`,
      { config: write, schema: { ...schema, summary, description, operationId: `${verb}Review` } },
      async ({ acting, principal, params }) =>
        await act(acting, (client) => work(client, acting, { id: params.id }, rightsOf(principal))),
    );
}

function dueOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const instant = readInstant(text);
  if (instant !== null) return instant;
  throw badRequest([
    {
      pointer: '/query/due',
      code: 'format',
      message: 'due must be an instant such as 2030-01-01T00:00:00Z',
    },
  ]);
}
