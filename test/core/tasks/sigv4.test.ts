// AWS signatures, by the examples of AWS's own documentation (S3 API reference, "Signature Calculations: Authorization Header").
import { expect, test } from 'vitest';
import { signAws } from '../../../src/tasks/external-api/sigv4.ts';

const CREDENTIALS = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  sessionToken: null,
  region: 'us-east-1',
  service: 's3',
};
const AT = new Date('2013-05-24T00:00:00Z');
const sign = (
  method: string,
  target: string,
  headers: Record<string, string> = {},
  body: string | null = null,
) =>
  signAws(
    {
      method,
      url: new URL(`https://examplebucket.s3.amazonaws.com${target}`),
      headers,
      body: body === null ? null : Buffer.from(body),
    },
    CREDENTIALS,
    AT,
  );

test.each<[string, Parameters<typeof sign>, string]>([
  [
    'GET of an object',
    ['GET', '/test.txt', { range: 'bytes=0-9' }],
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  ],
  [
    'GET of a setting',
    ['GET', '/?lifecycle'],
    'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  ],
  [
    'a list',
    ['GET', '/?max-keys=2&prefix=J'],
    '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  ],
])('%s', async (_what, args, signature) => {
  const { headers } = await sign(...args);
  expect(headers.authorization).toMatch(
    /^AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE\/20130524\/us-east-1\/s3\/aws4_request, SignedHeaders=[a-z0-9;-]+, Signature=/,
  );
  expect(headers.authorization).toContain(`Signature=${signature}`);
  expect(headers['x-amz-date']).toBe('20130524T000000Z');
  expect(headers).not.toHaveProperty('host');
});

test('what is sent is what is signed: a space in the query goes as %20, a session token in its header', async () => {
  const signed = await sign('GET', '/?prefix=a+b&prefix=c%20d');
  expect(signed.url.search).toBe('?prefix=a%20b&prefix=c%20d');
  const { headers } = await signAws(
    { method: 'GET', url: new URL('https://x.example/'), headers: {} as Record<string, string>, body: null },
    { ...CREDENTIALS, sessionToken: 'session-1' },
    AT,
  );
  expect(headers['x-amz-security-token']).toBe('session-1');
  expect(headers.authorization).toContain('x-amz-security-token');
});

test('a body is signed by its hash', async () => {
  const { headers } = await sign(
    'PUT',
    '/test%24file.text',
    { 'x-amz-storage-class': 'STANDARD' },
    'Welcome to Amazon S3.',
  );
  expect(headers['x-amz-content-sha256']).toBe(
    '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
  );
  expect(headers.authorization).toContain(
    'SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,',
  );
});
