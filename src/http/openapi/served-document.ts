// The document as it is sent: written once, by whoever asks first, and not sent again to those who have it.
import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';

interface Served {
  readonly bytes: Buffer;
  readonly etag: string;
}

/** Answers with what `write` makes, once for all; 304 where the client names it in `If-None-Match`. */
export function createServedDocument(write: () => unknown) {
  let served: Served | null = null;
  const serve = (): Served => {
    const bytes = Buffer.from(JSON.stringify(write()));
    return { bytes, etag: `"${createHash('sha256').update(bytes).digest('base64url')}"` };
  };
  return (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    served ??= serve();
    reply.headers({ etag: served.etag, 'cache-control': 'no-cache' });
    if (isNamed(served.etag, request.headers['if-none-match'])) return reply.code(304).send();
    return reply.type('application/json; charset=utf-8').send(served.bytes);
  };
}

// RFC 9110, 13.1.2: a weak comparison.
function isNamed(etag: string, header: string | undefined): boolean {
  const names = (header ?? '').split(',').map((name) => name.trim().replace(/^W\//, ''));
  return names.includes('*') || names.includes(etag);
}
