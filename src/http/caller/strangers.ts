// A service without a key answers to its own machine only. Without one anyone there may do everything, but not a page in its
// browser (neither by a name that resolves to this machine, nor across origins), and nobody elsewhere for whom a proxy on this
// machine speaks.
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../server/problem.ts';
import { isLoopbackAddress, readAddress } from './client-address.ts';

const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;
/** What proxies tell of their client: its address, or several with commas, the first client first. */
const ADDRESSES = ['x-forwarded-for', 'x-real-ip', 'x-client-ip', 'true-client-ip', 'cf-connecting-ip'];

/** Throws 403 where a request does not come from this machine, or from another site. */
export function refuseStrangers({ headers }: Pick<FastifyRequest, 'headers'>): void {
  if (!LOOPBACK_HOST.test(headers.host ?? ''))
    throw new ApiError(
      403,
      'host_not_allowed',
      'without a key the service answers to localhost and 127.0.0.1 only',
    );
  if (isForwarded(headers))
    throw new ApiError(
      403,
      'forwarded_not_allowed',
      'without a key the service answers this machine only, and no one for whom a proxy asks: set DAGWRIGHT_ADMIN_KEY',
    );
  const { origin } = headers;
  if (origin !== undefined && origin.replace(/^https?:\/\//, '') !== headers.host)
    throw new ApiError(403, 'origin_not_allowed', 'without a key the service answers no other site');
  const site = headers['sec-fetch-site'];
  if (site === 'cross-site' || site === 'same-site')
    throw new ApiError(403, 'origin_not_allowed', 'without a key the service answers no other site');
}

// Of one that cannot be read nobody knows whom it is for.
function isForwarded(headers: FastifyRequest['headers']): boolean {
  const texts = (name: string) => [headers[name] ?? []].flat().flatMap((text) => text.split(','));
  const isOwn = (text: string) => isLoopbackAddress(readAddress(text) ?? '');
  const isOwnElement = (element: string) => {
    const clients = [...element.matchAll(/(?:^|;)\s*for=([^;]*)/gi)].map((match) => match[1]!);
    return clients.length > 0 && clients.every(isOwn);
  };
  return (
    ADDRESSES.some((name) => !texts(name).every(isOwn)) ||
    !texts('forwarded').every(isOwnElement) ||
    !texts('x-forwarded-host').every((host) => LOOPBACK_HOST.test(host.trim()))
  );
}
