// Who may hold a connection of the service. A holder is an address while a connection has not shown who calls (a stranger), and
// the key that it showed afterwards.
//   C1  A new connection is taken in, and an older one makes room where there are too many: of its own holder, of strangers, of all.
//       Whoever asks at once is served, however many wait for nothing.
//   C2  The one that has been idle for longest goes first; one with a request under way only where none is idle.
//   C3  Strangers go before those who have shown who they are. Only a service that is full of requests with keys refuses the new one.
//   C4  Bodies that are still coming in hold so many bytes together; beyond that the largest of the holder that has most goes.
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { networkOf } from '../caller/client-address.ts';

export interface ConnectionLimits {
  /** All. */
  readonly most: number;
  /** Of strangers together. */
  readonly strangers: number;
  /** Of strangers from one address (IPv6: one /64). */
  readonly ofAddress: number;
  /** Of one key. */
  readonly ofKey: number;
  /** Bytes of bodies that are not complete, of all. */
  readonly bodyBytes: number;
}

export const CONNECTION_LIMITS: ConnectionLimits = {
  most: 4_096,
  strangers: 2_048,
  ofAddress: 512,
  ofKey: 2_048,
  bodyBytes: 64_000_000,
};
/** How often bodies that are coming in are weighed. */
const WEIGH_EVERY_MS = 250;

export interface ConnectionsOptions {
  readonly limits?: ConnectionLimits | undefined;
  /** Many callers share the address of a proxy, which has no limit of its own. */
  readonly isProxy?: ((address: string) => boolean) | undefined;
  /** One was closed to make room. */
  readonly onEvicted?: (() => void) | undefined;
}

interface Connection {
  readonly socket: Socket;
  holder: string;
  isStranger: boolean;
  isProxy: boolean;
  hasAsked: boolean;
  /** Requests that have not been answered. */
  underWay: number;
  /** What the socket had read when a request began whose body has not come to its end; null: there is none. */
  bodyFrom: number | null;
}

/** Connections in the order in which they came to be so. */
class Room {
  readonly idle = new Set<Connection>();
  readonly busy = new Set<Connection>();

  get size(): number {
    return this.idle.size + this.busy.size;
  }

  // C2.
  oldestBut(newest: Connection): Connection | null {
    for (const one of this.idle) if (one !== newest) return one;
    for (const one of this.busy) if (one !== newest) return one;
    return null;
  }
}

