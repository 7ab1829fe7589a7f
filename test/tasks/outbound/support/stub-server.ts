// A server on loopback that counts its connections: the other side of the calls under test.
import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { TEST_CERTIFICATE, TEST_KEY } from './test-certificate.ts';

export interface Received {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface Stub {
  readonly port: number;
  /** `http://127.0.0.1:<port>` or `https://…`. */
  readonly origin: string;
  /** Connections so far. */
  readonly connections: number;
  /** Whole requests so far; none with `openRawStub`. */
  readonly received: readonly Received[];
  /** Resolves when no connection is open; rejects after 15 s. */
  allClosed(): Promise<void>;
  close(): Promise<void>;
}

export type Answer = (request: Received, response: ServerResponse) => void;

/** Speaks HTTP. */
export async function openStub(answer: Answer, options: { tls?: boolean } = {}): Promise<Stub> {
  const received: Received[] = [];
  const listener = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return; // the caller broke off
    }
    const { method = '', url: target = '', headers } = request;
    const one = { method, target, headers, body: Buffer.concat(chunks).toString() };
    received.push(one);
    try {
      answer(one, response);
    } catch (error) {
      response.destroy();
      throw error;
    }
  };
  const server =
    options.tls === true
      ? createHttpsServer({ cert: TEST_CERTIFICATE, key: TEST_KEY }, listener)
      : createHttpServer(listener);
  server.keepAliveTimeout = 60_000;
  return open(server as unknown as Server, options.tls === true ? 'https' : 'http', received);
}

/** Speaks whatever the test says. */
export function openRawStub(answer: (socket: Socket) => void): Promise<Stub> {
  const listener = (socket: Socket): void => {
    // Reads on, or it would not see that the other side has gone.
    socket.on('data', () => {});
    answer(socket);
  };
  return open(createTcpServer(listener), 'http', []);
}

/** An answer whose text is written as it stands, once a request begins. */
export function raw(text: string | Buffer, then?: (socket: Socket) => void): (socket: Socket) => void {
  return (socket) => {
    socket.once('data', () => {
      socket.write(text);
      then?.(socket);
    });
  };
}

async function open(server: Server, scheme: string, received: Received[]): Promise<Stub> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      server.emit('stubSocketClosed');
    });
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    origin: `${scheme}://127.0.0.1:${port}`,
    get connections() {
      return connections;
    },
    received,
    async allClosed() {
      const signal = AbortSignal.timeout(15_000);
      while (sockets.size > 0) await once(server, 'stubSocketClosed', { signal });
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
