// Loaded into the service before anything else, by `node --import`: writes down how long turns of its main loop take, in time of
// its own thread too (which other work on the machine does not lengthen), and its memory when it is asked. src/ knows nothing of it.
import { openSync, writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/** Shorter turns are not written down. */
const LEAST_MS = 40;
const EVERY_MS = 10;

const { FUZZ_TURNS } = process.env;
if (FUZZ_TURNS !== undefined && isMainThread) {
  const file = openSync(FUZZ_TURNS, 'a');
  const say = (line: object) => writeSync(file, `${JSON.stringify(line)}\n`);
  let at = performance.now();
  let cpu = process.threadCpuUsage();
  setInterval(() => {
    const now = performance.now();
    const used = process.threadCpuUsage(cpu);
    const cpuMs = Math.round((used.user + used.system) / 1000);
    if (cpuMs > LEAST_MS) say({ kind: 'turn', at: Date.now(), wallMs: Math.round(now - at), cpuMs });
    at = now;
    cpu = process.threadCpuUsage();
  }, EVERY_MS).unref();
  process.on('SIGUSR2', () => {
    // Compacts too: what V8 keeps of pages that are nearly empty says nothing of what the service holds.
    globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    say({ kind: 'memory', ...process.memoryUsage() });
  });
}