export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #isProxy: (address: string) => boolean;
  readonly #onEvicted: () => void;
  readonly #bySocket = new Map<Socket, Connection>();
  readonly #strangers = new Room();
  readonly #known = new Room();
  readonly #byHolder = new Map<string, Room>();
  readonly #receiving = new Set<Connection>();
  #weighing: NodeJS.Timeout | null = null;

  constructor({ limits = CONNECTION_LIMITS, isProxy, onEvicted }: ConnectionsOptions = {}) {
    this.#limits = limits;
    this.#isProxy = isProxy ?? (() => false);
    this.#onEvicted = onEvicted ?? (() => {});
  }

  /** Watches a server; several may share their limits. */
  watch(server: Server): void {
    server.on('connection', (socket) => this.#open(socket));
    server.on('request', (request, response) => {
      const { socket } = request;
      this.#change(socket, (one) => {
        one.hasAsked = true;
        one.underWay++;
      });
      response.once('close', () => this.#change(socket, (one) => void one.underWay--));
      const { 'content-length': length, 'transfer-encoding': coding } = request.headers;
      if (coding !== undefined || Number(length ?? 0) > 0) this.#receive(request);
    });
  }

  /** What came over this socket has shown who calls. `holder`: the key, whose connections are counted together from now on. */
  recognise(socket: Socket, holder: string): void {
    const one = this.#bySocket.get(socket);
    const name = `key ${holder}`;
    if (one === undefined || one.holder === name) return;
    this.#change(socket, (known) => {
      known.holder = name;
      known.isStranger = false;
    });
    if (this.#byHolder.get(name)!.size > this.#limits.ofKey)
      this.#evict(this.#byHolder.get(name)!.oldestBut(one));
  }

  /** C4. */
  weighBodies(): void {
    const weightOf = ({ socket, bodyFrom }: Connection) => socket.bytesRead - (bodyFrom ?? socket.bytesRead);
    let total = 0;
    const byHolder = new Map<string, Connection[]>();
    for (const one of this.#receiving) {
      total += weightOf(one);
      byHolder.set(one.holder, [...(byHolder.get(one.holder) ?? []), one]);
    }
    if (total <= this.#limits.bodyBytes) return;
    const weightOfAll = (ones: readonly Connection[]) => ones.reduce((sum, one) => sum + weightOf(one), 0);
    const heaviest = [...byHolder.values()].reduce((a, b) => (weightOfAll(b) > weightOfAll(a) ? b : a));
    for (const one of heaviest.toSorted((a, b) => weightOf(b) - weightOf(a))) {
      if (total <= this.#limits.bodyBytes) return;
      total -= weightOf(one);
      this.#evict(one);
    }
    this.weighBodies();
  }

  /** Those that have brought no request: Node takes them for busy ones. */
  closeUnasked(): void {
    for (const { socket, hasAsked } of this.#bySocket.values()) if (!hasAsked) socket.destroy();
  }

  #open(socket: Socket): void {
    const address = socket.remoteAddress;
    if (address === undefined) {
      socket.destroy();
      return;
    }
    const one: Connection = {
      ...{ socket, holder: `address ${networkOf(address)}`, isStranger: true },
      ...{ isProxy: this.#isProxy(address), hasAsked: false, underWay: 0, bodyFrom: null },
    };
    this.#bySocket.set(socket, one);
    this.#enter(one);
    socket.once('close', () => {
      if (!this.#bySocket.delete(socket)) return;
      this.#received(one);
      this.#leave(one);
    });
    this.#makeRoom(one);
  }

  // C1, C3.
  #makeRoom(newest: Connection): void {
    const { most, strangers, ofAddress } = this.#limits;
    const own = this.#byHolder.get(newest.holder)!;
    if (own.size > ofAddress && !newest.isProxy) this.#evict(own.oldestBut(newest));
    if (this.#strangers.size > strangers) this.#evict(this.#strangers.oldestBut(newest));
    if (this.#bySocket.size <= most) return;
    const [idle] = this.#known.idle;
    this.#evict(this.#strangers.oldestBut(newest) ?? idle ?? newest);
  }

  #receive(request: IncomingMessage): void {
    const one = this.#bySocket.get(request.socket);
    if (one === undefined) return;
    one.bodyFrom = request.socket.bytesRead;
    this.#receiving.add(one);
    this.#weighing ??= setInterval(() => this.weighBodies(), WEIGH_EVERY_MS).unref();
    const end = () => this.#received(one);
    request.once('end', end);
    request.once('close', end);
  }

  #received(one: Connection): void {
    one.bodyFrom = null;
    this.#receiving.delete(one);
    if (this.#receiving.size > 0 || this.#weighing === null) return;
    clearInterval(this.#weighing);
    this.#weighing = null;
  }

  #evict(one: Connection | null): void {
    if (one === null) return;
    this.#bySocket.delete(one.socket);
    this.#received(one);
    this.#leave(one);
    one.socket.destroy();
    this.#onEvicted();
  }

  #change(socket: Socket, change: (one: Connection) => void): void {
    const one = this.#bySocket.get(socket);
    if (one === undefined) return;
    this.#leave(one);
    change(one);
    this.#enter(one);
  }

  #enter(one: Connection): void {
    let own = this.#byHolder.get(one.holder);
    if (own === undefined) {
      own = new Room();
      this.#byHolder.set(one.holder, own);
    }
    for (const room of [own, one.isStranger ? this.#strangers : this.#known])
      (one.underWay > 0 ? room.busy : room.idle).add(one);
  }

  #leave(one: Connection): void {
    const own = this.#byHolder.get(one.holder);
    for (const room of [own, one.isStranger ? this.#strangers : this.#known]) {
      room?.idle.delete(one);
      room?.busy.delete(one);
    }
    if (own?.size === 0) this.#byHolder.delete(one.holder);
  }
}
