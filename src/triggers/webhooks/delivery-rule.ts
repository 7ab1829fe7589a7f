// By which rule a delivery is judged: what the webhook at its path asks for, opened and fetched; and where there is none, a rule like
// it, so that both take about the same work (R1 of receive.ts).
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { TaskLog } from '../../core/log-lines.ts';
import type { WebhookVerifier } from '../../core/trigger/webhook.ts';
import type { WebhookRow } from '../../db/resources/webhooks.ts';
import type { SenderCertificates } from './certificates.ts';
import { openSecrets, type SecretSource } from './stored-secrets.ts';
import type { Delivery } from './verification/delivery.ts';
import { checkSharedSecret } from './verification/shared-secret.ts';
import { certificateUrl } from './verification/sns.ts';
import type { VerificationOptions, VerificationRule } from './verification/verification-rule.ts';

export interface RuleContext extends SecretSource {
  readonly log: TaskLog;
  /** Where senders reach the service, without a slash at the end. */
  readonly publicUrl: string;
  /** Absent: nothing is fetched from here. */
  readonly certificates?: Pick<SenderCertificates, 'read'> | undefined;
}

/** Nobody has it. */
const NO_SECRETS: readonly string[] = [randomBytes(32).toString('base64')];
/** Nobody has its other half. */
const NO_KEYS: readonly string[] = [
  generateKeyPairSync('ed25519')
    .publicKey.export({ format: 'der', type: 'spki' })
    .subarray(-32)
    .toString('hex'),
];
/** Which scheme a delivery seems to be of, so that judging it for no webhook costs what it costs for one. */
const SIGNS: readonly (readonly [header: string, verifier: WebhookVerifier])[] = [
  ['webhook-signature', 'standard_webhooks'],
  ['x-hub-signature-256', 'github'],
  ['stripe-signature', 'stripe'],
  ['x-slack-signature', 'slack'],
  ['svix-signature', 'standard_webhooks'],
  ['x-shopify-hmac-sha256', 'shopify'],
  ['x-zm-signature', 'zoom'],
  ['x-zendesk-webhook-signature', 'zendesk'],
  ['x-twilio-signature', 'twilio'],
  ['x-signature-ed25519', 'discord'],
  ['x-amz-sns-message-type', 'sns'],
];

/** That of the webhook with its secrets, and of a message the certificate; for no webhook one that nobody can satisfy. */
export async function ruleFor(
  context: RuleContext,
  webhook: WebhookRow | null,
  delivery: Delivery,
  nowMs: number,
): Promise<VerificationRule> {
  if (webhook !== null) {
    const { authType, verifier, options } = webhook;
    const secrets = await openSecrets(webhook, context, nowMs, context.log);
    const rule = { authType, verifier, options, secrets, url: urlOf(context, delivery, options) };
    return verifier === 'sns' ? await withCertificate(context, rule, delivery) : rule;
  }
  const verifier = SIGNS.find(([header]) => Object.hasOwn(delivery.headers, header))?.[1] ?? 'hmac';
  const secrets = verifier === 'discord' ? NO_KEYS : NO_SECRETS;
  return { authType: 'none', verifier, secrets, options: {}, url: urlOf(context, delivery, {}) };
}

// Nothing is fetched for who does not show the secret, where one is asked for besides.
async function withCertificate(
  { certificates }: RuleContext,
  rule: VerificationRule,
  delivery: Delivery,
): Promise<VerificationRule> {
  if (checkSharedSecret(delivery, rule) !== null) return rule;
  const url = certificateUrl(delivery, rule.options);
  return url === null ? rule : { ...rule, certificate: (await certificates?.read(url)) ?? null };
}

/** Where the sender has sent it: not where it came in, which may be behind a proxy. */
function urlOf({ publicUrl }: RuleContext, { target }: Delivery, { url }: VerificationOptions): string {
  if (url === undefined) return publicUrl + target;
  const cut = target.indexOf('?');
  return cut === -1 ? url : url + target.slice(cut);
}
