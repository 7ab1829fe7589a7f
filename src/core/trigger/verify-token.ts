// The verify token of a webhook's handshake `hub_challenge`. Where it is written out, and no `{{ secrets.NAME }}`, it is a secret: it
// is sealed with those of the webhook, and stands in no handshake that is stored or shown.
import { isJsonObject, type Json } from '../json.ts';
import { referencedSecret } from './webhook.ts';

interface WithToken {
  readonly verifyToken?: unknown;
}

/** The token that is written out; null: there is none, or it names a secret of the service. */
export function writtenToken(handshakes: readonly object[] | null): string | null {
  const holder = handshakes?.find((one) => isWritten((one as WithToken).verifyToken));
  return holder === undefined ? null : ((holder as WithToken).verifyToken as string);
}

/** The handshakes as they may be stored and shown. */
export function withoutToken<One extends object>(handshakes: readonly One[]): readonly One[] {
  return handshakes.map((one) => {
    if (!isWritten((one as WithToken).verifyToken)) return one;
    const { verifyToken: _, ...rest } = one as One & WithToken;
    return rest as One;
  });
}

/** The same within a row of the audit trail from before tokens were sealed: named, and not shown. */
export function hideToken(handshakes: Json): Json {
  if (!Array.isArray(handshakes)) return handshakes;
  return (handshakes as readonly Json[]).map((one) =>
    isJsonObject(one) && isWritten(one.verifyToken) ? { ...one, verifyToken: '[hidden]' } : one,
  );
}

function isWritten(token: unknown): boolean {
  return typeof token === 'string' && referencedSecret(token) === null;
}
