// A delivery to try a webhook with: lines for a shell with openssl and curl, signed as the webhook's senders do it.
import type { JsonObject } from '../../core/json.ts';
import type { WebhookView } from '../../resources/webhooks/view.ts';
import { decodeKey, defaultTemplate, SIGNATURE_HEADERS } from '../../triggers/webhooks/verification/hmac.ts';
import { SECRET_HEADER } from '../../triggers/webhooks/verification/shared-secret.ts';
import { readTemplate } from '../../triggers/webhooks/verification/signed-content.ts';
import { decodeStandardSecret } from '../../triggers/webhooks/verification/standard-webhooks.ts';
import type { VerificationOptions } from '../../triggers/webhooks/verification/verification-rule.ts';

const BODY = '{"id":"try-1","hello":"world"}';
const MS = '$(date +%s)000';
const ISO = '$(date -u -d @$T +%Y-%m-%dT%H:%M:%SZ)';
const BODY_HASH = `$(printf %s "$BODY" | openssl dgst -sha256 -hex | sed 's/^.* //')`;
const DELIVERY_ID = '$(openssl rand -hex 16)';

/** A secret as its owner gave it, or the variable of the shell's environment that holds it. */
export type SampleSecret = { readonly text: string } | { readonly variable: string };

export function sampleDelivery(
  webhook: Pick<WebhookView, 'authType' | 'verifier' | 'options'>,
  url: string,
  secret: SampleSecret | null,
  body: JsonObject | null,
): string {
  const { verifier } = webhook;
  if (
    verifier === 'discord' ||
    verifier === 'sns' ||
    (webhook.options as VerificationOptions).algorithm === 'ed25519'
  )
    return '# signed with the key of the sender, so that only the sender can try it';
  const proofs = secret === null ? [] : [...shownSecret(webhook, secret), ...signature(webhook, secret, url)];
  const headers = ['content-type: application/json', ...proofs];
  return [
    `BODY=${quote(body === null ? BODY : JSON.stringify(body))}; T=$(date +%s); ID=${DELIVERY_ID}`,
    `curl -sS ${webhook.verifier === 'twilio' ? `"${url}?bodySHA256=${BODY_HASH}"` : quote(url)} \\`,
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
  url: string,
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
    case 'hmac':
      return hmacHeaders(given, secret, url);
    case 'shopify':
      return [
        'x-shopify-webhook-id: $ID',
        `x-shopify-hmac-sha256: ${digest('$BODY', hexKey(secret), 'sha256', 'base64')}`,
      ];
    case 'meta':
      return [`x-hub-signature-256: sha256=${hex('$BODY')}`];
    case 'zoom':
      return ['x-zm-request-timestamp: $T', `x-zm-signature: v0=${hex('v0:$T:$BODY')}`];
    case 'zendesk':
      return [
        'x-zendesk-webhook-invocation-id: $ID',
        `x-zendesk-webhook-signature-timestamp: ${ISO}`,
        `x-zendesk-webhook-signature: ${digest(`${ISO}$BODY`, hexKey(secret), 'sha256', 'base64')}`,
      ];
    case 'twilio':
      return [
        'i-twilio-idempotency-token: $ID',
        `x-twilio-signature: ${digest(`${given.url ?? url}?bodySHA256=${BODY_HASH}`, hexKey(secret), 'sha1', 'base64')}`,
      ];
    case 'discord':
    case 'sns':
      return [];
  }
}

function hmacHeaders(given: VerificationOptions, secret: SampleSecret, url: string): string[] {
  const {
    algorithm = 'sha256',
    encoding = 'hex',
    timestampHeader,
    timestampFormat = 'unix',
    keyEncoding,
  } = given;
  // The sender's own key is nobody else's.
  if (algorithm === 'ed25519') return [];
  const time = { unix: '$T', unix_ms: MS, iso: ISO }[timestampFormat];
  const values = { id: '$ID', timestamp: time, body: '$BODY', url: given.url ?? url, method: 'POST' };
  const template = readTemplate(given.template ?? defaultTemplate(given)) ?? [];
  const content = template
    .map((piece) => (typeof piece === 'string' ? quoted(piece) : values[piece.part]))
    .join('');
  const { prefix = `${algorithm}=`, signatureHeader = SIGNATURE_HEADERS[0] } = given;
  return [
    ...(timestampHeader === undefined ? [] : [`${timestampHeader}: ${time}`]),
    `${given.deliveryIdHeader ?? 'x-delivery-id'}: $ID`,
    `${signatureHeader}: ${prefix}${digest(content, keyOf(secret, keyEncoding), algorithm, encoding)}`,
  ];
}

function keyOf(secret: SampleSecret, encoding: VerificationOptions['keyEncoding'] = 'text'): string {
  if (encoding === 'text') return hexKey(secret);
  if ('text' in secret) return decodeKey(secret.text, encoding)?.toString('hex') ?? '';
  if (encoding === 'hex') return `$${secret.variable}`;
  return `$(printf %s "$${secret.variable}" | openssl enc -base64 -d -A | od -An -v -tx1 | tr -d ' \\n')`;
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
  return 'text' in secret ? quoted(secret.text) : `$${secret.variable}`;
}

function quoted(text: string): string {
  return text.replaceAll(/[\\"$`]/g, '\\$&');
}

const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
