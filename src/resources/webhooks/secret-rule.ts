// Which secrets a webhook may have, and new ones.
import { randomBytes } from 'node:crypto';
import type { Problem } from '../../core/errors.ts';
import { MAX_SECRET_CHARS, type WebhookAuthType, type WebhookVerifier } from '../../core/trigger/webhook.ts';
import { readPublicKey } from '../../triggers/webhooks/verification/ed25519.ts';
import { decodeKey } from '../../triggers/webhooks/verification/hmac.ts';
import {
  decodeStandardSecret,
  STANDARD_SECRET_PREFIX,
} from '../../triggers/webhooks/verification/standard-webhooks.ts';
import type { VerificationOptions } from '../../triggers/webhooks/verification/verification-rule.ts';

/** Shorter ones can be guessed from one signed delivery, and are not hidden in logs. */
const MIN_SECRET_CHARS = 8;

/** What is wrong with a secret for its use; empty where nothing is. Messages never hold the secret. Pointer `/secret`. */
export function checkSecret(
  verifier: WebhookVerifier | null,
  authType: WebhookAuthType,
  secret: string,
  options: VerificationOptions = {},
): Problem[] {
  const problems: Problem[] = [];
  const report = (message: string): void => {
    problems.push({ pointer: '/secret', code: 'validation', message });
  };
  if (verifier === null && authType === 'none') return problems;
  const { length } = secret;
  if (length < MIN_SECRET_CHARS || length > MAX_SECRET_CHARS)
    report(`a secret has ${MIN_SECRET_CHARS} to ${MAX_SECRET_CHARS} characters, got ${length}`);
  else if (!isSendable(secret, authType)) report(SENDABLE[authType]);
  if (verifier === 'standard_webhooks' && decodeStandardSecret(secret) === null)
    report(
      `a secret of Standard Webhooks is ${STANDARD_SECRET_PREFIX} and the base64 of 24 to 64 bytes` +
        (authType === 'basic' ? ', so it cannot be a user:password too' : ''),
    );
  if (isPublicKey(verifier, options)) {
    if (readPublicKey(secret, options.keyEncoding === 'base64' ? 'base64' : 'hex') === null)
      report(
        `the secret is the sender's public key of Ed25519: 32 bytes in ${options.keyEncoding === 'base64' ? 'base64' : 'hex'}`,
      );
  } else if (verifier === 'hmac' && decodeKey(secret, options.keyEncoding) === null)
    report(`the secret is not ${options.keyEncoding}, as options.keyEncoding says`);
  return problems;
}

/** Whether the secret is the public half of a key that only the sender has: none can be made up here. */
export function isPublicKey(verifier: WebhookVerifier | null, { algorithm }: VerificationOptions): boolean {
  return verifier === 'discord' || (verifier === 'hmac' && algorithm === 'ed25519');
}

const SENDABLE: Readonly<Record<WebhookAuthType, string>> = {
  none: 'a secret is text without spaces at its ends and without control characters',
  secret: 'a secret that is sent in a header is visible ASCII characters without spaces',
  bearer: 'a secret that is sent in a header is visible ASCII characters without spaces',
  basic: 'a secret for basic is user:password without control characters',
};

function isSendable(secret: string, authType: WebhookAuthType): boolean {
  if (authType === 'secret' || authType === 'bearer') return /^[\x21-\x7e]+$/.test(secret);
  // A key that was pasted with a line feed signs nothing that its sender sends.
  if (!secret.isWellFormed() || /\p{Cc}/u.test(secret) || secret.trim() !== secret) return false;
  return authType !== 'basic' || /^[^:]+:./u.test(secret);
}

/**
 * A new secret of 256 random bits: `whsec_…` for Standard Webhooks, as `keyEncoding` says for `hmac`, else URL-safe text (with
 * `basic`, of user `webhook`).
 */
export function newSecret(
  verifier: WebhookVerifier | null,
  authType: WebhookAuthType = 'none',
  { keyEncoding = 'text' }: VerificationOptions = {},
): string {
  const bytes = randomBytes(32);
  if (verifier === 'hmac' && authType === 'none' && keyEncoding !== 'text')
    return bytes.toString(keyEncoding);
  if (verifier === 'standard_webhooks') return `${STANDARD_SECRET_PREFIX}${bytes.toString('base64')}`;
  const text = bytes.toString('base64url');
  return authType === 'basic' ? `webhook:${text}` : text;
}
