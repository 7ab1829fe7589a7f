// Links for people without a key: made and taken back by those who have one, and the page behind them. GET shows, POST decides: what
// opens the links of a mail decides nothing.
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { REVIEW_DECISIONS, type ReviewDecision } from '../../core/review.ts';
import type { Outcome } from '../../resources/outcome.ts';
import {
  decideByLink,
  LINK_EXPIRY,
  LINK_STATES,
  type LinkedReview,
  makeLink,
  revokeLinks,
  showByLink,
} from '../../resources/review-links.ts';
import { readForm } from '../../triggers/webhooks/body/form-body.ts';
import { networkOf } from '../caller/client-address.ts';
import { RateLimit } from '../caller/rate-limit.ts';
import { dataOf, messagePage, PAGE_POLICY, reviewPage } from '../pages/review-page.ts';
import { IdParams } from '../request/id-params.ts';
import { answerOnce } from '../request/once.ts';
import { instant } from '../schemas/parts.ts';
import { AssigneeSchema } from '../schemas/reviews.ts';
import type { Api } from '../server/api.ts';
import type { ApiContext } from '../server/api-context.ts';
import { outcomeToHttp } from '../server/outcome.ts';
import { ApiError } from '../server/problem.ts';

const PAGE = '/reviews/:token';
const MAX_FIELDS = 200;
/** Tries of one address a second with tokens that are none; above, 429. */
const FAILURES_PER_SECOND = 20;
const closed = { additionalProperties: false };
const write = { access: 'reviews:write' } as const;

export function addReviewLinkRoutes(api: Api, service: ApiContext): void {
  addLinks(api, service);
  addPage(api, service);
}

function addLinks(api: Api, service: ApiContext): void {
  const { database, publicUrl } = service;
  const tags = ['reviews'];
  api.post(
    '/v1/reviews/:id/links',
    {
      config: write,
      schema: {
        tags,
        summary: 'Make a link for a person without a key',
        description:
          'Whoever has it decides the review, once, as that person: it may what the person may. Shown in this answer only; send it to nobody else.',
        operationId: 'makeReviewLink',
        params: IdParams,
        body: Type.Object(
          {
            assignee: AssigneeSchema,
            expiresInSeconds: Type.Optional(
              Type.Integer({ minimum: 60, maximum: LINK_EXPIRY.max, default: LINK_EXPIRY.default }),
            ),
          },
          closed,
        ),
        response: {
          201: Type.Object(
            { url: Type.String(), expiresAt: instant() },
            { title: 'ReviewLink', description: 'A link, with what is secret of it.' },
          ),
        },
      },
    },
    async (request, reply) => {
      const { acting, params, body } = request;
      const assignee = body.assignee as Parameters<typeof makeLink>[2]['assignee'];
      const given = { id: params.id, assignee, expiresInSeconds: body.expiresInSeconds, publicUrl };
      return await answerOnce(
        service,
        request,
        reply,
        async (client) => ({ status: 201, body: outcomeToHttp(await makeLink(client, acting, given)) }),
        { secret: true },
      );
    },
  );

  api.delete(
    '/v1/reviews/:id/links',
    {
      config: write,
      schema: {
        tags,
        summary: 'Take back the links of a review',
        description: 'Those that are not used yet.',
        operationId: 'revokeReviewLinks',
        params: IdParams,
        response: { 200: Type.Object({ revoked: Type.Integer() }) },
      },
    },
    async ({ acting, params }) =>
      await database.withTenant(acting, async (client) =>
        outcomeToHttp(await revokeLinks(client, acting, { id: params.id })),
      ),
  );
}

