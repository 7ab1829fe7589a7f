// Links for people without a key, as functions/resources/review-links.sql keeps them.
import type pg from 'pg';
import type { ReviewDecision } from '../../core/review.ts';
import type { Queryable } from '../connection/connection.ts';
import type { ReviewAnswer } from './reviews.ts';

export interface ReviewLink {
  readonly tenantId: string;
  readonly reviewId: string;
  /** As assignees are written; null: nobody in particular. */
  readonly person: string | null;
  readonly state: 'open' | 'used' | 'revoked' | 'expired';
}

/** False: the tenant has no such open review. */
export async function makeReviewLink(
  client: Queryable | pg.ClientBase,
  link: {
    readonly reviewId: string;
    readonly hash: Buffer;
    readonly person: string | null;
    readonly expiresMs: number;
  },
): Promise<boolean> {
  const { rows } = await client.query('select dagwright.make_review_link_v1($1, $2, $3, $4) as made', [
    link.reviewId,
    link.hash,
    link.person,
    link.expiresMs,
  ]);
  return rows[0].made === true;
}

/** How many links were taken back; null: there is no such review. */
export async function revokeReviewLinks(client: pg.ClientBase, reviewId: string): Promise<number | null> {
  const { rows } = await client.query<{ n: number | null }>(
    'select dagwright.revoke_review_links_v1($1) as n',
    [reviewId],
  );
  return rows[0]!.n;
}

/** In the engine's role: whoever has the token, whatever the tenant. */
export async function readReviewLink(
  db: Queryable | pg.ClientBase,
  hash: Buffer,
): Promise<ReviewLink | null> {
  const { rows } = await db.query('select dagwright.read_review_link_v1($1) as link', [hash]);
  return rows[0].link as ReviewLink | null;
}

export type LinkAnswer =
  | ReviewAnswer
  | { readonly outcome: 'link'; readonly state: Exclude<ReviewLink['state'], 'open'> };

/** In a transaction of the engine's role, as {@link readReviewLink}. */
export async function decideByLink(
  client: pg.ClientBase,
  hash: Buffer,
  given: {
    readonly decision: ReviewDecision;
    readonly comment: string | null;
    readonly dataJson: string | null;
    readonly fence: number | null;
  },
): Promise<LinkAnswer | null> {
  const { rows } = await client.query<{ answer: LinkAnswer | null }>(
    'select dagwright.decide_by_link_v1($1, $2, $3, $4, $5) as answer',
    [hash, given.decision, given.comment, given.dataJson, given.fence],
  );
  return rows[0]!.answer;
}
