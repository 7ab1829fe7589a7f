// Messages as Amazon SNS signs them, by a key of the tests.
import { sign } from 'node:crypto';
import { TOPIC_KEY } from './topic-certificate.ts';

export const TOPIC_ARN = 'arn:aws:sns:eu-central-1:123456789012:orders';
export const CERTIFICATE_URL =
  'https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-9c6465fa7f48f5cacd23014631ec1136.pem';
export const SUBSCRIBE_URL = 'https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=t';
const COMMON = ['Message', 'MessageId', 'Subject', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];

export type TopicMessage = Readonly<Record<string, string>>;

/** A message with its signature; `changed` is signed with it. */
export function topicMessage(type: string, changed: TopicMessage = {}, version = '2'): TopicMessage {
  const message: Record<string, string> = {
    Type: type,
    MessageId: '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324',
    TopicArn: TOPIC_ARN,
    Message: 'line one\nline "two" ♥',
    Timestamp: '2026-11-20T12:00:00.000Z',
    ...(type === 'Notification' ? {} : { Token: 't', SubscribeURL: SUBSCRIBE_URL }),
    ...changed,
  };
  const content = COMMON.filter((field) => Object.hasOwn(message, field))
    .map((field) => `${field}\n${message[field]}\n`)
    .join('');
  const signature = sign(version === '1' ? 'RSA-SHA1' : 'RSA-SHA256', Buffer.from(content), TOPIC_KEY);
  return {
    ...message,
    SignatureVersion: version,
    Signature: signature.toString('base64'),
    SigningCertURL: CERTIFICATE_URL,
    UnsubscribeURL: 'https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe',
  };
}
