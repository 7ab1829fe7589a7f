// Slack: `X-Slack-Signature: v0=<hex of HMAC-SHA256(v0:timestamp:body)>` (docs.slack.dev, verifying requests).
import { isJsonObject, type Json } from '../../../core/json.ts';
import { type Delivery, refuse, requireHeader, type Verified } from './delivery.ts';
import { bodyDeliveryId, hashedId } from './delivery-id.ts';
import { checkTimestamp, hmacText, matchesAny } from './signature.ts';
import type { VerificationRule } from './verification-rule.ts';

/** The delivery's id is the body's `event_id`; commands and interactions have none: the hash of time and body. */
export function verifySlack(delivery: Delivery, rule: VerificationRule, nowMs: number): Verified {
  const timestamp = requireHeader(delivery, 'x-slack-request-timestamp');
  if (!timestamp.ok) return timestamp;
  const signature = requireHeader(delivery, 'x-slack-signature');
  if (!signature.ok) return signature;
  const stale = checkTimestamp(timestamp.value, nowMs);
  if (stale !== null) return stale;
  const isSigned = matchesAny(
    [signature.value],
    rule.secrets,
    (secret) => `v0=${hmacText('sha256', 'hex', secret, `v0:${timestamp.value}:`, delivery.rawBody)}`,
  );
  if (!isSigned) return refuse('the signature does not match');
  const id =
    bodyDeliveryId(delivery.rawBody, 'event_id') ??
    hashedId(timestamp.value, delivery.rawBody.toString('base64'));
  return { ok: true, deliveryId: id };
}

/** What Slack wants back, as `{ challenge }`, when an endpoint's address is entered; null for every other body. */
export function slackChallenge(body: Json): string | null {
  if (!isJsonObject(body) || body.type !== 'url_verification') return null;
  return typeof body.challenge === 'string' ? body.challenge : null;
}
