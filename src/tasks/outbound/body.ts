// Response bodies: decompressed by us, counted before and after it, and cut where they are longer than they may be.
import { pipeline, type Readable, Transform, type TransformCallback } from 'node:stream';
import { constants, createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { TerminalError } from '../../core/errors.ts';
import { callFailure } from './failure.ts';

/** What is asked for, and all that is taken. */
export const ACCEPT_ENCODING = 'gzip, deflate, br';

export interface BodyRules {
  /** `GET https://example.com`, for messages. */
  readonly where: string;
  /** Content-Encoding, or null. */
  readonly encoding: string | null;
  /** Content-Length, or null. */
  readonly length: number | null;
  /** Bytes, as sent and as decompressed. */
  readonly maxBytes: number;
  /** What it is aborted with comes out as it is. */
  readonly signal: AbortSignal;
}

/**
 * The body as bytes without its Content-Encoding. Destroying it closes the connection that it comes from. Fails with
 * `payload_too_large` past `maxBytes`, and else with the errors of {@link callFailure}.
 */
export function plainBody(raw: Readable, rules: BodyRules): Readable {
  const { where, maxBytes } = rules;
  const done = (): void => {}; // errors come out of the last stage
  if (rules.length !== null && rules.length > maxBytes) return cut(raw, tooLarge(where, maxBytes));
  const encodings = (rules.encoding ?? '')
    .toLowerCase()
    .split(',')
    .map((encoding) => encoding.trim())
    .filter((encoding) => encoding !== '' && encoding !== 'identity');
  const [encoding] = encodings;
  if (encoding === undefined) return pipeline(raw, new Counter(rules), done);
  const decoder = encodings.length === 1 ? decoderOf(encoding) : null;
  if (decoder === null)
    return cut(
      raw,
      new TerminalError(
        'output_invalid',
        `${where} answered with a Content-Encoding other than ${ACCEPT_ENCODING}`,
      ),
    );
  return pipeline(raw, new Counter(rules), decoder, new Counter(rules), done);
}

/** All bytes of a body. */
export async function readBody(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function decoderOf(encoding: string): Transform | null {
  if (encoding === 'gzip' || encoding === 'x-gzip') return createGunzip();
  if (encoding === 'deflate') return createInflate();
  if (encoding !== 'br') return null;
  return createBrotliDecompress({ params: { [constants.BROTLI_DECODER_PARAM_LARGE_WINDOW]: 0 } });
}

// Lets bytes through up to a number of them.
class Counter extends Transform {
  readonly #rules: BodyRules;
  #bytes = 0;

  constructor(rules: BodyRules) {
    super();
    this.#rules = rules;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const { where, maxBytes } = this.#rules;
    this.#bytes += chunk.length;
    if (this.#bytes > maxBytes) done(tooLarge(where, maxBytes));
    else done(null, chunk);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const { where, signal } = this.#rules;
    if (error === null) done(null);
    else done(signal.aborted ? error : callFailure(error, where));
  }
}

function tooLarge(where: string, maxBytes: number): TerminalError {
  return new TerminalError('payload_too_large', `${where} answered with more than ${maxBytes} bytes`);
}

/** Ends the connection; whoever reads the body gets the error. */
function cut(raw: Readable, error: Error): Readable {
  raw.on('error', () => {});
  const failed = new Transform();
  failed.destroy(error);
  raw.destroy();
  return failed;
}
