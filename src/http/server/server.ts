// The HTTP server of a process: listens, and ends without cutting anyone off.
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Api } from './api.ts';
import type { ApiContext } from './api-context.ts';
import { type AppOptions, createApp } from './app.ts';
import { type ConnectionLimits, Connections } from './connections.ts';

/** The port cannot be had. `hint` says what to do. */
export class ListenError extends Error {
  readonly hint: string;
  constructor(message: string, hint: string, cause: unknown) {
    super(message, { cause });
    this.name = 'ListenError';
    this.hint = hint;
  }
}

export interface ServerOptions extends Omit<AppOptions, 'connections'> {
  readonly connectionLimits?: ConnectionLimits;
}

export class Server {
  readonly #service: ApiContext;
  readonly #app: Api;
  readonly #connections: Connections;

  private constructor(service: ApiContext, app: Api, connections: Connections) {
    this.#service = service;
    this.#app = app;
    this.#connections = connections;
  }

  static async create(service: ApiContext, options: ServerOptions = {}): Promise<Server> {
    const connections = new Connections({
      limits: options.connectionLimits,
      isProxy: service.settings.isProxy,
      onEvicted: () => service.metrics.connectionEvicted(),
    });
    return new Server(service, await createApp(service, { ...options, connections }), connections);
  }

  /** Throws {@link ListenError}. Port 0 takes any that is free; the URL tells which. */
  async listen(host: string, port: number): Promise<string> {
    try {
      await this.#app.listen({ host, port, backlog: 1_024 });
    } catch (error) {
      await this.#app.close();
      throw listenError(error, host, port);
    }
    const { address, port: taken, family } = this.#app.server.address() as AddressInfo;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`;
  }

  /**
   * Nothing new is accepted, and what runs may end within the grace period; streams are told to end at once. Then what is
   * left is cut off.
   */
  async stop(graceMs: number): Promise<void> {
    this.#service.health.drain();
    const closed = this.#app.close();
    this.#connections.closeUnasked();
    const timer = new AbortController();
    await Promise.race([closed, delay(graceMs, undefined, { signal: timer.signal }).catch(() => {})]);
    timer.abort();
    this.#app.server.closeAllConnections();
    await closed;
  }
}

function listenError(error: unknown, host: string, port: number): unknown {
  switch ((error as { code?: unknown }).code) {
    case 'EADDRINUSE':
      return new ListenError(
        `port ${port} of ${host} is in use`,
        `end the process that has it, or take another: PORT=${port === 65_535 ? port - 1 : port + 1}`,
        error,
      );
    case 'EACCES':
      return new ListenError(
        `port ${port} may not be taken by this user`,
        'take one above 1023: PORT=3000',
        error,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new ListenError(
        `${host} is no address of this machine`,
        'HOST=127.0.0.1, or 0.0.0.0 for all',
        error,
      );
    default:
      return error;
  }
}
