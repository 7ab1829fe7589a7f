// Where a redirect leads, and what of the request goes there (RFC 9110, 15.4; the Fetch standard's method rules).
import { RetryableError, TerminalError } from '../../core/errors.ts';

export const MAX_REDIRECTS = 3;
const STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** All that another origin gets to see: a list of what may go is safer than one of what holds secrets. */
const HEADERS_FOR_OTHERS: ReadonlySet<string> = new Set([
  'accept',
  'accept-language',
  'content-type',
  'content-language',
  'user-agent',
  'idempotency-key',
]);

/** One request as it is sent. */
export interface Hop {
  readonly url: URL;
  /** Of the first request; where a redirect leads is not the caller's to tell. */
  readonly shownPath?: string | undefined;
  /** Upper case. */
  readonly method: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | null;
  /** The body holds a secret: it does not go to another origin. */
  readonly hasSecretBody: boolean;
}

/** For messages: nothing that a caller put into the URL, but the path that it shows. */
export function whereOf({ method, url, shownPath = '' }: Hop): string {
  return `${method} ${url.origin}${shownPath}`;
}

/** True for an answer that names another place. */
export function isRedirect(status: number, location: string | null): location is string {
  return STATUSES.has(status) && location !== null;
}

/** The request that follows. Throws TerminalError where it must not be made. */
export function redirected(hop: Hop, status: number, location: string, count: number): Hop {
  const where = whereOf(hop);
  if (count >= MAX_REDIRECTS)
    throw new TerminalError('network', `${where} was redirected more than ${MAX_REDIRECTS} times`);
  const url = URL.parse(location, hop.url.href);
  if (url === null) throw new RetryableError(`${where} redirects to what is no URL`, { code: 'network' });
  url.hash = '';
  if (hop.url.protocol === 'https:' && url.protocol === 'http:')
    throw new TerminalError('blocked_destination', `${where} redirects from https to http`);
  const becomesGet =
    (status === 303 && hop.method !== 'GET' && hop.method !== 'HEAD') ||
    ((status === 301 || status === 302) && hop.method === 'POST');
  const body = becomesGet ? null : hop.body;
  const isOther = url.origin !== hop.url.origin;
  if (isOther && body !== null && hop.hasSecretBody)
    throw new TerminalError(
      'blocked_destination',
      `${where} redirects to another origin, which must not get a body that holds a secret`,
    );
  const headers = Object.fromEntries(
    Object.entries(hop.headers).filter(
      ([name]) => !(becomesGet && name.startsWith('content-')) && !(isOther && !HEADERS_FOR_OTHERS.has(name)),
    ),
  );
  return { ...hop, url, shownPath: undefined, method: becomesGet ? 'GET' : hop.method, headers, body };
}
