// A TCP proxy on loopback before a server, which fails as networks do: it passes, delays, withholds everything while the
// connections stay open (no FIN, no RST), or resets.
import { createConnection, createServer, type Server, type Socket } from 'node:net';

export interface FaultyProxy {
  readonly port: number;
  /** The same URL through the proxy. */
  urlOf(url: string): string;
  /** Open connections that pass, of those that `which` chooses by what their client has sent. */
  count(which?: Chooses): number;
  /** Connections that were opened since `blackhole`, and got no answer. */
  triedInSilence(): number;
  /** Everything arrives so much later, in each direction. */
  delay(ms: number): void;
  /** Nothing arrives any more, on no connection, old or new; nobody is told. */
  blackhole(): void;
  /** As `blackhole`, but only for the open connections that `which` chooses; how many these were. */
  blackholeOpen(which?: Chooses): number;
  /**
   * Passes again. `forgets`: connections that were withheld stay dead, as when a firewall has lost their state; else
   * they get what they missed.
   */
  heal(how: { readonly forgets: boolean }): void;
  /** Ends every open connection with RST. */
  reset(): void;
  close(): Promise<void>;
}

type Chooses = (sentByClient: string) => boolean;

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** The beginning of what the client has sent. */
  sent: string;
  /** The server has said that it is ready. */
  isReady: boolean;
  isWithheld: boolean;
  readonly missed: (() => void)[];
}

const SENT_KEPT = 4_096;
/** The message of PostgreSQL's server that ends a login. */
const READY_FOR_QUERY = 'Z\0\0\0\x05I';

export async function startProxy(target: {
  readonly host: string;
  readonly port: number;
}): Promise<FaultyProxy> {
  const pairs = new Set<Pair>();
  let delayMs = 0;
  let isBlackhole = false;
  let triedInSilence = 0;

  const listener = createServer((client) => {
    const server = createConnection({ host: target.host, port: target.port });
    const pair: Pair = { client, server, sent: '', isReady: false, isWithheld: isBlackhole, missed: [] };
    pairs.add(pair);
    if (isBlackhole) triedInSilence++;
    client.setNoDelay(true);
    server.setNoDelay(true);
    const pass = (act: () => void) => {
      if (pair.isWithheld) pair.missed.push(act);
      else if (delayMs > 0) setTimeout(() => (pair.isWithheld ? pair.missed.push(act) : act()), delayMs);
      else act();
    };
    client.on('data', (chunk) => {
      if (pair.sent.length < SENT_KEPT) pair.sent += chunk.toString('latin1');
      pass(() => server.write(chunk));
    });
    server.on('data', (chunk) => {
      if (!pair.isReady) pair.isReady = chunk.includes(READY_FOR_QUERY);
      pass(() => client.write(chunk));
    });
    client.on('end', () => pass(() => server.end()));
    server.on('end', () => pass(() => client.end()));
    for (const [own, other] of [[client, server] as const, [server, client] as const]) {
      own.on('error', () => {});
      own.on('close', () => {
        pass(() => other.destroy());
        if (client.destroyed && server.destroyed) pairs.delete(pair);
      });
    }
  });
  const port = await listen(listener);
  const passing = (which: Chooses = () => true) =>
    [...pairs].filter(({ client, isWithheld, sent }) => !client.destroyed && !isWithheld && which(sent));
  const withhold = (pair: Pair) => {
    pair.isWithheld = true;
  };
  return {
    port,
    urlOf(url) {
      const own = new URL(url);
      own.host = `127.0.0.1:${port}`;
      return own.href;
    },
    count(which) {
      return passing(which).length;
    },
    triedInSilence() {
      return triedInSilence;
    },
    delay(ms) {
      delayMs = ms;
    },
    blackhole() {
      isBlackhole = true;
      triedInSilence = 0;
      for (const pair of pairs) withhold(pair);
    },
    blackholeOpen(which) {
      const chosen = passing(which);
      for (const pair of chosen) withhold(pair);
      return chosen.length;
    },
    heal({ forgets }) {
      isBlackhole = false;
      if (forgets) {
        // A backend that waits for the rest of a login holds up every create and drop of a database on its server, for 60 s.
        for (const { server, isReady } of pairs) if (!isReady) server.destroy();
        return;
      }
      for (const pair of pairs) {
        pair.isWithheld = false;
        for (const act of pair.missed.splice(0)) act();
      }
    },
    reset() {
      for (const { client, server } of pairs) {
        client.resetAndDestroy();
        server.resetAndDestroy();
      }
    },
    async close() {
      for (const { client, server } of pairs) {
        client.destroy();
        server.destroy();
      }
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}

/** A port of loopback that is free at the moment. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  const port = await listen(probe);
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as { port: number }).port;
}
