// Reads and checks definitions without holding up everybody else: the YAML parser takes some 10 µs and 200 bytes for each value,
// so that 10 MB of brackets are minutes and gigabytes; 20,000 nodes take two seconds to check, by whichever format; and a thousand
// schemas one to compile. What is short, and has little to compile, is done at once, all else by a process of its own: it gives its memory back at once (V8 keeps a thread's for some 8 s),
// and where the machine runs out of memory the service is not hit.
//   Y1  One document of a reader at a time, within a time and a heap; beyond either it is refused with `too_complex`.
//   Y2  Tenants take turns: whoever waits comes before the next document of the tenant that was served last.
//   Y3  What waits is bounded, in all and of each tenant; beyond it the answer is 503.
import { fork } from 'node:child_process';
import type { Problem } from '../../core/errors.ts';
import { eventLoop } from '../../tasks/event-loop.ts';
import type { DocumentBody } from '../server/api.ts';
import { ApiError, unavailable, unprocessable } from '../server/problem.ts';
import { type CheckedText, checkCheapText, type DefinitionText } from './check-text.ts';

/** Done on the main thread up to here. */
const SHORT_BYTES = { yaml: 32_768, json: 131_072 } as const;
/** Units of compiling (core/expression/build-budget.ts): about 60 small schemas, which take about 40 ms. */
const CHEAP_UNITS = 40_000;
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

/** A definition that could be read. */
export type CheckedDefinition = Exclude<CheckedText, { readonly kind: 'unreadable' }>;

export interface DefinitionReader {
  /**
   * Throws ApiError: 400 where the text is no JSON or YAML, 422 where it cannot be taken as it is (`too_complex` among others),
   * 503 where too many wait.
   */
  check(
    body: DocumentBody,
    tenantId: string,
    options: Omit<DefinitionText, 'text' | 'format'>,
  ): Promise<CheckedDefinition>;
}

export interface DefinitionReaderOptions {
  readonly deadlineMs?: number;
  readonly heapMb?: number;
}

interface Waiting {
  readonly given: DefinitionText;
  readonly tenantId: string;
  readonly answer: (result: Promise<CheckedText>) => void;
}

export function createDefinitionReader(options: DefinitionReaderOptions = {}): DefinitionReader {
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
    const reading = checkInProcess(taken.given, { deadlineMs, heapMb }).finally(() => {
      isBusy = false;
      next();
    });
    taken.answer(reading);
  };
  const checkAnywhere = async (given: DefinitionText, tenantId: string): Promise<CheckedText> => {
    const atOnce = isShort(given)
      ? await eventLoop.run(tenantId, () => checkCheapText(given, CHEAP_UNITS))
      : null;
    if (atOnce !== null) return atOnce;
    const ofTenant = waiting.filter((one) => one.tenantId === tenantId).length;
    if (waiting.length >= MAX_WAITING || ofTenant >= MAX_WAITING_OF_TENANT)
      throw unavailable('other large definitions are being read; try again', 'busy', 5);
    return await new Promise<CheckedText>((answer) => {
      waiting.push({ given, tenantId, answer });
      next();
    });
  };
  return {
    async check({ text, format }, tenantId, asked) {
      const checked = await checkAnywhere({ text, format, ...asked }, tenantId);
      if (checked.kind === 'unreadable') throw unreadable(checked.problems, format);
      return checked;
    },
  };
}

function isShort({ text, format }: DefinitionText): boolean {
  const limit = SHORT_BYTES[format];
  return text.length <= limit && Buffer.byteLength(text) <= limit;
}

function unreadable(problems: readonly Problem[], format: DocumentBody['format']): ApiError {
  const syntax = problems.find(({ code }) => code === 'syntax');
  if (syntax === undefined) return unprocessable(problems);
  return new ApiError(400, format === 'yaml' ? 'not_yaml' : 'not_json', syntax.message, { errors: problems });
}

function heapLimitMb(): number {
  // 0, or far beyond any machine, where nothing constrains it.
  const constrainedMb = (process.constrainedMemory() || Number.MAX_SAFE_INTEGER) / 2 ** 20;
  return Math.floor(Math.min(MAX_HEAP_MB, Math.max(MIN_HEAP_MB, constrainedMb - RESERVED_MB)));
}

async function checkInProcess(
  given: DefinitionText,
  { deadlineMs, heapMb }: Required<Pick<DefinitionReaderOptions, 'deadlineMs' | 'heapMb'>>,
): Promise<CheckedText> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const child = fork(new URL(`./definition-process.${extension}`, import.meta.url), {
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
    return await new Promise<CheckedText>((resolve, reject) => {
      child.once('message', (result) => resolve(result as CheckedText));
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        if (isOutOfMemory(code, signal)) resolve(tooComplex(given, `needs more than ${heapMb} MB`));
        else reject(unavailable('reading the definition was interrupted; try again'));
      });
      timer = setTimeout(
        () => resolve(tooComplex(given, `takes longer than ${deadlineMs / 1000} s`)),
        deadlineMs,
      );
      // Where it cannot be sent the process has ended, which is told above.
      child.send(given, () => {});
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

function tooComplex({ format }: DefinitionText, what: string): CheckedText {
  const [message, hint] =
    format === 'yaml'
      ? [`reading this YAML ${what}`, 'send it as JSON, which is read far faster, or make it smaller']
      : [`checking this definition ${what}`, 'make it smaller'];
  return { kind: 'unreadable', problems: [{ pointer: '', code: 'too_complex', message, hint }] };
}
