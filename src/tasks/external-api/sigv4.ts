// AWS Signature Version 4, by AWS's own implementation. The rest of its SDK is not needed: a request is signed, not made.
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { HttpRequest } from '../outbound/message.ts';

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
  readonly region: string;
  /** `s3`, `execute-api`, `sqs`, … */
  readonly service: string;
}

type Signed = Pick<HttpRequest, 'method' | 'url' | 'headers' | 'body'>;

/** The request with its signature, good for about five minutes. */
export async function signAws<Request extends Signed>(
  request: Request,
  { accessKeyId, secretAccessKey, sessionToken, region, service }: AwsCredentials,
  at: Date,
): Promise<Request> {
  const signer = new SignatureV4({
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== null && { sessionToken }) },
    region,
    service,
    sha256: Sha256,
    // S3 takes paths as they are sent, all others encode them once more.
    uriEscapePath: service !== 's3',
  });
  const url = new URL(request.url);
  const query = Object.fromEntries(
    [...new Set(url.searchParams.keys())].map((name) => [name, url.searchParams.getAll(name)]),
  );
  // What is signed is what is sent: "+" and "%20" are not the same to every server.
  url.search = url.search.replaceAll('+', '%20');
  const { headers } = await signer.sign(
    {
      method: request.method,
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query,
      headers: { ...request.headers, host: url.host },
      ...(request.body !== null && { body: request.body }),
    },
    { signingDate: at },
  );
  const { host: _, ...sent } = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  return { ...request, url, headers: sent };
}

/** Node's, as the signer wants it. */
class Sha256 {
  readonly #secret: string | ArrayBuffer | ArrayBufferView | undefined;
  #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#secret = secret;
    this.#hash = this.#begin();
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    this.#hash = this.#begin();
  }

  #begin(): Hash | Hmac {
    if (this.#secret === undefined) return createHash('sha256');
    const key = this.#secret;
    return createHmac('sha256', typeof key === 'string' ? key : bytesOf(key));
  }
}

function bytesOf(key: ArrayBuffer | ArrayBufferView): Buffer {
  return ArrayBuffer.isView(key) ? Buffer.from(key.buffer, key.byteOffset, key.byteLength) : Buffer.from(key);
}
