// Lists of hosts, as an operator writes them: DAGWRIGHT_ALLOWED_HOSTS, what is allowed beyond public addresses on ports 80
// and 443; DAGWRIGHT_SECRET_<NAME>_HOSTS, where a secret may be sent.
//   host          this host, on every port          api.internal, 10.0.0.7, [fd00::7]
//   host:port     this host on this port            api.internal:8080, [fd00::7]:8080
//   *.suffix      every host below the suffix       *.svc.example (also with a port)
//   CIDR          every address of the range        10.20.0.0/16
import type { Problem, Result } from '../../core/errors.ts';
import type { HostList } from '../secret.ts';
import { type Address, type AddressRange, isWithin, parseAddress, parseRange } from './address.ts';

export interface AllowList extends HostList {
  /** How the list names a host: by itself, by a suffix, or not at all. */
  nameMatch(host: string, port: number): 'exact' | 'suffix' | null;
  /** Whether the list holds the address itself, or a range that it is in. */
  allowsAddress(address: Address, port: number): boolean;
}

interface Entry {
  readonly port: number | null;
  readonly is:
    | { readonly kind: 'name'; readonly name: string }
    | { readonly kind: 'suffix'; readonly suffix: string }
    | { readonly kind: 'range'; readonly range: AddressRange };
}

const SETTING = 'DAGWRIGHT_ALLOWED_HOSTS';
const FORMS = 'expected host, host:port, *.suffix or a range such as 10.20.0.0/16';

/** Reads the entries of a comma list; every problem names its entry, and the setting that it is of. */
export function parseAllowList(entries: readonly string[], setting = SETTING): Result<AllowList> {
  const problems: Problem[] = [];
  const parsed: Entry[] = [];
  for (const text of entries.map((entry) => entry.trim()).filter((entry) => entry !== '')) {
    const entry = parseEntry(text);
    if (typeof entry !== 'string') parsed.push(entry);
    else
      problems.push({
        pointer: setting,
        code: 'setting',
        message: `${setting}: "${text}" ${entry}; ${FORMS}`,
      });
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: listOf(parsed) };
}

/**
 * A host as it is compared: lower case, IDNA as ASCII, no trailing dot, an address in its usual form and without
 * brackets. Null where it is no host.
 */
export function normalizeHost(host: string): string | null {
  if (host === '' || /[\s/?#@\\]/.test(host)) return null;
  const text = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  const url = URL.parse(`http://${text}/`);
  if (url === null || url.port !== '' || url.hostname === '') return null;
  return hostOf(url);
}

/** The host of a URL, as {@link normalizeHost} gives it. */
export function hostOf({ hostname }: URL): string {
  return (hostname.startsWith('[') ? hostname.slice(1, -1) : hostname).replace(/\.$/, '');
}

/** The port of a URL, that of its scheme where it names none. */
export function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'https:' ? 443 : 80;
}

function listOf(entries: readonly Entry[]): AllowList {
  const fits = (entry: Entry, port: number): boolean => entry.port === null || entry.port === port;
  const list: AllowList = {
    names(url) {
      const host = hostOf(url);
      const address = parseAddress(host);
      return (
        list.nameMatch(host, portOf(url)) !== null ||
        (address !== null && list.allowsAddress(address, portOf(url)))
      );
    },
    nameMatch(host, port) {
      const own = entries.filter((entry) => fits(entry, port));
      if (own.some(({ is }) => is.kind === 'name' && is.name === host)) return 'exact';
      const address = parseAddress(host);
      if (address !== null) {
        const names = ({ is }: Entry): boolean =>
          is.kind === 'range' &&
          is.range.bits === (address.family === 4 ? 32 : 128) &&
          isWithin(address, is.range);
        return own.some(names) ? 'exact' : null;
      }
      return own.some(({ is }) => is.kind === 'suffix' && host.endsWith(is.suffix)) ? 'suffix' : null;
    },
    allowsAddress: (address, port) =>
      entries.some(
        (entry) => fits(entry, port) && entry.is.kind === 'range' && isWithin(address, entry.is.range),
      ),
  };
  return list;
}

/** The entry, or what is wrong with it. */
function parseEntry(text: string): Entry | string {
  if (text.includes('://')) return 'has a scheme';
  if (text.includes('@')) return 'has a user';
  if (text.includes('/')) {
    const range = parseRange(text);
    return range === null
      ? 'is not a range, or has bits behind its prefix'
      : { port: null, is: { kind: 'range', range } };
  }
  const split = splitPort(text);
  if (split === null) return 'has a port that is not from 1 to 65535';
  const { host, port } = split;
  if (host.startsWith('*.')) {
    const suffix = normalizeHost(host.slice(2));
    if (suffix === null || parseAddress(suffix) !== null || suffix.includes('*'))
      return 'has no host behind the "*."';
    return { port, is: { kind: 'suffix', suffix: `.${suffix}` } };
  }
  if (host.includes('*')) return 'has a "*" that is not at its beginning, followed by a dot';
  const name = normalizeHost(host);
  if (name === null) return 'is not a host';
  const address = parseAddress(name);
  if (address === null) return { port, is: { kind: 'name', name } };
  return { port, is: { kind: 'range', range: { ...address, bits: address.family === 4 ? 32 : 128 } } };
}

/** Null where what stands behind the last colon is no port. */
function splitPort(text: string): { host: string; port: number | null } | null {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  const [host, port] =
    bracketed !== null
      ? [bracketed[1]!, bracketed[2]]
      : parseAddress(text) === null && text.includes(':')
        ? [text.slice(0, text.lastIndexOf(':')), text.slice(text.lastIndexOf(':') + 1)]
        : [text, undefined];
  if (port === undefined) return { host, port: null };
  return /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535
    ? { host, port: Number(port) }
    : null;
}
