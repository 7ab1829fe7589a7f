// Sends one request over a connection to a checked address: the only user of undici.
//   T1  A connection is made to an address that the guard has checked for it, and to no other.
//   T2  What is not read to its end is cut, and its socket destroyed.
//   T3  A request that may be sent only once has a connection of its own: one that lay idle may just have been closed
//       by the other side, and then nobody knows whether the request arrived.
import { isIP, type LookupFunction, type Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { Agent, buildConnector, type Dispatcher } from 'undici';
import { TerminalError } from '../../core/errors.ts';
import { parseAddress } from './address.ts';
import { ConnectFailure } from './failure.ts';
import type { Guard, ResolvedAddress } from './guard.ts';
import type { Hop } from './redirect.ts';

/** Milliseconds. */
export interface TimeLimits {
  /** To resolve, connect and agree on TLS. */
  readonly connectMs: number;
  /** From the request to the last of the answer's headers. */
  readonly headersMs: number;
  /** Between two parts of a body. */
  readonly idleMs: number;
}

export interface RawAnswer {
  readonly status: number;
  readonly statusText: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Readable;
}

export interface SendOptions {
  readonly signal: AbortSignal;
  readonly limits: TimeLimits;
  readonly isOnce: boolean;
  /** Called when the request is about to be written to its connection. */
  readonly onSend?: () => void;
}

export interface Transport {
  /** Rejects with the signal's reason, or with errors that `callFailure` explains. */
  send(hop: Hop, options: SendOptions): Promise<RawAnswer>;
  close(): Promise<void>;
}

export interface TransportOptions {
  readonly guard: Guard;
  readonly connectMs: number;
  /** Certificates to trust besides the usual ones, PEM. */
  readonly ca?: readonly string[];
}

const MAX_HEADER_BYTES = 16_384;

export function createTransport(options: TransportOptions): Transport {
  const common = { connect: guardedConnector(options), maxHeaderSize: MAX_HEADER_BYTES, allowH2: false };
  const pooled = new Agent({ ...common, keepAliveTimeout: 4000, keepAliveMaxTimeout: 30_000 });
  const once = new Agent({ ...common, pipelining: 0 });
  return {
    async send(hop, { signal, limits, isOnce, onSend }) {
      signal.throwIfAborted();
      const agent = observed(isOnce ? once : pooled, signal, onSend);
      const answering = agent.request({
        origin: hop.url.origin,
        path: `${hop.url.pathname}${hop.url.search}`,
        method: hop.method as Dispatcher.HttpMethod,
        headers: hop.headers,
        body: hop.body,
        signal,
        headersTimeout: limits.headersMs,
        bodyTimeout: limits.idleMs,
      });
      // While it connects undici does not heed the signal; the request is then never written.
      const answer = await unlessAborted(answering, signal);
      return {
        status: answer.statusCode,
        statusText: answer.statusText,
        headers: answer.headers,
        body: answer.body,
      };
    },
    async close() {
      await Promise.all([pooled.destroy(), once.destroy()]);
    },
  };
}

function guardedConnector({ guard, connectMs, ca }: TransportOptions): buildConnector.connector {
  return (target, callback) => {
    const port = Number(target.port) || (target.protocol === 'https:' ? 443 : 80);
    const startedAt = performance.now();
    const fail = (cause: unknown): void => callback(new ConnectFailure(cause), null);
    within(connectMs, guard.addressesOf(target.hostname, port)).then((addresses) => {
      const connect = buildConnector({
        allowH2: false,
        maxCachedSessions: 0,
        timeout: Math.max(1, connectMs - Math.round(performance.now() - startedAt)),
        autoSelectFamily: true,
        lookup: pinned(addresses),
        ...(ca !== undefined && { ca: [...ca] }),
      } as buildConnector.BuildOptions);
      connect(target, (error, socket) => {
        if (error !== null) return fail(error);
        if (isAmong(socket, addresses)) return callback(null, socket);
        socket.on('error', () => {}).destroy();
        fail(new TerminalError('blocked_destination', 'connected to an address that was not checked'));
      });
    }, fail);
  };
}

// For connecting: the addresses that were checked, whatever the name may resolve to by now.
function pinned(addresses: readonly ResolvedAddress[]): LookupFunction {
  return (_hostname, options, callback) => {
    const [first] = addresses;
    if (options.all === true) callback(null, [...addresses]);
    else callback(null, first!.address, first!.family);
  };
}

function isAmong(socket: Socket, addresses: readonly ResolvedAddress[]): boolean {
  const remote = parseAddress(socket.remoteAddress ?? '');
  // Gone already: what is written to it will fail.
  if (remote === null) return socket.remoteAddress === undefined;
  return addresses.some(({ address }) => {
    const checked = isIP(address) === 0 ? null : parseAddress(address);
    return checked?.family === remote.family && checked.value === remote.value;
  });
}

function observed(agent: Agent, signal: AbortSignal, onSend: (() => void) | undefined): Dispatcher {
  if (onSend === undefined) return agent;
  return agent.compose((dispatch) => (options, handler) => {
    const start = handler.onRequestStart;
    handler.onRequestStart = (controller, context) => {
      if (!signal.aborted) onSend();
      start?.call(handler, controller, context);
    };
    return dispatch(options, handler);
  });
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(Object.assign(new Error('late'), { code: 'ETIMEDOUT' })), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (stop !== undefined) signal.removeEventListener('abort', stop);
  }
}
