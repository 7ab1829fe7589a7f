// OAuth 2.0 client credentials (RFC 6749, 4.4): the access token for a call, fetched where none is kept.
import { RetryableError, TerminalError } from '../../core/errors.ts';
import { encodeForm, type FormField } from '../../core/form.ts';
import { isJsonObject } from '../../core/json.ts';
import { parseJson } from '../../core/json-shape.ts';
import { parseRetryAfter } from '../../core/retry.ts';
import type { AccessToken } from '../access-tokens.ts';
import type { HttpAnswer } from '../outbound/message.ts';
import type { Secret } from '../secret.ts';
import type { TaskContext } from '../task-type.ts';
import { basic, type ClientCredentials } from './auth.ts';
import { isHeaderValue } from './fields.ts';

const MAX_BYTES = 100_000;
const MAX_TOLD = 300;

/** All that makes a token: another tenant's, or another config's, is another one. */
export function tokenKey(client: ClientCredentials, tenantId: string): readonly string[] {
  const { tokenUrl, clientId, clientSecret, scope, audience, sendIn } = client;
  return [tenantId, tokenUrl.href, clientId, clientSecret, scope ?? '', audience ?? '', sendIn];
}

export async function readAccessToken(
  client: ClientCredentials,
  usedSecrets: Iterable<Secret>,
  context: TaskContext,
): Promise<{ readonly value: string; readonly isKept: boolean }> {
  const { outside, signal, tenantId, taskId } = context;
  const { redact, http } = outside;
  const where = redact(`Task "${taskId}": the token endpoint ${client.tokenUrl.origin}`);
  const secrets = [...usedSecrets];
  return await outside.tokens.read(tokenKey(client, tenantId), signal, async (ownSignal) => {
    const answer = await http.request({ ...requestOf(client), signal: ownSignal, usedSecrets: secrets });
    return tokenOf(answer, where, { redact, now: context.now });
  });
}

function requestOf({ tokenUrl, clientId, clientSecret, scope, audience, sendIn }: ClientCredentials) {
  const fields: FormField[] = [['grant_type', 'client_credentials']];
  if (scope !== null) fields.push(['scope', scope]);
  if (audience !== null) fields.push(['audience', audience]);
  if (sendIn === 'body') fields.push(['client_id', clientId], ['client_secret', clientSecret]);
  return {
    method: 'POST',
    url: tokenUrl,
    headers: {
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
      'user-agent': 'dagwright',
      // Both are encoded as form fields before they are put together.
      ...(sendIn === 'header' && {
        authorization: basic(encoded(clientId), encoded(clientSecret)),
      }),
    },
    body: Buffer.from(encodeForm(fields)),
    maxBytes: MAX_BYTES,
    hasSecretBody: true,
    isOnce: false,
    // A token endpoint that redirects is not the one that the author named.
    keepsStatus: () => true,
  };
}

function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

function tokenOf(
  { status, headers, body }: HttpAnswer,
  where: string,
  { redact, now }: { readonly redact: (text: string) => string; readonly now: string },
): AccessToken {
  const parsed = parseJson(body.toString());
  const said = parsed.ok && isJsonObject(parsed.value) ? parsed.value : {};
  if (status < 200 || status > 299) {
    const told = [said.error, said.error_description].filter((one) => typeof one === 'string').join(': ');
    const retryAfter =
      status === 429 || status === 503 ? parseRetryAfter(headers.get('retry-after'), now) : undefined;
    throw new RetryableError(
      `${where} answered ${status}${told === '' ? '' : `: ${redact(told).slice(0, MAX_TOLD)}`}`,
      { code: `http_${status}`, status, ...(retryAfter !== undefined && { retryAfter }) },
    );
  }
  const { access_token: value, token_type: type = 'Bearer', expires_in: expires = null } = said;
  if (typeof value !== 'string' || value === '' || !isHeaderValue(value))
    throw new RetryableError(`${where} answered without an access_token`, { code: 'output_invalid' });
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer')
    throw new TerminalError('output_invalid', `${where} gives no Bearer tokens`);
  const seconds = Number(expires);
  return { value, expiresInSeconds: expires !== null && Number.isFinite(seconds) ? seconds : null };
}
