// GitHub: `X-Hub-Signature-256: sha256=<hex of HMAC-SHA256(body)>`. It signs no time, so the delivery's id is all that
// makes a repetition known (docs.github.com, validating webhook deliveries).
import { type Delivery, refuse, requireHeader, type Verified } from './delivery.ts';
import { headerDeliveryId } from './delivery-id.ts';
import { hmacText, matchesAny } from './signature.ts';
import type { VerificationRule } from './verification-rule.ts';

export function verifyGithub(delivery: Delivery, rule: VerificationRule): Verified {
  const signature = requireHeader(delivery, 'x-hub-signature-256');
  if (!signature.ok) return signature;
  const isSigned = matchesAny(
    [signature.value],
    rule.secrets,
    (secret) => `sha256=${hmacText('sha256', 'hex', secret, delivery.rawBody)}`,
  );
  return isSigned ? headerDeliveryId(delivery, 'x-github-delivery') : refuse('the signature does not match');
}
