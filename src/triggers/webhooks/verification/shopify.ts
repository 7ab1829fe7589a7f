// Shopify: `X-Shopify-Hmac-Sha256: <base64 of HMAC-SHA256(body)>` by the app's client secret; `X-Shopify-Webhook-Id` is the same for
// each repetition (shopify.dev, "Deliver webhooks through HTTPS").
import { type Delivery, refuse, requireHeader, type Verified } from './delivery.ts';
import { headerDeliveryId } from './delivery-id.ts';
import { hmacText, matchesAny } from './signature.ts';
import type { VerificationRule } from './verification-rule.ts';

export function verifyShopify(delivery: Delivery, rule: VerificationRule): Verified {
  const signature = requireHeader(delivery, 'x-shopify-hmac-sha256');
  if (!signature.ok) return signature;
  const isSigned = matchesAny([signature.value], rule.secrets, (secret) =>
    hmacText('sha256', 'base64', secret, delivery.rawBody),
  );
  return isSigned
    ? headerDeliveryId(delivery, 'x-shopify-webhook-id')
    : refuse('the signature does not match');
}
