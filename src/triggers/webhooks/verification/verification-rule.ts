// What a webhook asks of its senders: how they prove who they are, with which secrets.
import type { X509Certificate } from 'node:crypto';
import type {
  HMAC_ALGORITHMS,
  HMAC_ENCODINGS,
  KEY_ENCODINGS,
  TIMESTAMP_FORMATS,
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
  /** Where the delivery was sent to, with its query, as the sender has it. */
  readonly url?: string;
  /** Of sns: what the message is signed with; null: it cannot be had now. */
  readonly certificate?: X509Certificate | null;
}

/** Names of headers are lower-case. All but `secretHeader`, `topicArn` and `url` are for `hmac`, `deliveryIdHeader` also for no verifier, shopify and twilio. */
export interface VerificationOptions {
  /** Default: the first that is there of the usual ones (SIGNATURE_HEADERS in hmac.ts). */
  readonly signatureHeader?: string;
  /** Default sha256. */
  readonly algorithm?: (typeof HMAC_ALGORITHMS)[number];
  /** Default hex, in lower or upper case; base64 is the padded standard alphabet. */
  readonly encoding?: (typeof HMAC_ENCODINGS)[number];
  /** What stands before the digest. Default: `sha256=` (the algorithm's name), or nothing. */
  readonly prefix?: string;
  /** A time, at most 5 minutes away; what is signed is then `{timestamp}.{body}`, unless `template` says otherwise. Default: none. */
  readonly timestampHeader?: string;
  /** Default unix: seconds. */
  readonly timestampFormat?: (typeof TIMESTAMP_FORMATS)[number];
  /** What is signed, as `{id}.{timestamp}.{body}` (signed-content.ts). Default: `{body}`, or with a timestamp `{timestamp}.{body}`. */
  readonly template?: string;
  /** Default text: the secret's own characters are the key. Of ed25519: hex. */
  readonly keyEncoding?: (typeof KEY_ENCODINGS)[number];
  /** Of twilio, and of `{url}`: the address as the sender has it. Default: the service's public URL and the webhook's path. */
  readonly url?: string;
  /** Default: the first that is there of the usual ones (DELIVERY_ID_HEADERS in delivery-id.ts); of shopify and twilio: none, but what is signed. */
  readonly deliveryIdHeader?: string;
  /** Of sns: the topic whose messages count. */
  readonly topicArn?: string;
  /** For `authType: secret`. Default x-webhook-secret. */
  readonly secretHeader?: string;
}
