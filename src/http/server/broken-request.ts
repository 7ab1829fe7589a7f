// Answers what never became a request: headers too long, too slow, or not HTTP. Written by hand, for there is no reply yet.
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { newId } from '../../core/id.ts';
import { ApiError, PROBLEM_JSON, problemBody } from './problem.ts';

/** How long a client may take to read the answer. One that leaves its own side open would keep the connection for ever. */
const LINGER_MS = 1_000;

export function answerBrokenRequest(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const answer = answerTo(error.code);
  const body = JSON.stringify(problemBody(answer));
  const lines = [
    `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status]}`,
    `content-type: ${PROBLEM_JSON}`,
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${newId()}`,
    'x-content-type-options: nosniff',
    'cache-control: no-store',
    'connection: close',
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
}

function answerTo(code: string | undefined): ApiError {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new ApiError(431, 'headers_too_large', 'the headers are larger than 16 KB');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new ApiError(408, 'too_slow', 'the request took too long to arrive');
  return new ApiError(400, 'bad_request', 'this is not HTTP as it is taken here');
}
