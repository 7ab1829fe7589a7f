// Proxies whose word is taken for where a request comes from: DAGWRIGHT_TRUSTED_PROXIES. Without it X-Forwarded-For, which anybody
// can send, is believed of nobody.
import { BlockList, isIP } from 'node:net';

/** Whether an address is that of a trusted proxy. Entries: an address, or a network `10.0.0.0/8`. Throws of one that is neither. */
export function createProxyCheck(entries: readonly string[]): (address: string) => boolean {
  const trusted = new BlockList();
  for (const entry of entries) addEntry(trusted, entry);
  return (address) => {
    const family = isIP(address);
    return family !== 0 && trusted.check(address, family === 6 ? 'ipv6' : 'ipv4');
  };
}

/** Whether an entry can be read. */
export function isProxyEntry(entry: string): boolean {
  try {
    addEntry(new BlockList(), entry);
    return true;
  } catch {
    return false;
  }
}

function addEntry(list: BlockList, entry: string): void {
  const [address = '', bits] = entry.split('/', 2);
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  if (isIP(address) === 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits)))
    throw new Error(`"${entry}" is no address and no network`);
  if (bits === undefined) list.addAddress(address, family);
  else list.addSubnet(address, Number(bits), family);
}
