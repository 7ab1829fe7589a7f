// The outside world of a chaos run: an HTTP service in the supervisor that answers after 20 to 200 ms, and writes into an
// append-only ledger what it was asked, when, and whether its answer could be sent. It is outside the tested database.
import { randomUUID } from 'node:crypto';
import { openSync, writeSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { LedgerLine } from '../crash/support/ledger-tasks.ts';
import { type Chance, hashOf } from './statistics.ts';

/** What a task body sends. */
export interface ProviderCall {
  readonly execution: string;
  readonly task: string;
  readonly attempt: number;
  /** The idempotency key. */
  readonly key: string;
  readonly pid: number;
  /** Names this entry of the body: one run may call several times. */
  readonly run: string;
  /** Of a body that keeps checkpoints: which step. */
  readonly step?: number;
  /** The first attempt is refused with 503. */
  readonly isFlaky?: boolean;
}

/** `gone`: the caller had left before its answer. */
export interface ProviderLine extends Omit<LedgerLine, 'event'> {
  readonly event: 'start' | 'end' | 'gone';
  readonly run: string;
  readonly step?: number;
  /** Given with the answer, and stored with the task's output. */
  readonly token: string;
}

/** The value that the service gives for a key: always the same, so that a run's output can be foretold. */
export function valueFor(key: string): number {
  return hashOf(key) % 1000;
}

export interface Provider {
  readonly url: string;
  readonly lines: readonly ProviderLine[];
  close(): Promise<void>;
}

/** `ledger`: the file that it appends to. */
export async function openProvider(ledger: string, chance: Chance): Promise<Provider> {
  const file = openSync(ledger, 'a');
  const lines: ProviderLine[] = [];
  const write = (line: ProviderLine) => {
    writeSync(file, `${JSON.stringify(line)}\n`);
    lines.push(line);
  };
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += chunk;
    // external_api tells by its path and its header what a body of ours tells in JSON.
    const call = request.url === '/call' ? (JSON.parse(text) as ProviderCall) : callOf(request);
    const { execution, task, attempt, key, pid, run, step } = call;
    const token = randomUUID();
    const line = (event: ProviderLine['event']): ProviderLine => ({
      ...{ event, execution, task, attempt, key, pid, run, token, at: Date.now() },
      ...(step !== undefined && { step }),
    });
    write(line('start'));
    await delay(chance.between(20, 200));
    if (response.destroyed) return write(line('gone'));
    const isRefused = call.isFlaky === true && attempt === 1;
    response.writeHead(isRefused ? 503 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ value: valueFor(key), attempt, token }));
    write(line('end'));
  };
  const server = createServer((request, response) => {
    // A caller that is killed while it sends breaks its request off.
    answer(request, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lines,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

// PUT /task/<execution>/<task>/<attempt>
function callOf(request: IncomingMessage): ProviderCall {
  const [execution = '', task = '', attempt = '1'] = decodeURIComponent(request.url ?? '')
    .split('/')
    .slice(2);
  return {
    execution,
    task,
    attempt: Number(attempt),
    key: `${execution}:${task}`,
    pid: 0,
    run: randomUUID(),
  };
}
