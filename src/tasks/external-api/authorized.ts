// Puts what shows who calls into a request, as it is about to go out: a signature has its time, a token its life.

import type { TaskContext } from '../task-type.ts';
import type { ApiCall } from './call.ts';
import { readAccessToken, tokenKey } from './client-credentials.ts';
import { signAws } from './sigv4.ts';

export interface AuthorizedRequest {
  readonly request: ApiCall['request'];
  /** What was made for this call and is secret, to be hidden where it comes back. */
  readonly made: readonly string[];
  /** The token was fetched for an earlier call, and the server may have taken it back since. */
  readonly isKept: boolean;
  /** The server refuses it. */
  readonly forget: () => void;
}

/** May throw as the call itself; nothing of the call is sent. */
export async function authorized(api: ApiCall, context: TaskContext): Promise<AuthorizedRequest> {
  const { request, auth } = api;
  const plain = { request, made: [], isKept: false, forget: () => {} };
  if (auth === null) return plain;
  const { of, secrets } = auth;
  const withHeader = (authorization: string) => ({
    ...request,
    headers: { ...request.headers, authorization },
  });
  switch (of.kind) {
    case 'header':
      return { ...plain, request: withHeader(of.value), made: [of.value.slice(of.value.indexOf(' ') + 1)] };
    case 'aws':
      return { ...plain, request: await signAws(request, of.credentials, new Date(context.now)) };
    case 'oauth2': {
      const { value, isKept } = await readAccessToken(of.client, secrets, context);
      const forget = () => context.outside.tokens.forget(tokenKey(of.client, context.tenantId), value);
      return { request: withHeader(`Bearer ${value}`), made: [value], isKept, forget };
    }
  }
}
