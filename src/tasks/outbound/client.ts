// How tasks call out over HTTP: through the SSRF guard, with limits of time and size.
import type { Secret } from '../secret.ts';
import type { AllowList } from './allow-list.ts';
import { readBody } from './body.ts';
import { bodyOf, discard, follow, isBodyless, type Line } from './exchange.ts';
import { fetchThrough } from './fetch.ts';
import { Guard, type Resolve } from './guard.ts';
import type { HttpAnswer, HttpRequest } from './message.ts';
import { createSecretCheck } from './secret-bindings.ts';
import { createTransport, type RawAnswer, type TimeLimits } from './transport.ts';

export interface OutsideHttp {
  /** The Fetch API behind the guard; for libraries and task authors. Follows at most 3 redirects, each checked anew. */
  readonly fetch: typeof globalThis.fetch;
  /**
   * One call, read to its end. Throws TerminalError (`blocked_destination`, `payload_too_large`, `validation`),
   * RetryableError (`network`, `timeout`, `output_invalid`; NotConnected where the request was surely not sent), or the
   * signal's reason.
   */
  request(request: HttpRequest): Promise<HttpAnswer>;
  /** Breaks off what is under way. */
  close(): Promise<void>;
}

export interface HttpOptions {
  readonly allowedHosts: AllowList;
  /** Hosts (`host`, or `host:port`) of this installation that no task may call. */
  readonly deniedHosts?: readonly string[];
  /** Those that are bound to hosts are sent to no other. */
  readonly secrets?: readonly Secret[];
  readonly resolve?: Resolve;
  /** Certificates to trust besides the usual ones, PEM. */
  readonly ca?: readonly string[];
  readonly limits?: Partial<HttpLimits>;
}

export interface HttpLimits extends TimeLimits {
  /** With `fetch`, where a model may think between two parts of its answer. */
  readonly fetchIdleMs: number;
  readonly fetchMaxBytes: number;
}

// An attempt's own timeout (300 s by default) ends a call earlier than most of these.
const LIMITS: HttpLimits = {
  connectMs: 10_000,
  headersMs: 600_000,
  idleMs: 30_000,
  fetchIdleMs: 300_000,
  fetchMaxBytes: 32_000_000,
};
export function createHttp(options: HttpOptions): OutsideHttp {
  const { allowedHosts: allowed, deniedHosts = [], secrets = [], resolve, ca } = options;
  const limits = { ...LIMITS, ...options.limits };
  const guard = new Guard({ allowed, deniedHosts, resolve });
  const transport = createTransport({ guard, connectMs: limits.connectMs, ca });
  const line: Line = { guard, transport, limits, checkSecrets: createSecretCheck(secrets) };
  const fetchLine = {
    ...line,
    limits: { ...limits, idleMs: limits.fetchIdleMs },
    maxBytes: limits.fetchMaxBytes,
  };
  return {
    async request(request) {
      const answer = await follow(request, line);
      const { status, redirects } = answer;
      const headers = new Map(headersOf(answer.raw));
      if (isBodyless(answer)) {
        discard(answer.raw);
        return { status, headers, redirects, body: Buffer.alloc(0) };
      }
      const body = await orReason(request.signal, readBody(bodyOf(answer, request.maxBytes)));
      return { status, headers, redirects, body };
    },
    fetch: (input, init) => fetchThrough(input, init, fetchLine),
    close: () => transport.close(),
  };
}

function* headersOf({ headers }: RawAnswer): Iterable<[string, string]> {
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) yield [name, [value].flat().join(', ')];
}

async function orReason<T>(signal: AbortSignal, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
