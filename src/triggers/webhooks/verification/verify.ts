// The one door of verification: is this delivery from whom the webhook trusts, and which delivery is it?
//   V1  Fails closed: what is missing, doubled, malformed, stale, unknown or without a usable secret is refused.
//   V2  Only raw bytes are compared and only in constant time; nothing is parsed before its signature matched, but for SNS, which signs
//       the fields of its body.
//   V3  Never throws. The reason of a refusal is for the operator: a sender learns nothing but 401.
import type { WebhookVerifier } from '../../../core/trigger/webhook.ts';
import { type Delivery, refuse, type Verified } from './delivery.ts';
import { usualDeliveryId } from './delivery-id.ts';
import { verifyDiscord } from './discord.ts';
import { verifyGithub } from './github.ts';
import { verifyHmac } from './hmac.ts';
import { verifyMeta } from './meta.ts';
import { checkSharedSecret } from './shared-secret.ts';
import { verifyShopify } from './shopify.ts';
import { verifySlack } from './slack.ts';
import { verifySns } from './sns.ts';
import { verifyStandardWebhooks } from './standard-webhooks.ts';
import { verifyStripe } from './stripe.ts';
import { verifyTwilio } from './twilio.ts';
import type { VerificationRule } from './verification-rule.ts';
import { verifyZendesk } from './zendesk.ts';
import { verifyZoom } from './zoom.ts';

const SCHEMES: Readonly<
  Record<WebhookVerifier, (delivery: Delivery, rule: VerificationRule, nowMs: number) => Verified>
> = {
  standard_webhooks: verifyStandardWebhooks,
  github: verifyGithub,
  stripe: verifyStripe,
  slack: verifySlack,
  hmac: verifyHmac,
  shopify: verifyShopify,
  zoom: verifyZoom,
  zendesk: verifyZendesk,
  twilio: verifyTwilio,
  discord: verifyDiscord,
  meta: verifyMeta,
  sns: verifySns,
};

/**
 * Judges a delivery by the rule of its webhook. `nowMs` is the receiver's clock in milliseconds since the epoch.
 * `deliveryId` is the sender's own name of the delivery (at most 200 characters, storable), null where it has none.
 */
export function verifyDelivery(delivery: Delivery, rule: VerificationRule, nowMs: number): Verified {
  const refusal = checkSharedSecret(delivery, rule);
  if (refusal !== null) return refuse(refusal);
  if (rule.verifier === null) return usualDeliveryId(delivery, rule.options.deliveryIdHeader);
  if (!Object.hasOwn(SCHEMES, rule.verifier)) return refuse(`unknown verifier`);
  return SCHEMES[rule.verifier](delivery, rule, nowMs);
}
