// Reads YAML bodies without holding up everybody else: the parser takes some 10 µs and 200 bytes for each value, so that
// 10 MB of brackets are minutes and gigabytes. What is short is read at once, all else by a process of its own: it gives its
// memory back at once (V8 keeps a thread's for some 8 s), and where the machine runs out of memory the service is not hit.
//   Y1  One document at a time, within a time and a heap; beyond either it is refused with `too_complex`.
//   Y2  Tenants take turns: whoever waits comes before the next document of the tenant that was served last.
//   Y3  What waits is bounded, in all and of each tenant; beyond it the answer is 503.
import { fork } from 'node:child_process';
import { parseDocument } from '../../core/definition/reading/parse.ts';
import type { Result } from '../../core/errors.ts';
import { unavailable } from '../server/problem.ts';

/** Read on the main thread up to here: a fifth of a second for the most expensive text. */
const SHORT_BYTES = 32_768;
const DEADLINE_MS = 30_000;
const MAX_WAITING = 8;
const MAX_WAITING_OF_TENANT = 3;
/** 20,000 nodes with 200,000 edges take 300. */
const MAX_HEAP_MB = 400;
const MIN_HEAP_MB = 64;
/** Of the container's memory, for all else. */
const RESERVED_MB = 256;
/** Collects in fewer and larger steps than the default: a third faster. */
const SEMI_SPACE_MB = 16;

export interface YamlReader {
  /** Like parseDocument, with `too_complex` besides. Throws ApiError 503 where too many wait. */
  read(text: string, tenantId: string): Promise<Result<unknown>>;
}

export interface YamlReaderOptions {
  readonly deadlineMs?: number;
  readonly heapMb?: number;
}

interface Waiting {
  readonly text: string;
  readonly tenantId: string;
  readonly answer: (result: Result<unknown> | Promise<Result<unknown>>) => void;
}

export function createYamlReader(options: YamlReaderOptions = {}): YamlReader {
  const { deadlineMs = DEADLINE_MS, heapMb = heapLimitMb() } = options;
  const waiting: Waiting[] = [];
  let isBusy = false;
  let lastServed = '';

  const next = (): void => {
    if (isBusy) return;
    const other = waiting.findIndex(({ tenantId }) => tenantId !== lastServed);
    const [taken] = waiting.splice(Math.max(other, 0), 1);
    if (taken === undefined) return;
    isBusy = true;
    lastServed = taken.tenantId;
    const reading = readInProcess(taken.text, { deadlineMs, heapMb }).finally(() => {
      isBusy = false;
      next();
    });
    taken.answer(reading);
  };
  return {
    async read(text, tenantId) {
      if (text.length <= SHORT_BYTES && Buffer.byteLength(text) <= SHORT_BYTES)
        return parseDocument(text, 'yaml');
      const ofTenant = waiting.filter((one) => one.tenantId === tenantId).length;
      if (waiting.length >= MAX_WAITING || ofTenant >= MAX_WAITING_OF_TENANT)
        throw unavailable('other YAML documents are being read; try again, or send JSON', 'busy', 5);
      return await new Promise<Result<unknown>>((answer) => {
        waiting.push({ text, tenantId, answer });
        next();
      });
    },
  };
}

function heapLimitMb(): number {
  // 0, or far beyond any machine, where nothing constrains it.
  const constrainedMb = (process.constrainedMemory() || Number.MAX_SAFE_INTEGER) / 2 ** 20;
  return Math.floor(Math.min(MAX_HEAP_MB, Math.max(MIN_HEAP_MB, constrainedMb - RESERVED_MB)));
}

async function readInProcess(
  text: string,
  { deadlineMs, heapMb }: Required<YamlReaderOptions>,
): Promise<Result<unknown>> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const child = fork(new URL(`./yaml-process.${extension}`, import.meta.url), {
    execArgv: [`--max-old-space-size=${heapMb}`, `--max-semi-space-size=${SEMI_SPACE_MB}`],
    // The environment holds secrets, and the parser asks it for a debugging switch at each token.
    env: {},
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    // Never begun: there is nothing to wait for.
    child.once('error', () => child.pid ?? resolve());
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<Result<unknown>>((resolve, reject) => {
      child.once('message', (result) => resolve(result as Result<unknown>));
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        if (isOutOfMemory(code, signal)) resolve(tooComplex(`needs more than ${heapMb} MB`));
        else reject(unavailable('reading the YAML was interrupted; try again'));
      });
      timer = setTimeout(() => resolve(tooComplex(`takes longer than ${deadlineMs / 1000} s`)), deadlineMs);
      // Where it cannot be sent the process has ended, which is told above.
      child.send(text, () => {});
    });
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
    // Before the next one begins, or two heaps would be there at once.
    await ended;
  }
}

// How V8 ends a process whose heap is full, and how the kernel does.
function isOutOfMemory(code: number | null, signal: string | null): boolean {
  return code === 134 || ['SIGABRT', 'SIGTRAP', 'SIGILL', 'SIGKILL'].includes(signal ?? '');
}

function tooComplex(what: string): Result<never> {
  const message = `reading this YAML ${what}`;
  const hint = 'send it as JSON, which is read far faster, or make it smaller';
  return { ok: false, problems: [{ pointer: '', code: 'too_complex', message, hint }] };
}
