// Decides where HTTP calls may go (FAULTS S4).
//   G1  A URL is http or https, carries no user, and names no metadata service and no database of ours.
//   G2  A host is resolved once for a connection; every address of the answer must be allowed, or none is used.
//   G3  Beyond public addresses on ports 80 and 443 goes only what the operator's allow-list names.
//   G4  A suffix or a name of the list never leads to cloud metadata: only the address itself, or its range, does.
import { lookup } from 'node:dns/promises';
import { TerminalError } from '../../core/errors.ts';
import { isMetadataAddress, parseAddress, refusalOf } from './address.ts';
import { type AllowList, hostOf, normalizeHost, portOf } from './allow-list.ts';

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}
/** All addresses of a host name. Rejects where there are none. */
export type Resolve = (hostname: string) => Promise<readonly ResolvedAddress[]>;

export interface GuardOptions {
  readonly allowed: AllowList;
  /** `host`: refused by name unless the allow-list has exactly this host. `host:port`: refused always. */
  readonly deniedHosts: readonly string[];
  readonly resolve?: Resolve;
}

const PORTS: ReadonlySet<number> = new Set([80, 443]);
const METADATA_HOSTS = [
  'metadata',
  'metadata.google.internal',
  'metadata.goog',
  'metadata.azure.internal',
  'metadata.tencentyun.com',
  'metadata.platformequinix.com',
  'instance-data',
  'instance-data.ec2.internal',
];

export class Guard {
  readonly #allowed: AllowList;
  readonly #denied: ReadonlySet<string>;
  readonly #resolve: Resolve;

  constructor({ allowed, deniedHosts, resolve = resolveAll }: GuardOptions) {
    this.#allowed = allowed;
    this.#denied = new Set([...METADATA_HOSTS, ...deniedHosts.map(normalizeDenied)]);
    this.#resolve = resolve;
  }

  /** What can be said of a URL without asking for addresses. Throws TerminalError `blocked_destination`. */
  checkUrl(url: URL): void {
    if (url.protocol !== 'http:' && url.protocol !== 'https:')
      throw new TerminalError('blocked_destination', 'a URL of a call must begin with http:// or https://');
    if (url.username !== '' || url.password !== '')
      throw refused(hostOf(url), 'its URL carries a user name or password; use a header');
    this.#checkName(hostOf(url), portOf(url));
  }

  /**
   * The addresses to connect to, all of them checked. `hostname` as in a URL, brackets left out. Throws TerminalError
   * `blocked_destination`, or what resolving throws.
   */
  async addressesOf(hostname: string, port: number): Promise<readonly ResolvedAddress[]> {
    const host = hostname.replace(/\.$/, '');
    this.#checkName(host, port);
    const literal = parseAddress(host);
    const addresses =
      literal === null ? await this.#resolve(hostname) : [{ address: host, family: literal.family }];
    if (addresses.length === 0) throw Object.assign(new Error('no address'), { code: 'ENODATA' });
    for (const { address } of addresses) this.#checkAddress(host, port, address);
    return addresses;
  }

  #checkName(host: string, port: number): void {
    if (this.#denied.has(`${host}:${port}`)) throw refused(host, 'it belongs to this installation');
    if (this.#denied.has(host) && this.#allowed.nameMatch(host, port) !== 'exact')
      throw refused(host, 'it is a metadata service or belongs to this installation');
  }

  // Messages name no address that a name was resolved to: that would tell callers what the inside looks like.
  #checkAddress(host: string, port: number, text: string): void {
    const address = parseAddress(text);
    if (address === null) throw refused(host, 'it resolves to something that is no address');
    if (this.#allowed.allowsAddress(address, port)) return;
    if (this.#allowed.nameMatch(host, port) !== null && !isMetadataAddress(address)) return;
    const reason = refusalOf(text);
    if (reason !== null) throw refused(host, `its address is not public (${reason})`);
    if (!PORTS.has(port)) throw refused(host, `port ${port} is neither 80 nor 443`);
  }
}

function refused(host: string, reason: string): TerminalError {
  return new TerminalError(
    'blocked_destination',
    `calls to ${host.slice(0, 255)} are refused: ${reason}. An operator can allow hosts with DAGWRIGHT_ALLOWED_HOSTS`,
  );
}

function normalizeDenied(entry: string): string {
  const port = /^(?:\[.*\]|[^:]*):(\d+)$/.exec(entry)?.[1];
  const host = port === undefined ? entry : entry.slice(0, -port.length - 1);
  const name = normalizeHost(host.replace(/^\[(.*)\]$/, '$1')) ?? host.toLowerCase();
  return port === undefined ? name : `${name}:${port}`;
}

function resolveAll(hostname: string): Promise<readonly ResolvedAddress[]> {
  return lookup(hostname, { all: true, order: 'verbatim' });
}
