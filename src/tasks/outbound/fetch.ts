// The Fetch API on top of our own calls: what Request and Response look like to those who call it is Node's.
import { pipeline, Readable } from 'node:stream';
import { RetryableError, TerminalError } from '../../core/errors.ts';
import {
  bodyOf,
  discard,
  type Followed,
  firstOf,
  follow,
  isBodyless,
  isOwnHeader,
  type Line,
} from './exchange.ts';
import { JsonGuard } from './json-guard.ts';
import { isRedirect, whereOf } from './redirect.ts';

/** `maxBytes`: of the body, decompressed. */
export async function fetchThrough(
  input: Parameters<typeof fetch>[0],
  init: RequestInit | undefined,
  line: Line & { readonly maxBytes: number },
): Promise<Response> {
  // Before Request sees it, whose errors quote the URL.
  const url = URL.parse(input instanceof Request ? input.url : String(input));
  if (url === null) throw new TerminalError('validation', 'fetch needs an absolute URL');
  line.guard.checkUrl(url);
  const request = new Request(input, init);
  const bytes = request.body === null ? null : Buffer.from(await request.arrayBuffer());
  const answer = await follow(
    {
      method: request.method,
      url,
      headers: Object.fromEntries([...request.headers].filter(([name]) => !isOwnHeader(name))),
      body: bytes,
      signal: request.signal,
      hasSecretBody: false,
      isOnce: false,
      keepsStatus: () => request.redirect !== 'follow',
    },
    line,
  );
  if (request.redirect === 'error' && isRedirect(answer.status, firstOf(answer.raw.headers.location))) {
    discard(answer.raw);
    throw new RetryableError(`${whereOf(answer.hop)} was redirected`, { code: 'network' });
  }
  return toResponse(answer, line.maxBytes);
}

function toResponse(answer: Followed, maxBytes: number): Response {
  const { status, raw, hop, redirects } = answer;
  if (status < 200 || status > 599) {
    discard(raw);
    throw new RetryableError(`${whereOf(hop)} answered with a status that does not exist`, {
      code: 'network',
    });
  }
  const isDecoded = firstOf(raw.headers['content-encoding']) !== null;
  const headers = new Headers();
  for (const [name, value] of Object.entries(raw.headers))
    for (const one of [value ?? []].flat())
      if (!(isDecoded && (name === 'content-encoding' || name === 'content-length')) && isHeaderText(one))
        headers.append(name, one);
  const statusText = isHeaderText(raw.statusText) ? raw.statusText : '';
  let body: ReadableStream | null = null;
  if (isBodyless(answer)) discard(raw);
  else {
    const guarded = pipeline(bodyOf(answer, maxBytes), new JsonGuard(whereOf(hop)), () => {});
    body = Readable.toWeb(guarded) as unknown as ReadableStream;
  }
  const response = new Response(body, { status, statusText, headers });
  Object.defineProperties(response, {
    url: { value: hop.url.href },
    redirected: { value: redirects > 0 },
  });
  return response;
}

function isHeaderText(text: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(text);
}
