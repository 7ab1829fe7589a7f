// The secrets of a webhook as they stand in its row: those that it may be signed with, newest first, and its verify token.

/** A secret as it is kept; `expiresAt` (ISO) is set when a newer one took its place. */
export interface StoredSecret {
  readonly sealed: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
}

/**
 * The verify token stands among the secrets, which no answer and no audit trail shows. As it has expired, a release that does not know
 * its use takes it for no secret that a delivery may be signed with.
 */
const OF_TOKEN = { use: 'verify_token', expiresAt: new Date(0).toISOString() } as const;
export const SECRETS = `jsonb_path_query_array(w.secrets, '$[*] ? (!exists(@.use))')`;
export const VERIFY_TOKEN = `jsonb_path_query_first(w.secrets, '$[*] ? (@.use == "${OF_TOKEN.use}")') ->> 'sealed'`;

/** What is written into the column. */
export function secretsJson({
  secrets,
  verifyToken,
}: {
  readonly secrets: readonly StoredSecret[];
  readonly verifyToken: string | null;
}): string {
  const token =
    verifyToken === null ? [] : [{ ...OF_TOKEN, sealed: verifyToken, createdAt: new Date().toISOString() }];
  return JSON.stringify([...secrets, ...token]);
}
