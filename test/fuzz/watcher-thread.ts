// Asks the service's health and a neighbour's list, each at its own pace whatever becomes of the questions before, in a thread of
// its own: what the generator does delays it not. What delays it all the same is written down, and taken off the waits.
import { Agent, request } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';
import type { Asked, Watch, Watched } from './watcher.ts';

const PATIENCE_MS = 60_000;
/** Shorter delays of this thread are not worth a line. */
const LEAST_LAG_MS = 5;
const LAG_EVERY_MS = 5;

const { url, watches } = workerData as { url: string; watches: readonly Watch[] };
const lags: { from: number; to: number }[] = [];
const asked: Asked[] = [];
const open = new Set<Promise<void>>();

let last = performance.now();
const lagging = setInterval(() => {
  const now = performance.now();
  if (now - last > LAG_EVERY_MS + LEAST_LAG_MS) lags.push({ from: last + LAG_EVERY_MS, to: now });
  last = now;
}, LAG_EVERY_MS);

function ask({ path, key }: Watch, name: string, agent: Agent): Promise<void> {
  const from = performance.now();
  const at = Date.now();
  return new Promise((resolve) => {
    const end = (status: number | string) => {
      const to = performance.now();
      const late = lags.reduce(
        (sum, lag) => sum + Math.max(0, Math.min(to, lag.to) - Math.max(from, lag.from)),
        0,
      );
      asked.push({ name, at, waitMs: Math.max(0, to - from - late), status });
      resolve();
    };
    const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
    const sent = request(`${url}${path}`, { agent, headers, timeout: PATIENCE_MS }, (response) => {
      response.resume();
      response.on('end', () => end(response.statusCode!));
      response.on('error', (error) => end(error.message));
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer')));
    sent.on('error', (error) => end(error.message));
    sent.end();
  });
}

const asking = watches.map((watch) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  let unanswered = 0;
  return setInterval(() => {
    if (unanswered >= watch.mostOpen) return;
    unanswered++;
    const answered = ask(watch, watch.name, agent);
    open.add(answered);
    void answered.then(() => {
      unanswered--;
      open.delete(answered);
    });
    // Those of long ago touch no question that is open.
    while (lags.length > 1_000) lags.shift();
  }, watch.everyMs);
});

parentPort!.on('message', async (what: 'end' | 'tell') => {
  if (what === 'end') {
    for (const timer of asking) clearInterval(timer);
    await Promise.all(open);
    clearInterval(lagging);
  }
  parentPort!.postMessage({ asked: asked.splice(0) } satisfies Watched);
  if (what === 'end') parentPort!.close();
});
