// Where a request comes from, for the audit trail and for what is counted by address.
import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';

/** IP address of the client: behind a trusted proxy the one that it tells of. Undefined: it went too soon. */
export function clientAddress(request: FastifyRequest): string | undefined {
  const told = readAddress((request.ip as string | undefined) ?? '');
  return told ?? readAddress(request.raw.socket.remoteAddress ?? '') ?? undefined;
}

/** An address as proxies write it, perhaps with a port; IPv4 over a socket of both families is IPv4. Null: it is none. */
export function readAddress(text: string): string | null {
  const trimmed = text.trim().replace(/^"(.*)"$/, '$1');
  const bare = trimmed
    .replace(/^\[([^\]]+)\](?::\d+)?$/, '$1')
    .replace(/^(\d+(?:\.\d+){3}):\d+$/, '$1')
    .replace(/^::ffff:(?=\d+\.)/i, '');
  return isIP(bare) === 0 ? null : bare;
}

/** Whose an address is, as far as it tells: of IPv6 a holder has a network of 64 bits at least. */
export function networkOf(address: string): string {
  const bare = readAddress(address.replace(/%.*$/, '')) ?? address;
  if (isIP(bare) !== 6) return bare;
  const [head = '', tail] = bare.split('::');
  const groups = (text: string | undefined) => (text === undefined || text === '' ? [] : text.split(':'));
  const first = groups(head);
  const last = groups(tail);
  const all =
    tail === undefined ? first : [...first, ...Array(8 - first.length - last.length).fill('0'), ...last];
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

/** Whether an address is of this machine. */
export function isLoopbackAddress(address: string): boolean {
  return address === '::1' || /^127(\.\d+){3}$/.test(address);
}
