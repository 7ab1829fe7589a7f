// A client of the API as they are in the field: it waits for so long, goes away in the middle of its request or after it, and
// says how each exchange ended.
import { Agent, request as send } from 'node:http';
import type { ServiceSlot } from './services.ts';

export interface Call {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** After this long it hangs up. */
  readonly patienceMs?: number;
  /** Hangs up with half of the body sent, or as soon as all is sent. */
  readonly leaves?: 'half' | 'sent';
}

/** Times in milliseconds, by `performance.now()`. */
export type Exchange = { readonly from: number; readonly to: number } & (
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: Readonly<Record<string, string | string[] | undefined>>;
      readonly text: string;
    }
  /** The other side, or nobody there. */
  | { readonly kind: 'broken'; readonly code: string }
  /** We hung up: `late` after all our patience. */
  | { readonly kind: 'left'; readonly late: boolean }
);

const PATIENCE_MS = 15_000;

export const createAgent = () => new Agent({ keepAlive: true, maxSockets: 200 });

export function exchange(agent: Agent, baseUrl: string, call: Call): Promise<Exchange> {
  const { method = 'POST', path, headers = {}, body = '', patienceMs = PATIENCE_MS, leaves } = call;
  const { hostname, port } = new URL(baseUrl);
  const from = performance.now();
  return new Promise((resolve) => {
    let left: 'late' | 'early' | null = null;
    let timer: NodeJS.Timeout | undefined;
    const end = (result: object) => {
      clearTimeout(timer);
      resolve({ from, to: performance.now(), ...result } as Exchange);
    };
    const fail = (error: Error & { code?: string }) =>
      end(
        left === null
          ? { kind: 'broken', code: error.code ?? error.message }
          : { kind: 'left', late: left === 'late' },
      );
    const request = send(
      {
        ...{ hostname, port, method, path, agent },
        headers: {
          ...(body === ''
            ? {}
            : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
          ...headers,
        },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('error', fail);
        response.on('close', () => {
          if (!response.complete) fail(new Error('cut off'));
          else end({ kind: 'answer', status: response.statusCode!, headers: response.headers, text });
        });
      },
    );
    const leave = (how: 'late' | 'early') => {
      left = how;
      request.destroy(new Error('left'));
    };
    timer = setTimeout(() => leave('late'), patienceMs);
    request.on('error', fail);
    if (leaves === 'half') {
      request.write(body.slice(0, body.length >> 1));
      setTimeout(() => leave('early'), 5);
    } else request.end(body, () => leaves === 'sent' && setTimeout(() => leave('early'), 2));
  });
}

/** Connections that broke, to be judged when all is over: a process that was killed may break them, one that lives may not. */
export class Broken {
  readonly #seen: { slot: ServiceSlot; from: number; to: number; code: string }[] = [];

  note(slot: ServiceSlot, { from, to, code }: Extract<Exchange, { kind: 'broken' }>): void {
    this.#seen.push({ slot, from, to, code });
  }

  get count(): number {
    return this.#seen.length;
  }

  /** Of processes that were there all the time: how, and how far from an absence. */
  get unexplained(): string[] {
    return this.#seen.flatMap(({ slot, from, to, code }) =>
      slot.wasAwayBetween(from, to)
        ? []
        : [`${code}, ${Math.round(slot.fromAbsence(from, to))} ms from the end or the start of a process`],
    );
  }
}
