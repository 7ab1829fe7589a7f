// Shopify: `X-Shopify-Hmac-Sha256: <base64 of HMAC-SHA256(body)>` by the app's client secret (shopify.dev, "Deliver webhooks through
// HTTPS").
import { type Delivery, readHeader, refuse, requireHeader, type Verified } from './delivery.ts';
import { signedDeliveryId } from './delivery-id.ts';
import { hmacText, matchesAny } from './signature.ts';
import type { VerificationRule } from './verification-rule.ts';

/**
 * The delivery's id is the hash of its body, which is all that is signed, and has the time of its change: a repetition is the same,
 * whatever its `X-Shopify-Webhook-Id`. With the topic, since orders/create and orders/paid may bring the same order.
 */
export function verifyShopify(delivery: Delivery, rule: VerificationRule): Verified {
  const signature = requireHeader(delivery, 'x-shopify-hmac-sha256');
  if (!signature.ok) return signature;
  const isSigned = matchesAny([signature.value], rule.secrets, (secret) =>
    hmacText('sha256', 'base64', secret, delivery.rawBody),
  );
  if (!isSigned) return refuse('the signature does not match');
  const topic = readHeader(delivery, 'x-shopify-topic');
  if (topic.kind === 'doubled') return refuse('the header x-shopify-topic is given more than once');
  const signed = [topic.kind === 'value' ? topic.value : '', delivery.rawBody.toString('base64')];
  return signedDeliveryId(delivery, rule.options.deliveryIdHeader, signed);
}
