// A delivery to try a webhook with: lines for a shell with openssl and curl, signed as the webhook's senders do it.
import type { WebhookView } from '../../resources/webhooks/view.ts';
import { SIGNATURE_HEADERS } from '../../triggers/webhooks/verification/hmac.ts';
import { SECRET_HEADER } from '../../triggers/webhooks/verification/shared-secret.ts';
import { decodeStandardSecret } from '../../triggers/webhooks/verification/standard-webhooks.ts';
import type { VerificationOptions } from '../../triggers/webhooks/verification/verification-rule.ts';

const BODY = '{"id":"try-1","hello":"world"}';
const DELIVERY_ID = '$(openssl rand -hex 16)';

/** A secret as its owner gave it, or the variable of the shell's environment that holds it. */
export type SampleSecret = { readonly text: string } | { readonly variable: string };

export function sampleDelivery(
  webhook: Pick<WebhookView, 'authType' | 'verifier' | 'options'>,
  url: string,
  secret: SampleSecret | null,
): string {
  const proofs = secret === null ? [] : [...shownSecret(webhook, secret), ...signature(webhook, secret)];
  const headers = ['content-type: application/json', ...proofs];
  return [
    `BODY=${quote(BODY)}; T=$(date +%s); ID=${DELIVERY_ID}`,
    `curl -sS ${quote(url)} \\`,
    ...headers.map((header) => `  -H "${header}" \\`),
    '  -d "$BODY"',
  ].join('\n');
}

function shownSecret(
  { authType, options }: Pick<WebhookView, 'authType' | 'options'>,
  secret: SampleSecret,
): string[] {
  const { secretHeader = SECRET_HEADER } = options as VerificationOptions;
  const text = inShell(secret);
  switch (authType) {
    case 'none':
      return [];
    case 'secret':
      return [`${secretHeader}: ${text}`];
    case 'bearer':
      return [`authorization: Bearer ${text}`];
    case 'basic':
      return [`authorization: Basic $(printf %s "${text}" | openssl enc -base64 -A)`];
  }
}

function signature(
  { verifier, options }: Pick<WebhookView, 'verifier' | 'options'>,
  secret: SampleSecret,
): string[] {
  const given = options as VerificationOptions;
  const hex = (content: string) => digest(content, hexKey(secret), 'sha256', 'hex');
  switch (verifier) {
    case null:
      return [`${given.deliveryIdHeader ?? 'x-delivery-id'}: $ID`];
    case 'github':
      return [
        'x-github-event: ping',
        'x-github-delivery: $ID',
        `x-hub-signature-256: sha256=${hex('$BODY')}`,
      ];
    case 'stripe':
      return [`stripe-signature: t=$T,v1=${hex('$T.$BODY')}`];
    case 'slack':
      return ['x-slack-request-timestamp: $T', `x-slack-signature: v0=${hex('v0:$T:$BODY')}`];
    case 'standard_webhooks': {
      const key = standardKey(secret);
      const signed = digest('$ID.$T.$BODY', key, 'sha256', 'base64');
      return ['webhook-id: $ID', 'webhook-timestamp: $T', `webhook-signature: v1,${signed}`];
    }
    case 'hmac': {
      const { algorithm = 'sha256', encoding = 'hex', timestampHeader } = given;
      const content = timestampHeader === undefined ? '$BODY' : '$T.$BODY';
      const { prefix = `${algorithm}=`, signatureHeader = SIGNATURE_HEADERS[0] } = given;
      return [
        ...(timestampHeader === undefined ? [] : [`${timestampHeader}: $T`]),
        `${given.deliveryIdHeader ?? 'x-delivery-id'}: $ID`,
        `${signatureHeader}: ${prefix}${digest(content, hexKey(secret), algorithm, encoding)}`,
      ];
    }
  }
}

function digest(content: string, key: string, algorithm: string, encoding: 'hex' | 'base64'): string {
  const output = encoding === 'hex' ? "-hex | sed 's/^.* //'" : '-binary | openssl enc -base64 -A';
  return `$(printf %s "${content}" | openssl dgst -${algorithm} -mac HMAC -macopt hexkey:${key} ${output})`;
}

// As hexadecimal digits, which no shell takes for anything else.
function hexKey(secret: SampleSecret): string {
  if ('text' in secret) return Buffer.from(secret.text).toString('hex');
  return `$(printf %s "$${secret.variable}" | od -An -v -tx1 | tr -d ' \\n')`;
}

function standardKey(secret: SampleSecret): string {
  if ('text' in secret) return decodeStandardSecret(secret.text)?.toString('hex') ?? '';
  return `$(printf %s "\${${secret.variable}#whsec_}" | openssl enc -base64 -d -A | od -An -v -tx1 | tr -d ' \\n')`;
}

/** Within double quotes. */
function inShell(secret: SampleSecret): string {
  return 'text' in secret ? secret.text.replaceAll(/[\\"$`]/g, '\\$&') : `$${secret.variable}`;
}

const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
