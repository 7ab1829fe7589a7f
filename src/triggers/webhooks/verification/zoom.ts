// Zoom: `x-zm-signature: v0=<hex of HMAC-SHA256(v0:timestamp:body)>` by the app's secret token; an endpoint proves itself by the
// same token (developers.zoom.us, "Using webhooks").
import { isJsonObject, type Json } from '../../../core/json.ts';
import { type Delivery, refuse, requireHeader, type Verified } from './delivery.ts';
import { hashedId } from './delivery-id.ts';
import { checkTimestamp, hmacText, matchesAny } from './signature.ts';
import type { VerificationRule } from './verification-rule.ts';

/** The delivery's id is the hash of its body, which has its `event_ts`: a repetition is the same, if signed at another time. */
export function verifyZoom(delivery: Delivery, rule: VerificationRule, nowMs: number): Verified {
  const timestamp = requireHeader(delivery, 'x-zm-request-timestamp');
  if (!timestamp.ok) return timestamp;
  const signature = requireHeader(delivery, 'x-zm-signature');
  if (!signature.ok) return signature;
  const stale = checkTimestamp(timestamp.value, nowMs);
  if (stale !== null) return stale;
  const isSigned = matchesAny(
    [signature.value],
    rule.secrets,
    (secret) => `v0=${hmacText('sha256', 'hex', secret, `v0:${timestamp.value}:`, delivery.rawBody)}`,
  );
  if (!isSigned) return refuse('the signature does not match');
  return { ok: true, deliveryId: hashedId(delivery.rawBody.toString('base64')) };
}

/**
 * What Zoom wants back when an endpoint is entered; null for every other body. Only for what was verified: this signs a text of
 * whoever asks, and `v0:…` would be one. During a rotation by the token that signed the question: that is the one Zoom has now.
 */
export function zoomChallenge(
  body: Json,
  {
    delivery,
    rule,
    nowMs,
  }: { readonly delivery: Delivery; readonly rule: VerificationRule; readonly nowMs: number },
): { readonly plainToken: string; readonly encryptedToken: string } | null {
  if (!isJsonObject(body) || body.event !== 'endpoint.url_validation') return null;
  const secret = rule.secrets.find((one) => verifyZoom(delivery, { ...rule, secrets: [one] }, nowMs).ok);
  if (secret === undefined) return null;
  const { payload = null } = body;
  if (!isJsonObject(payload) || typeof payload.plainToken !== 'string') return null;
  const { plainToken } = payload;
  return { plainToken, encryptedToken: hmacText('sha256', 'hex', secret, plainToken) };
}
