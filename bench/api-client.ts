// Sends requests over kept connections, one at a time on each, and measures. A process of its own; plain sockets, so that
// on a small machine the client takes as little of the processor as it can.
import { createConnection, type Socket } from 'node:net';

/** What the parent asks for. */
export interface LoadRequest {
  readonly port: number;
  readonly key: string;
  readonly connections: number;
  readonly forMs: number;
  /** `starts`: POST to this path with an Idempotency-Key each; `reads`: GET of each of these paths in turn. */
  readonly load:
    | { readonly kind: 'starts'; readonly path: string; readonly body: string }
    | { readonly kind: 'reads'; readonly paths: readonly string[] };
}

export interface LoadAnswer {
  readonly requests: number;
  /** Answers that were no success. */
  readonly failures: number;
  readonly ms: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Processor time of this process. */
  readonly cpuMs: number;
  /** Body of the last answer. */
  readonly lastBody: string;
}

const HEAD_END = Buffer.from('\r\n\r\n');

/** A connection that answers one request at a time. */
class Connection {
  readonly #socket: Socket;
  #text: Buffer = Buffer.alloc(0);
  #waiting: ((answer: { status: number; body: string }) => void) | null = null;

  constructor(port: number) {
    this.#socket = createConnection({ host: '127.0.0.1', port, noDelay: true });
    this.#socket.on('data', (chunk) => this.#read(chunk));
    this.#socket.on('error', (error) => {
      throw error;
    });
  }

  send(text: string): Promise<{ status: number; body: string }> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.#socket.write(text);
    });
  }

  end(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#text = this.#text.length === 0 ? chunk : Buffer.concat([this.#text, chunk]);
    const at = this.#text.indexOf(HEAD_END);
    if (at < 0) return;
    const head = this.#text.toString('latin1', 0, at);
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
    const end = at + HEAD_END.length + length;
    if (this.#text.length < end) return;
    const body = this.#text.toString('utf8', at + HEAD_END.length, end);
    this.#text = this.#text.subarray(end);
    this.#waiting?.({ status: Number(head.slice(9, 12)), body });
  }
}

async function run({ port, key, connections, forMs, load }: LoadRequest): Promise<LoadAnswer> {
  const times: number[] = [];
  let failures = 0;
  let lastBody = '';
  let sent = 0;
  const prefix = `${process.pid}-${Date.now()}`;
  const common = `Host: 127.0.0.1\r\nAuthorization: Bearer ${key}\r\n`;
  const next = () => {
    const n = sent++;
    if (load.kind === 'reads') return `GET ${load.paths[n % load.paths.length]} HTTP/1.1\r\n${common}\r\n`;
    return `POST ${load.path} HTTP/1.1\r\n${common}Content-Type: application/json\r\nIdempotency-Key: ${prefix}-${n}\r\nContent-Length: ${Buffer.byteLength(load.body)}\r\n\r\n${load.body}`;
  };
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  const lane = async () => {
    const connection = new Connection(port);
    while (performance.now() - startedAt < forMs) {
      const before = performance.now();
      const { status, body } = await connection.send(next());
      times.push(performance.now() - before);
      if (status >= 300) failures++;
      lastBody = body;
    }
    connection.end();
  };
  await Promise.all(Array.from({ length: connections }, lane));
  const ms = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpu);
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  return {
    requests: times.length,
    failures,
    ms,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1),
    cpuMs: (user + system) / 1000,
    lastBody,
  };
}

process.on('message', (request: LoadRequest) => {
  void run(request).then((answer) => process.send?.(answer));
});
process.on('disconnect', () => process.exit());
process.on('SIGINT', () => {});
