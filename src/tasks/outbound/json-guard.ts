// Breaks off an answer that would be too much to parse, while it is being read: whoever calls `fetch` parses it whole, and the
// providers' libraries do so whatever type it says it is of. What does not begin as a JSON object or list passes unseen.
import { Transform, type TransformCallback } from 'node:stream';
import { RetryableError, TerminalError } from '../../core/errors.ts';
import { EXCESS_TEXT, type JsonExcess, JsonShape } from '../../core/json-shape.ts';

const BEGINS = new Set([...'[{'].map((char) => char.charCodeAt(0)));
/** White space of JSON, and the bytes of a byte order mark. */
const SKIPPED = new Set([0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf]);

export class JsonGuard extends Transform {
  /** `GET https://example.com`, for messages. */
  readonly #where: string;
  /** Undefined: it has not begun. Null: it is not JSON. */
  #shape: JsonShape | null | undefined;

  constructor(where: string) {
    super();
    this.#where = where;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (this.#shape === undefined) {
      const first = chunk.find((byte) => !SKIPPED.has(byte));
      if (first !== undefined) this.#shape = BEGINS.has(first) ? new JsonShape() : null;
    }
    this.#shape?.push(chunk);
    const excess = this.#shape?.excess ?? null;
    if (excess === null) done(null, chunk);
    else done(this.#errorOf(excess));
  }

  #errorOf(excess: JsonExcess): Error {
    const message = `${this.#where} answered with a body ${EXCESS_TEXT[excess]}`;
    return excess === 'too_many_values'
      ? new TerminalError('payload_too_large', message)
      : new RetryableError(message, { code: 'output_invalid' });
  }
}
