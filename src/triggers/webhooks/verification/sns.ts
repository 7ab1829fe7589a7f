// Amazon SNS: the fields of the body's JSON are signed by an RSA key, whose certificate the message names
// (docs.aws.amazon.com/sns, "Verifying the signatures of Amazon SNS messages").
//   A1  Anybody can have a topic, and Amazon signs what it sends: a message counts only where it is of the topic that the owner names.
//   A2  The body is read before it is verified, bounded as every JSON that comes in; what is signed are its fields.
//   A3  A certificate is asked for only where the topic is right, and only at the address at which Amazon keeps them. Others of its
//       hosts and paths give back what a caller sends, or are a bucket of anybody's.
import { verify, type X509Certificate } from 'node:crypto';
import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts';
import { readBody } from '../body/body.ts';
import { type Delivery, refuse, type Verified } from './delivery.ts';
import { boundedId } from './delivery-id.ts';
import type { VerificationOptions, VerificationRule } from './verification-rule.ts';

const HOST = /^sns\.[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}\.amazonaws\.com(?:\.cn)?$/;
const CERTIFICATE_PATH = /^\/SimpleNotificationService-[0-9A-Za-z]{1,64}\.pem$/;
/** By SignatureVersion. */
const ALGORITHMS: Readonly<Record<string, string>> = { 1: 'RSA-SHA1', 2: 'RSA-SHA256' };
const CONFIRMATION = ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];
/** By Type: what is signed, in this order; `Subject` where there is one. */
const SIGNED_FIELDS: Readonly<Record<string, readonly string[]>> = {
  Notification: ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'],
  SubscriptionConfirmation: CONFIRMATION,
  UnsubscribeConfirmation: CONFIRMATION,
};

/** Whether a host is Amazon's for SNS, of whatever region. */
export function isTopicHost(host: string): boolean {
  return HOST.test(host);
}

/** Where the certificate of a delivery is to be had; null: it cannot be verified, whatever stood there. */
export function certificateUrl(delivery: Delivery, options: VerificationOptions): URL | null {
  const message = readMessage(delivery, options);
  if (!message.ok) return null;
  const { SigningCertURL: given } = message.value;
  const url = typeof given === 'string' ? URL.parse(given) : null;
  if (url?.protocol !== 'https:' || !isTopicHost(url.host) || !CERTIFICATE_PATH.test(url.pathname))
    return null;
  const isPlain = url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  return isPlain ? url : null;
}

/** The delivery's id is the message's, which is signed. */
export function verifySns(delivery: Delivery, rule: VerificationRule, nowMs: number): Verified {
  const message = readMessage(delivery, rule.options);
  if (!message.ok) return message;
  const { certificate = null } = rule;
  if (certificate === null) return refuse('the certificate of its signature cannot be had');
  const { validFromDate, validToDate, publicKey } = certificate;
  if (nowMs < validFromDate.getTime() || nowMs > validToDate.getTime())
    return refuse('the certificate of its signature is not valid now');
  if (publicKey.asymmetricKeyType !== 'rsa') return refuse('the certificate has no RSA key');
  const { Signature: signature, SignatureVersion: version, MessageId: id } = message.value;
  const algorithm =
    typeof version === 'string' && Object.hasOwn(ALGORITHMS, version) ? ALGORITHMS[version] : null;
  if (algorithm == null) return refuse('its SignatureVersion is none that is known');
  const content = signedContent(message.value);
  const bytes = typeof signature === 'string' ? Buffer.from(signature, 'base64') : null;
  // One spelling: a decoder passes over what it does not know.
  if (
    content === null ||
    bytes === null ||
    typeof id !== 'string' ||
    id === '' ||
    bytes.toString('base64') !== signature
  )
    return refuse('the message lacks what is signed, or its signature');
  return isSigned(algorithm, content, certificate, bytes)
    ? { ok: true, deliveryId: boundedId(id) }
    : refuse('the signature does not match');
}

// A1, A2. With raw delivery the body is the bare message, which nobody has signed.
function readMessage(
  { rawBody }: Delivery,
  { topicArn }: VerificationOptions,
): { readonly ok: true; readonly value: JsonObject } | { readonly ok: false; readonly reason: string } {
  const read = readBody(rawBody, 'application/json');
  const message: Json = read.ok ? read.value.body : null;
  if (!isJsonObject(message))
    return refuse('the body is no message of SNS; one of a raw delivery is not signed');
  if (topicArn === undefined || message.TopicArn !== topicArn)
    return refuse('the message is of another topic');
  return { ok: true, value: message };
}

/** Null: a field is missing, or no text. */
function signedContent(message: JsonObject): string | null {
  const { Type: type } = message;
  if (typeof type !== 'string' || !Object.hasOwn(SIGNED_FIELDS, type)) return null;
  const lines: string[] = [];
  for (const field of SIGNED_FIELDS[type]!) {
    const value = Object.hasOwn(message, field) ? message[field] : undefined;
    if (field === 'Subject' && (value === undefined || value === null)) continue;
    if (typeof value !== 'string') return null;
    lines.push(`${field}\n${value}\n`);
  }
  return lines.join('');
}

function isSigned(
  algorithm: string,
  content: string,
  { publicKey }: X509Certificate,
  signature: Buffer,
): boolean {
  try {
    return verify(algorithm, Buffer.from(content), publicKey, signature);
  } catch {
    return false;
  }
}
