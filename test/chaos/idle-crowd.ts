// Clients that hold connections and want nothing: each opens one, stops at some point of a request, never closes, and comes back
// when it is closed. Half of them share an address, the others have one for a few.
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Chance } from './statistics.ts';

/** Where each stops; none of them has a key. */
const STOPS = [
  '',
  'GET /v1/executions HTTP/1.1\r\nhost: a\r\n',
  'POST /hooks/a/b HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{',
  'GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n',
  'this is no HTTP\r\n\r\n',
];
/** Clients of one of the other addresses. */
const OF_ADDRESS = 20;

export class IdleCrowd {
  readonly #port: number;
  readonly #chance: Chance;
  readonly #sockets = new Set<Socket>();
  #isOver = false;
  /** Connections that were opened, and that could not be. */
  opened = 0;
  failed = 0;
  /** Held at once, at most. */
  most = 0;

  constructor(url: string, chance: Chance) {
    this.#port = Number(new URL(url).port);
    this.#chance = chance;
  }

  /** Resolves when all have come once; they go on until `end`. */
  async begin(clients: number): Promise<void> {
    for (let i = 0; i < clients && !this.#isOver; i++) {
      void this.#live(i);
      if (i % 20 === 19) await delay(20);
    }
  }

  end(): void {
    this.#isOver = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  async #live(i: number): Promise<void> {
    const other = Math.floor(i / (2 * OF_ADDRESS));
    const localAddress = i % 2 === 0 ? '127.0.0.1' : `127.0.${1 + (other >> 8)}.${1 + (other % 250)}`;
    while (!this.#isOver) {
      await this.#hold(localAddress, STOPS[Math.floor(i / 2) % STOPS.length]!);
      await delay(this.#chance.between(5_000, 15_000));
    }
  }

  // That the other side wants to end it is no reason to go: its own side stays open for a while yet.
  #hold(localAddress: string, text: string): Promise<void> {
    return new Promise((resolve) => {
      const socket = connect({
        ...{ port: this.#port, host: '127.0.0.1', localAddress, allowHalfOpen: true },
      });
      socket.once('connect', () => {
        this.opened++;
        this.#sockets.add(socket);
        this.most = Math.max(this.most, this.#sockets.size);
        if (text !== '') socket.write(text);
      });
      socket.on('error', () => {
        if (socket.bytesRead === 0 && !this.#sockets.has(socket)) this.failed++;
      });
      socket.on('end', () => void delay(this.#chance.between(5_000, 15_000)).then(() => socket.destroy()));
      socket.resume();
      socket.once('close', () => {
        this.#sockets.delete(socket);
        resolve();
      });
    });
  }
}
