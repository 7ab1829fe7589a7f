// The words of webhooks (CONTRACT 7), and what their settings may be at most, in a definition, a request and a command.
import type { Json, JsonObject } from '../json.ts';

/** How a sender shows a shared secret; a verifier checks a signature instead, or besides. */
export const WEBHOOK_AUTH_TYPES = ['none', 'secret', 'basic', 'bearer'] as const;
export type WebhookAuthType = (typeof WEBHOOK_AUTH_TYPES)[number];

export const WEBHOOK_VERIFIERS = [
  'standard_webhooks',
  'github',
  'stripe',
  'slack',
  'hmac',
  'shopify',
  'zoom',
  'zendesk',
  'twilio',
  'discord',
  'meta',
  'sns',
] as const;
export type WebhookVerifier = (typeof WEBHOOK_VERIFIERS)[number];

/** Deliveries to a paused one are refused. */
export const WEBHOOK_STATUSES = ['active', 'paused'] as const;
export type WebhookStatus = (typeof WEBHOOK_STATUSES)[number];

/** `received`: stored, not decided yet; it stays so only where a process died in between. */
export const WEBHOOK_EVENT_STATUSES = ['received', 'processed', 'filtered', 'failed'] as const;
export type WebhookEventStatus = (typeof WEBHOOK_EVENT_STATUSES)[number];

/** Requests that may be deliveries; one by HEAD is answered, and nothing else. */
export const WEBHOOK_METHODS = ['POST', 'PUT', 'GET', 'HEAD'] as const;
export type WebhookMethod = (typeof WEBHOOK_METHODS)[number];

/** How senders ask whether an address is right, before they deliver there. */
export const HANDSHAKE_TYPES = ['hub_challenge', 'validation_token', 'zoom', 'asana', 'sns'] as const;
export type HandshakeType = (typeof HANDSHAKE_TYPES)[number];
export interface Handshake {
  readonly type: HandshakeType;
  /** Of hub_challenge: what the sender was told to show; `{{ secrets.NAME }}`, or the text, which is stored sealed and apart. */
  readonly verifyToken?: string;
  /** Of sns: the one topic that is confirmed. */
  readonly topicArn?: string;
  /** Of sns: the host that confirmations go to, where it is not Amazon's. */
  readonly host?: string;
}

/** When a sender is answered: at once, or when the execution has ended. */
export const RESPOND_WHEN = ['received', 'completed'] as const;
export interface Respond {
  readonly when: (typeof RESPOND_WHEN)[number];
  /** Of `completed`: after so long the answer is 202. */
  readonly withinSeconds: number;
  /** A status, or a template that gives one. */
  readonly status?: number | string;
  readonly headers?: JsonObject;
  readonly body?: Json;
}
export const RESPOND_SECONDS = { default: 25, max: 60 } as const;
export const MAX_VERIFY_TOKEN_CHARS = 200;
export const MAX_TOPIC_ARN_CHARS = 400;
export const MAX_RESPOND_HEADERS = 20;

/** Of the verifier `hmac`. */
export const HMAC_ALGORITHMS = ['sha256', 'sha512', 'sha1', 'ed25519'] as const;
export const HMAC_ENCODINGS = ['hex', 'base64'] as const;
/** How the key stands in the secret: its characters, or what they decode to. */
export const KEY_ENCODINGS = ['text', 'base64', 'hex'] as const;
export const TIMESTAMP_FORMATS = ['unix', 'unix_ms', 'iso'] as const;
/** What a template of the signed content may name. */
export const SIGNED_PARTS = ['id', 'timestamp', 'body', 'url', 'method'] as const;
export const MAX_TEMPLATE_CHARS = 200;

/** Characters of a path as it is given, the tenant's name before it or not. */
export const MAX_GIVEN_PATH_CHARS = 400;
export const MAX_SECRET_CHARS = 500;
export const MAX_FILTERS = 100;
/** Characters of a filter's `fieldPath` and of its `logicGroup`. */
export const MAX_FIELD_PATH_CHARS = 1_000;
export const MAX_LOGIC_GROUP_CHARS = 100;
/** Characters of the name of a header, and of what stands before a digest. */
export const MAX_HEADER_NAME_CHARS = 100;
export const MAX_PREFIX_CHARS = 50;

const PATH = /^[a-z0-9][a-z0-9_-]*(?:\/[a-z0-9][a-z0-9_-]*)*$/;
export const MAX_PATH_CHARS = 200;

/** Whether a text can be the path of a webhook, without the tenant's name: nothing else is looked up. */
export function isWebhookPath(text: string): boolean {
  return text.length <= MAX_PATH_CHARS && PATH.test(text);
}

/** The NAME of `{{ secrets.NAME }}`; null where the text is the secret itself. */
export function referencedSecret(text: string): string | null {
  return /^\{\{\s*secrets\.([A-Za-z_][A-Za-z0-9_]*)\s*\}\}$/.exec(text)?.[1] ?? null;
}
