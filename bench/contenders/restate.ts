// Restate as its documentation shows it: a service whose handler runs its steps by ctx.run, called over the server's
// ingress, which answers when the invocation has ended. The server is a throw-away one (restate-server.ts) with its own
// store, whose log is flushed to disk before a step counts as recorded. The packages are peers of the benchmark only: what is
// used of them is written down below.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Session, SessionOptions } from '../contender.ts';
import { layeredRunOf } from './layers.ts';
import type { RestateServer } from './restate-server.ts';

interface Context {
  run(name: string, body: () => Promise<null>): Promise<null>;
}

interface Sdk {
  service(definition: {
    name: string;
    handlers: Record<string, (context: Context, input: readonly number[]) => Promise<null>>;
  }): unknown;
  createEndpointHandler(options: {
    services: readonly unknown[];
    logger(about: { level: string }, ...message: readonly unknown[]): void;
  }): (request: Http2ServerRequest, response: Http2ServerResponse) => void;
  readonly RestatePromise: { all(steps: readonly Promise<null>[]): Promise<unknown> };
}

const PACKAGE: string = '@restatedev/restate-sdk';
const SERVICE = 'bench';

let started: Promise<RestateServer> | undefined;
let executed = 0;

async function step(): Promise<null> {
  executed++;
  return null;
}

export async function openRestate(_url: string, { workload, isQuick }: SessionOptions): Promise<Session> {
  started ??= startAndRegister();
  const server = await started;
  const { layers, warmUp, stepsPerRun, bodiesPerRun } = layeredRunOf(workload, isQuick);
  const run = async (sizes: readonly number[]) => {
    const answer = await fetch(`http://127.0.0.1:${server.ingressPort}/${SERVICE}/layers`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(sizes),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`Restate answered ${answer.status}: ${text}`);
  };
  return {
    concurrency: workload.concurrency,
    stepsPerRun,
    bodiesPerRun,
    serverPid: server.pid,
    run: () => run(layers),
    ...(warmUp === null ? {} : { warmUp: () => run(warmUp) }),
    executed: () => executed,
    close: async () => {},
  };
}

// The server and the service live as long as this process: Restate knows a service by its address.
async function startAndRegister(): Promise<RestateServer> {
  const servicePort = await serve((await import(PACKAGE)) as Sdk);
  const keeper = fork(fileURLToPath(new URL('./restate-server.ts', import.meta.url)), [], {
    execArgv: ['--no-warnings'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const [answer] = (await Promise.race([
    once(keeper, 'message'),
    once(keeper, 'exit').then(([code]) => {
      throw new Error(`the Restate server did not start (exit code ${code})`);
    }),
  ])) as [RestateServer];
  const registered = await fetch(`http://127.0.0.1:${answer.adminPort}/deployments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ uri: `http://127.0.0.1:${servicePort}` }),
  });
  if (!registered.ok)
    throw new Error(`Restate refused the service (${registered.status}): ${await registered.text()}`);
  return answer;
}

async function serve({ service, createEndpointHandler, RestatePromise }: Sdk): Promise<number> {
  const layers = async (context: Context, sizes: readonly number[]) => {
    for (const size of sizes) {
      if (size === 1) await context.run('step', step);
      else await RestatePromise.all(Array.from({ length: size }, () => context.run('step', step)));
    }
    return null;
  };
  const handler = createEndpointHandler({
    services: [service({ name: SERVICE, handlers: { layers } })],
    logger: ({ level }, ...message) => {
      if (level === 'error') console.error('restate:', ...message);
    },
  });
  const server = createServer(handler).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