function addPage(api: Api, { database }: ApiContext): void {
  const failures = new RateLimit(FAILURES_PER_SECOND);
  const schema = { params: Type.Object({ token: Type.String({ maxLength: 200 }) }, closed) };
  const send = async (reply: FastifyReply, status: number, html: string) =>
    await reply
      .code(status)
      .header('content-security-policy', PAGE_POLICY)
      .header('referrer-policy', 'no-referrer')
      .type('text/html; charset=utf-8')
      .send(html);
  const sendRefusal = async (
    reply: FastifyReply,
    { code, message }: Extract<Outcome<never>, { ok: false }>,
    address: string | undefined,
  ) => {
    if (code !== 'not_found')
      return await send(reply, STATUSES[code] ?? 409, messagePage('Not decided', message));
    if (failures.take(networkOf(address ?? '')) < 0)
      throw new ApiError(429, 'rate_limited', 'too many links that are none', {
        headers: { 'retry-after': '1' },
      });
    return await send(reply, 404, messagePage('No such link', 'It may have been copied in part.'));
  };

  api.get(
    PAGE,
    { config: { access: 'public', hidden: true }, schema },
    async ({ params, address }, reply) => {
      const shown = await database.inShare('callbacks', () =>
        database.asEngine({ actor: 'link', address }, (client) => showByLink(client, params.token)),
      );
      if (!shown.ok) return await sendRefusal(reply, shown, address);
      return await sendShown(reply, shown.value);
    },
  );

  const sendShown = async (reply: FastifyReply, { review, link }: LinkedReview) => {
    if (review.status !== 'open')
      return await send(reply, 200, messagePage(review.title, `This is ${review.status}${saidAt(review)}.`));
    if (link.state !== 'open')
      return await send(reply, 410, messagePage(review.title, sentence(LINK_STATES[link.state])));
    return await send(reply, 200, reviewPage(review, link.person));
  };

  api.post(
    PAGE,
    { config: { access: 'public', hidden: true, body: 'raw' }, schema, bodyLimit: 1_000_000 },
    async ({ params, address, body, headers }, reply) => {
      const { token } = params;
      const form = readForm(String(body ?? ''), MAX_FIELDS);
      const sent = form.ok ? form.value : {};
      const decision = REVIEW_DECISIONS.find((word) => word === sent.decision);
      const from = { actor: 'link', address, userAgent: headers['user-agent'] };
      const outcome = await database.inShare('callbacks', () =>
        database.asEngine(
          from,
          async (client): Promise<Outcome<LinkedReview> | { readonly page: string }> => {
            const shown = await showByLink(client, token);
            if (!shown.ok) return shown;
            const { review, link } = shown.value;
            const wrong = (...problems: string[]) => ({
              page: reviewPage(review, link.person, { problems }),
            });
            if (decision === undefined) return wrong('Choose what you decide.');
            const filled = dataOf(review, decision as ReviewDecision, sent);
            if ('problem' in filled) return wrong(filled.problem);
            const decided = await decideByLink(client, token, {
              decision,
              data: filled.data,
              comment: typeof sent.comment === 'string' && sent.comment !== '' ? sent.comment : null,
              fence: /^\d{1,15}$/.test(String(sent.fence)) ? Number(sent.fence) : null,
            });
            if (decided.ok || decided.code !== 'validation') return decided;
            return wrong(
              ...decided.problems.map(
                ({ pointer, message }) => `${pointer.replace('/data/', '')} ${message}`,
              ),
            );
          },
        ),
      );
      if ('page' in outcome) return await send(reply, 422, outcome.page);
      if (!outcome.ok) return await sendRefusal(reply, outcome, address);
      const { review } = outcome.value;
      const text =
        review.status === 'open'
          ? 'Your vote counts. Others are asked as well.'
          : `This is ${review.status}.`;
      return await send(reply, 200, messagePage(review.title, text));
    },
  );
}

const STATUSES: Readonly<Record<string, number>> = { expired: 410, self_approval: 403, not_assignee: 403 };
const saidAt = ({ decidedBy, decidedAt }: LinkedReview['review']) =>
  `${decidedBy === null ? '' : ` by ${decidedBy}`}${decidedAt === null ? '' : ` at ${decidedAt}`}`;
const sentence = (text: string) => `${text[0]!.toUpperCase()}${text.slice(1)}.`;
