// The server that tasks of the fuzz call: answers each number as answers.ts says, and keeps the tokens of callbacks.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Answer, answerOf } from './inputs/answers.ts';
import { seedOf } from './inputs/plan.ts';

/** A drip ends after this long, or the run would. */
const DRIP_MS = 6_000;
const DRIPS = 200;

export interface HostileServer {
  readonly origin: string;
  readonly host: string;
  /** Answers so far. */
  readonly served: number;
  /** The token that was sent with this case; null: none yet. */
  tokenOf(number: number): string | null;
  forgetToken(number: number): void;
  close(): Promise<void>;
}

export async function openHostileServer(seed: number): Promise<HostileServer> {
  const tokens = new Map<number, string>();
  let served = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const [, way, number] = (request.url ?? '').split('/');
    served++;
    if (way === 'callback') {
      tokens.set(Number(number), JSON.parse(Buffer.concat(chunks).toString()).token);
      response.end('{}');
    } else await give(response, answerOf(seedOf(seed, Number(number)), way === 'model'));
  };
  const server = createServer((request, response) => {
    response.on('error', () => {});
    // The caller may have gone meanwhile.
    answer(request, response).catch(() => response.destroy());
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin: `http://${host}`,
    host,
    get served() {
      return served;
    },
    tokenOf: (number) => tokens.get(number) ?? null,
    forgetToken: (number) => void tokens.delete(number),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function give(
  response: ServerResponse,
  { status, headers, body, length, dripMs, isCutOff }: Answer,
): Promise<void> {
  // A length that lies is written past Node's own care for it.
  response.strictContentLength = false;
  response.writeHead(status, {
    ...headers,
    ...(length !== undefined && { 'content-length': String(length) }),
  });
  const sent = isCutOff ? body.subarray(0, body.length >> 1) : body;
  if (dripMs !== undefined) {
    const piece = Math.max(1, Math.ceil(sent.length / DRIPS));
    const endsAt = performance.now() + DRIP_MS;
    for (let at = 0; at < sent.length && performance.now() < endsAt && !response.destroyed; at += piece) {
      response.write(sent.subarray(at, at + piece));
      await new Promise((resolve) => setTimeout(resolve, dripMs));
    }
  } else response.write(sent);
  if (isCutOff) response.destroy();
  else response.end();
}
