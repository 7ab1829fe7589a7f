// Requests that no client would send, byte by byte over a socket.
import { connect } from 'node:net';

/** Writes the parts, `pauseMs` apart, and collects the answer until the server closes; '' where it closed without one. */
export async function sendRaw(
  url: string,
  parts: readonly (string | Buffer)[],
  { pauseMs = 0 }: { readonly pauseMs?: number } = {},
): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const received: Buffer[] = [];
  socket.on('data', (chunk) => received.push(chunk));
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
    socket.on('error', () => {});
  });
  await new Promise((resolve) => socket.once('connect', resolve));
  for (const part of parts) {
    if (socket.destroyed || !socket.writable) break;
    socket.write(part);
    if (pauseMs > 0) await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, pauseMs))]);
  }
  await closed;
  return Buffer.concat(received).toString('latin1');
}

/** The status of a raw answer; null: none came. */
export function statusOf(answer: string): number | null {
  const found = /^HTTP\/1\.1 (\d{3})/.exec(answer);
  return found === null ? null : Number(found[1]);
}
