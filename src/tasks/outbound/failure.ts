// Turns what goes wrong in a call into the errors of CONTRACT 2.3. Messages name the method, the origin and the path where the
// caller shows it, and nothing else that it put into the URL, a header or the body; causes are left behind, for their texts may
// hold those.
import { RetryableError, TerminalError } from '../../core/errors.ts';

/** No connection was made: the request was surely not sent. */
export class NotConnected extends RetryableError {
  constructor(message: string) {
    super(message, { code: 'network' });
    this.name = 'NotConnected';
  }
}

/** The reason why a connection could not be made, inside the transport. */
export class ConnectFailure extends Error {
  constructor(cause: unknown) {
    super('not connected', { cause });
    this.name = 'ConnectFailure';
  }
}

/** `where`: `GET https://example.com`. Errors that are ours already stay as they are. */
export function callFailure(error: unknown, where: string): Error {
  if (error instanceof TerminalError || error instanceof RetryableError) return error;
  if (error instanceof ConnectFailure) {
    if (error.cause instanceof TerminalError) return error.cause;
    return new NotConnected(`${where} could not connect${reasonOf(error.cause)}`);
  }
  const code = codeOf(error);
  if (code === 'UND_ERR_HEADERS_TIMEOUT')
    return new RetryableError(`${where} sent no answer in time`, { code: 'timeout' });
  if (code === 'UND_ERR_BODY_TIMEOUT')
    return new RetryableError(`${where} stopped sending in the middle of its answer`, { code: 'timeout' });
  if (code === 'UND_ERR_HEADERS_OVERFLOW')
    return new TerminalError('payload_too_large', `${where} answered with more than 16 KB of headers`);
  if (code === 'UND_ERR_INVALID_ARG')
    return new TerminalError(
      'validation',
      `${where} cannot be sent: its method, path or headers are not valid HTTP`,
    );
  if (code.startsWith('HPE_'))
    return new RetryableError(`${where} answered with malformed HTTP (${code})`, { code: 'network' });
  if (
    code.startsWith('Z_') ||
    code.startsWith('ERR_ZLIB') ||
    code.startsWith('ERR__') ||
    code.startsWith('ERR_BROTLI')
  )
    return new RetryableError(`${where} answered with a body that cannot be decompressed`, {
      code: 'output_invalid',
    });
  return new RetryableError(`${where} was broken off${reasonOf(error)}`, { code: 'network' });
}

// Codes of Node and its libraries are constants; the texts beside them are not.
function codeOf(error: unknown): string {
  const code: unknown = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,60}$/.test(code) ? code : '';
}

function reasonOf(error: unknown): string {
  const code = codeOf(error) || (error instanceof AggregateError ? codeOf(error.errors[0]) : '');
  return code === '' ? '' : ` (${code})`;
}
