// What a webhook allows and is probably not meant: said where a definition is validated, and where a webhook is made or shown.
import type { Problem } from '../errors.ts';
import { isJsonObject, type Json } from '../json.ts';
import type { WebhookAuthType, WebhookVerifier } from './webhook.ts';

/** By its settings as they hold. Pointers are below the webhook. */
export function webhookWarnings({
  authType,
  verifier,
  options,
}: {
  readonly authType: WebhookAuthType;
  readonly verifier: WebhookVerifier | null;
  readonly options: Json;
}): Problem[] {
  const warnings: Problem[] = [];
  // SNS has no secret: the other is one of its own, which it can show.
  if (verifier !== null && verifier !== 'sns' && authType !== 'none')
    warnings.push({
      pointer: '/authType',
      code: 'two_proofs',
      message: `a delivery must prove itself twice: by the signature of ${verifier}, and by authType ${authType} with the same secret`,
      hint: 'senders that sign do not show their secret: leave authType out',
    });
  const given = isJsonObject(options) ? options : {};
  if (verifier === 'hmac' && given.deliveryIdHeader === undefined && given.timestampHeader === undefined)
    warnings.push({
      pointer: '/options',
      code: 'no_delivery_id',
      message:
        'nothing tells a repeated delivery from a new one, unless its sender has one of the usual headers',
      hint: 'name the header that has the id of a delivery: deliveryIdHeader (X-Delivery-Id, Idempotency-Key and others are found without)',
    });
  return warnings;
}
