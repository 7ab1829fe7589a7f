// What a webhook asks of its senders: how they prove who they are, with which secrets.
import type {
  HMAC_ALGORITHMS,
  HMAC_ENCODINGS,
  WebhookAuthType,
  WebhookVerifier,
} from '../../../core/trigger/webhook.ts';

/** How a sender is recognised. Where both `authType` and `verifier` are set, both must pass. */
export interface VerificationRule {
  /** `secret`: the secret itself in X-Webhook-Secret; `basic`: it is `user:password`; `bearer`: Authorization. */
  readonly authType: WebhookAuthType;
  readonly verifier: WebhookVerifier | null;
  /** During a rotation several: any of them may match. An unusable one (empty, malformed) never matches. */
  readonly secrets: readonly string[];
  readonly options: VerificationOptions;
}

/** Names of headers are lower-case. All but `secretHeader` are for `hmac`, `deliveryIdHeader` also for no verifier. */
export interface VerificationOptions {
  /** Default: the first that is there of the usual ones (SIGNATURE_HEADERS in hmac.ts). */
  readonly signatureHeader?: string;
  /** Default sha256. */
  readonly algorithm?: (typeof HMAC_ALGORITHMS)[number];
  /** Default hex, in lower or upper case; base64 is the padded standard alphabet. */
  readonly encoding?: (typeof HMAC_ENCODINGS)[number];
  /** What stands before the digest. Default: `sha256=` (the algorithm's name), or nothing. */
  readonly prefix?: string;
  /** Unix seconds, at most 5 minutes away; what is signed is then `<timestamp>.<body>` instead of the body. Default: none. */
  readonly timestampHeader?: string;
  /** Default: the first that is there of the usual ones (DELIVERY_ID_HEADERS in delivery-id.ts). */
  readonly deliveryIdHeader?: string;
  /** For `authType: secret`. Default x-webhook-secret. */
  readonly secretHeader?: string;
}
