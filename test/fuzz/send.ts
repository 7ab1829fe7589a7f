// Sends one request of the fuzz, however odd, and says what came back.
import { type Agent, request } from 'node:http';
import type { Step } from './inputs/input.ts';

const PATIENCE_MS = 60_000;
/** Of an answer, as much as is looked at. */
const MAX_TEXT = 20_000;

export type Reply =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly retryAfter: string | undefined;
      readonly text: string;
    }
  /** The connection ended: the service may do so with what is no sound request. */
  | { readonly kind: 'broken'; readonly why: string }
  | { readonly kind: 'silent' };

export interface Target {
  readonly url: string;
  readonly key: string;
  readonly agent: Agent;
}

/** Characters that a header or a path may not hold are Node's to refuse: such a request is never sent. */
export function send(target: Target, step: Step): Promise<Reply> {
  const { method, path, body, isAnonymous, isChunked, isCutOff } = step;
  const bytes = body === undefined ? undefined : Buffer.from(body as string);
  const headers = {
    ...step.headers,
    ...(isAnonymous !== true && { authorization: `Bearer ${target.key}` }),
    ...(bytes !== undefined &&
      isChunked !== true && { 'content-length': String(bytes.length + (isCutOff === true ? 10 : 0)) }),
  };
  return new Promise((resolve) => {
    const { hostname, port } = new URL(target.url);
    let sent: ReturnType<typeof request>;
    try {
      sent = request({ hostname, port, method, path, headers, agent: target.agent });
    } catch (error) {
      resolve({ kind: 'broken', why: `never sent: ${(error as Error).message.slice(0, 40)}` });
      return;
    }
    const timer = setTimeout(() => {
      resolve({ kind: 'silent' });
      sent.destroy();
    }, PATIENCE_MS);
    sent.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        if (text.length < MAX_TEXT) text += chunk;
      });
      response.on('close', () => {
        clearTimeout(timer);
        if (!response.complete) resolve({ kind: 'broken', why: 'in the middle of the answer' });
        resolve({
          kind: 'answer',
          status: response.statusCode!,
          retryAfter: response.headers['retry-after'],
          text,
        });
      });
    });
    sent.on('error', (error: Error & { code?: string }) => {
      clearTimeout(timer);
      resolve({ kind: 'broken', why: error.code ?? error.message });
    });
    if (bytes === undefined) sent.end();
    else if (isCutOff === true) sent.write(bytes, () => setTimeout(() => sent.destroy(), 50));
    else if (isChunked === true) {
      for (let at = 0; at < bytes.length; at += 50_000) sent.write(bytes.subarray(at, at + 50_000));
      sent.end();
    } else sent.end(bytes);
  });
}
