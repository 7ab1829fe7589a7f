// A client for tests that may call the stubs it is given, and nothing else that is not public.
import { parseAllowList } from '../../../../src/tasks/outbound/allow-list.ts';
import { createHttp, type HttpOptions, type OutsideHttp } from '../../../../src/tasks/outbound/client.ts';
import type { HttpRequest } from '../../../../src/tasks/outbound/message.ts';
import { TEST_CERTIFICATE } from './test-certificate.ts';

export function clientFor(allowed: readonly string[], more: Partial<HttpOptions> = {}): OutsideHttp {
  const list = parseAllowList(allowed);
  if (!list.ok) throw new Error(JSON.stringify(list.problems));
  return createHttp({ allowedHosts: list.value, ca: [TEST_CERTIFICATE], ...more });
}

/** A GET with the usual limits. */
export function requestTo(url: string, more: Partial<HttpRequest> = {}): HttpRequest {
  return {
    method: 'GET',
    url: new URL(url),
    headers: {},
    body: null,
    signal: new AbortController().signal,
    maxBytes: 1_000_000,
    hasSecretBody: false,
    isOnce: false,
    ...more,
  };
}

/** What a rejected promise brings: `code: message`; `none` where it does not reject. */
export async function failureOf(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  try {
    await promise;
  } catch (error) {
    return error as Error & { code?: string };
  }
  return new Error('none');
}
