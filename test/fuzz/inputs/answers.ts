// What a hostile server answers to external_api and model_inference, and the tasks that ask it. An answer is a pure function of
// the seed and the number in its path.

import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { type Input, run } from './input.ts';
import { type Arb, json, list, mutated, sizeUpTo, text } from './texts.ts';

/** Beyond what external_api takes. */
const BYTES = 17_000_000;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Said instead of the true length. */
  readonly length?: number;
  /** Comes a piece at a time, this long apart. */
  readonly dripMs?: number;
  /** The connection ends after half of it. */
  readonly isCutOff: boolean;
}

const chat = (message: object) =>
  JSON.stringify({
    ...{ id: 'c', object: 'chat.completion', created: 1, model: 'm' },
    choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  });

const plain: Arb<string> = fc.oneof(
  { weight: 6, arbitrary: json(BYTES) },
  { weight: 1, arbitrary: mutated(json(100_000)) },
  { weight: 1, arbitrary: text(BYTES) },
  fc
    .tuple(sizeUpTo(BYTES), fc.constantFrom('{}', '0', '[]', '{"a":1}'))
    .map(([size, one]) => list(one, size)),
  sizeUpTo(BYTES / 5).map((n) => '{"a":'.repeat(n)),
  sizeUpTo(BYTES).map((n) => '['.repeat(n)),
);
const ofModel: Arb<string> = fc.oneof(
  plain,
  text(BYTES / 4).map((content) => chat({ content })),
  json(BYTES / 4).map((content) => chat({ content })),
  fc.tuple(json(BYTES / 8), sizeUpTo(200)).map(([given, n]) =>
    chat({
      content: null,
      tool_calls: Array.from({ length: n }, (_, i) => ({
        id: `t${i}`,
        type: 'function',
        function: { name: 'look', arguments: given.slice(0, 200_000) },
      })),
    }),
  ),
  json(BYTES / 4).map(
    (usage) => `{"choices":[{"message":{"role":"assistant","content":"x"}}],"usage":${usage}}`,
  ),
);

/** 100 MB of nothing. */
let bombBytes: Buffer | undefined;
function bomb(): Buffer {
  bombBytes ??= gzipSync(Buffer.alloc(100_000_000), { level: 1 });
  return bombBytes;
}

function encoded(body: Buffer, encoding: string): Buffer {
  if (encoding === 'gzip') return gzipSync(body, { level: 1 });
  if (encoding === 'deflate') return deflateSync(body, { level: 1 });
  if (encoding === 'gzip, gzip') return gzipSync(gzipSync(body, { level: 1 }));
  return encoding === 'br' ? brotliCompressSync(body.subarray(0, 200_000)) : body;
}

/** The answer to the request of this number. */
export function answerOf(seed: number, isModel: boolean): Answer {
  const answers = fc
    .record({
      body: isModel ? ofModel : plain,
      status: fc.constantFrom(200, 200, 200, 200, 201, 204, 301, 400, 404, 429, 500, 503, 599),
      encoding: fc.constantFrom('', '', '', '', 'gzip', 'gzip', 'br', 'deflate', 'gzip, gzip', 'lies'),
      type: fc.constantFrom(
        'application/json',
        'application/json',
        'application/json',
        'text/plain',
        'text/html; charset=utf-16',
        'application/problem+json',
        '',
      ),
      lie: fc.nat({ max: 24 }).map((n) => (n === 1 || n === 2 ? 2 * n - 3 : 0)),
      dripMs: fc.nat({ max: 24 }).map((n) => (n === 1 ? 1 : n === 2 ? 50 : 0)),
      isCutOff: fc.nat({ max: 9 }).map((n) => n === 0),
      more: fc.constantFrom<Record<string, string>>(
        {},
        {},
        {},
        { 'retry-after': '9'.repeat(30) },
        { 'set-cookie': 'x'.repeat(9_000) },
        { location: 'http://169.254.169.254/' },
        { 'x-a': 'é' },
      ),
      isBomb: fc.nat({ max: 30 }).map((n) => n === 0),
    })
    .map(({ body, status, encoding, type, lie, dripMs, isCutOff, more, isBomb }): Answer => {
      const coding = isBomb ? 'gzip' : encoding;
      const bytes = isBomb ? bomb() : encoded(Buffer.from(body), encoding);
      return {
        status,
        headers: {
          ...(type !== '' && { 'content-type': type }),
          ...(coding !== '' && { 'content-encoding': coding }),
          ...more,
        },
        body: bytes,
        ...(lie !== 0 && { length: lie > 0 ? bytes.length + 1_000 : Math.max(0, bytes.length - 10) }),
        ...(dripMs > 0 && { dripMs }),
        isCutOff,
      };
    });
  return fc.sample(answers, { seed, numRuns: 1 })[0]!;
}

/** Asks the hostile server once, by one of the workflows that do. */
export function answerInputs(n: number): Arb<Input> {
  return fc
    .constantFrom(
      'fuzz-call',
      'fuzz-call',
      'fuzz-map',
      'fuzz-expect',
      'fuzz-model',
      'fuzz-structured',
      'fuzz-tools',
    )
    .map((workflowId) => ({ kind: 'answer' as const, steps: [run(workflowId, JSON.stringify({ n }))] }));
}
