// Links for people without a key (LANGUAGE H4). Acts upon a review take a client of the tenant's role; what is done by a link takes one
// of the engine's, in a transaction: its token says whose it is.
import { createHash, randomBytes } from 'node:crypto';
import type pg from 'pg';
import type { Json } from '../core/json.ts';
import { type Assignee, assigneeText, type ReviewDecision } from '../core/review.ts';
import type { Acting } from '../db/connection/connection.ts';
import type { ReviewLink } from '../db/resources/review-links.ts';
import * as links from '../db/resources/review-links.ts';
import type { ReviewDetail } from '../db/resources/reviews.ts';
import { findReview } from '../db/resources/reviews.ts';
import { done, invalid, notFound, type Outcome, refused, refusedWhole } from './outcome.ts';
import { dataProblems, MAX_COMMENT, refusalOf, unknownReview } from './reviews.ts';

const TOKEN_BYTES = 32;
/** Seconds. */
export const LINK_EXPIRY = { default: 7 * 86_400, max: 90 * 86_400 } as const;

export interface MadeLink {
  /** With the right to decide: shown once. */
  readonly url: string;
  readonly expiresAt: string;
}

const hashOf = (token: string) => createHash('sha256').update(token).digest();

/** A link for a person, who is one of those whom the review is for. */
export async function makeLink(
  client: pg.ClientBase,
  { tenantId }: Acting,
  {
    id,
    assignee,
    expiresInSeconds = LINK_EXPIRY.default,
    publicUrl,
  }: {
    readonly id: string;
    readonly assignee: Assignee;
    readonly expiresInSeconds?:
      | number
      | undefined /** Where the service is reached, without a slash at the end. */;
    readonly publicUrl: string;
  },
): Promise<Outcome<MadeLink>> {
  const review = await findReview(client, tenantId, id);
  if (review === null) return unknownReview(id);
  if (review.status !== 'open') return refusedWhole('already_decided', `the review is ${review.status}`);
  const person = assigneeText(assignee);
  if (assignee.type !== 'user')
    return invalid([
      { pointer: '/assignee/type', code: 'invalid_value', message: 'a link is for one person' },
    ]);
  const names = review.assignees.map(assigneeText);
  if (names.length > 0 && names.every((name) => name.startsWith('user:')) && !names.includes(person))
    return refused('not_assignee', {
      pointer: '/assignee',
      code: 'not_assignee',
      message: `the review is for ${names.join(', ')}`,
    });
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  const expiresMs = Math.ceil(expiresInSeconds * 1000);
  const link = { reviewId: id, hash: hashOf(token), person, expiresMs };
  if (!(await links.makeReviewLink(client, link))) return unknownReview(id);
  return done({
    url: `${publicUrl}/reviews/${token}`,
    expiresAt: new Date(Date.now() + expiresMs).toISOString(),
  });
}

/** Takes back those that are not used yet. */
export async function revokeLinks(
  client: pg.ClientBase,
  _acting: Acting,
  { id }: { readonly id: string },
): Promise<Outcome<{ readonly revoked: number }>> {
  const revoked = await links.revokeReviewLinks(client, id);
  return revoked === null ? unknownReview(id) : done({ revoked });
}

export interface LinkedReview {
  readonly link: ReviewLink;
  readonly review: ReviewDetail;
}

/** What a link shows; nothing is changed by it. */
export async function showByLink(client: pg.ClientBase, token: string): Promise<Outcome<LinkedReview>> {
  const link = await links.readReviewLink(client, hashOf(token));
  const review = link === null ? null : await findReview(client, link.tenantId, link.reviewId);
  return link === null || review === null ? unknownLink() : done({ link, review });
}

/** Decides as the person that the link was made for, and uses it up. */
export async function decideByLink(
  client: pg.ClientBase,
  token: string,
  given: {
    readonly decision: ReviewDecision;
    readonly comment: string | null;
    readonly data: Json | undefined;
    readonly fence: number | null;
  },
): Promise<Outcome<LinkedReview>> {
  const shown = await showByLink(client, token);
  if (!shown.ok) return shown;
  const { link, review } = shown.value;
  const { decision, comment, data, fence } = given;
  const isOpen = review.status === 'open' && link.state === 'open';
  const problems = isOpen ? dataProblems(review, decision, data) : [];
  if (comment !== null && comment.length > MAX_COMMENT)
    problems.push({ pointer: '/comment', code: 'too_long', message: `at most ${MAX_COMMENT} characters` });
  if (problems.length > 0) return invalid(problems);
  const dataJson = data === undefined ? null : JSON.stringify(data);
  const answer = await links.decideByLink(client, hashOf(token), { decision, comment, dataJson, fence });
  if (answer === null) return unknownLink();
  if (answer.outcome === 'link') return refusedWhole('expired', LINK_STATES[answer.state]);
  return refusalOf(review.id, answer) ?? (await showByLink(client, token));
}

export const LINK_STATES: Readonly<Record<Exclude<ReviewLink['state'], 'open'>, string>> = {
  used: 'this link has been used',
  revoked: 'this link was taken back',
  expired: 'this link has expired',
};

const unknownLink = () => notFound('link', 'there is no such link');
