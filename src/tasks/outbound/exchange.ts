// One call: sent, led through its redirects, and handed over with its body still to be read.
import type { Readable } from 'node:stream';
import { RetryableError } from '../../core/errors.ts';
import { ACCEPT_ENCODING, plainBody } from './body.ts';
import { callFailure, NotConnected } from './failure.ts';
import type { Guard } from './guard.ts';
import type { HttpRequest } from './message.ts';
import { type Hop, isRedirect, redirected, whereOf } from './redirect.ts';
import { type CheckSecrets, checkUsedSecrets } from './secret-bindings.ts';
import type { RawAnswer, TimeLimits, Transport } from './transport.ts';

/** What calls go through. */
export interface Line {
  readonly guard: Guard;
  readonly transport: Transport;
  readonly limits: TimeLimits;
  readonly checkSecrets: CheckSecrets;
}

/** Set by us, or by no one. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
const BODYLESS: ReadonlySet<number> = new Set([204, 205, 304]);

/** Whether a header is the client's own, so that a caller cannot set it. */
export function isOwnHeader(name: string): boolean {
  return OWN_HEADERS.has(name.toLowerCase());
}

/** What came, and for which request. */
export interface Followed {
  readonly status: number;
  readonly raw: RawAnswer;
  readonly hop: Hop;
  readonly redirects: number;
  readonly signal: AbortSignal;
}

/** Sends a request, and goes where its redirects lead. The body is still to be read, or to be discarded. */
export async function follow(request: Omit<HttpRequest, 'maxBytes'>, line: Line): Promise<Followed> {
  const { guard, transport, limits, checkSecrets } = line;
  const { signal, isOnce, onSend, keepsStatus, usedSecrets = [] } = request;
  checkUsedSecrets(usedSecrets, request.url);
  let hop: Hop = { ...request, headers: { ...request.headers, 'accept-encoding': ACCEPT_ENCODING } };
  for (let redirects = 0; ; redirects++) {
    guard.checkUrl(hop.url);
    checkSecrets(hop);
    let raw: RawAnswer;
    try {
      raw = await transport.send(hop, { signal, limits, isOnce, ...(redirects === 0 && { onSend }) });
    } catch (error) {
      signal.throwIfAborted();
      const failure = callFailure(error, whereOf(hop));
      // The first request was sent, and answered.
      throw redirects > 0 && failure instanceof NotConnected
        ? new RetryableError(failure.message, { code: failure.code })
        : failure;
    }
    const { status } = raw;
    const location = firstOf(raw.headers.location);
    if (!isRedirect(status, location) || keepsStatus?.(status) === true)
      return { status, raw, hop, redirects, signal };
    discard(raw);
    hop = withEncoding(redirected(hop, status, location, redirects));
  }
}

function withEncoding(hop: Hop): Hop {
  return { ...hop, headers: { ...hop.headers, 'accept-encoding': ACCEPT_ENCODING } };
}

/** The body as plain bytes. */
export function bodyOf({ raw, hop, signal }: Followed, maxBytes: number): Readable {
  const length = firstOf(raw.headers['content-length']);
  return plainBody(raw.body, {
    where: whereOf(hop),
    encoding: [raw.headers['content-encoding'] ?? []].flat().join(',') || null,
    length: length === null ? null : Number(length),
    maxBytes,
    signal,
  });
}

/** An answer that has no body, whatever its headers say. */
export function isBodyless({ status, hop }: Followed): boolean {
  return hop.method === 'HEAD' || BODYLESS.has(status);
}

/** Closes the connection, unless the answer has come to its end. */
export function discard({ body }: RawAnswer): void {
  body.on('error', () => {}).destroy();
}

/** The first value of a header, or null. */
export function firstOf(value: string | readonly string[] | undefined): string | null {
  return (typeof value === 'string' ? value : value?.[0]) ?? null;
}
