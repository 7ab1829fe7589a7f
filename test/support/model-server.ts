// A server on this machine that speaks OpenAI's chat completions and keeps a ledger of what it was asked. The turn of a
// conversation is the number of answers that the request repeats.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonObject } from '../../src/core/json.ts';

export interface ModelRequest {
  readonly turn: number;
  readonly body: JsonObject;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export interface ModelServer {
  /** With `/v1`. */
  readonly url: string;
  readonly ledger: readonly ModelRequest[];
  close(): Promise<void>;
}

/** What a turn gets: a chat completion, a status with a body, or nothing: then `hold` has the open answer. */
export type Turn = (
  request: ModelRequest,
  hold: ServerResponse,
) => JsonObject | { readonly status: number; readonly body: JsonObject } | null;

export async function openModelServer(answer: Turn): Promise<ModelServer> {
  const ledger: ModelRequest[] = [];
  const server = createServer(async (incoming, response) => {
    let text = '';
    for await (const chunk of incoming) text += chunk;
    const body = JSON.parse(text) as JsonObject & { messages: { role: string }[] };
    const turn = body.messages.filter(({ role }) => role === 'assistant').length;
    const request = { turn, body, at: Date.now() };
    ledger.push(request);
    const answered = answer(request, response);
    if (answered === null) return;
    const { status, body: sent } =
      'status' in answered
        ? (answered as { status: number; body: JsonObject })
        : { status: 200, body: answered };
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(sent));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    ledger,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
