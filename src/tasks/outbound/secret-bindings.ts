// Keeps a secret that an operator has bound to hosts (DAGWRIGHT_SECRET_<NAME>_HOSTS) from going anywhere else.
//   B1  By name: what a config reads goes to the secret's hosts only, whatever an expression makes of it.
//   B2  By value: no request that holds it, in any form that redaction knows, goes elsewhere: of a task of one's own, of a
//       model's provider, and where a redirect leads.
import { TerminalError } from '../../core/errors.ts';
import { createSearch, type Search } from '../../core/redaction/search.ts';
import { mayGoTo, type Secret } from '../secret.ts';
import { hostOf } from './allow-list.ts';

/** What of a request may hold a secret. */
export interface SentParts {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | null;
}

/** Throws `blocked_destination` where a request must not be made (B2). */
export type CheckSecrets = (request: SentParts) => void;

/** B1. Throws `blocked_destination`. */
export function checkUsedSecrets(used: Iterable<Secret>, url: URL): void {
  for (const secret of used)
    if (!mayGoTo(secret, url))
      throw new TerminalError(
        'blocked_destination',
        `calls to ${hostOf(url).slice(0, 255)} with the secret "${secret.name}" are refused: an operator has bound it to other hosts`,
      );
}

export function createSecretCheck(secrets: readonly Secret[]): CheckSecrets {
  const bound = secrets.flatMap((secret) => {
    const search = secret.boundTo === null ? null : createSearch([secret.value]);
    return search === null ? [] : [{ secret, search }];
  });
  const searchAll = createSearch(bound.map(({ secret }) => secret.value));
  return (request) => {
    const kept = bound.filter(({ secret }) => !mayGoTo(secret, request.url));
    if (kept.length === 0) return;
    const texts = [...textsOf(request)];
    // Of most requests one look is enough, however many secrets there are.
    if (searchAll === null || !holds(texts, searchAll)) return;
    for (const { search } of kept)
      if (holds(texts, search))
        throw new TerminalError(
          'blocked_destination',
          `calls to ${hostOf(request.url).slice(0, 255)} are refused: they hold a secret that an operator has bound to other hosts`,
        );
  };
}

function* textsOf({ url, headers, body }: SentParts): Iterable<string> {
  yield url.href;
  for (const [name, value] of Object.entries(headers)) yield `${name}: ${value}`;
  // Byte by byte, so that nothing of it is lost.
  if (body !== null) yield body.toString('latin1');
}

function holds(texts: readonly string[], search: Search): boolean {
  return texts.some((text) => search(text).length > 0);
}
