// What is asked of a service over HTTP, and what it answered.
import type { Secret } from '../secret.ts';

export interface HttpRequest {
  /** Upper case. */
  readonly method: string;
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | null;
  /** Ends the call, and closes its connection. */
  readonly signal: AbortSignal;
  /** Of the body, decompressed. */
  readonly maxBytes: number;
  /** The body is not sent to another origin. */
  readonly hasSecretBody: boolean;
  /** What it was made of, however little of it is left; absent: none. A redirect is judged by what it holds. */
  readonly usedSecrets?: Iterable<Secret>;
  /** Nothing tells whether it may be sent again, so that it needs a connection that is surely alive. */
  readonly isOnce: boolean;
  /** Redirects that are answers, not followed. */
  readonly keepsStatus?: (status: number) => boolean;
  /** Called when the request is about to be written to its connection. */
  readonly onSend?: () => void;
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case; repeated ones joined by ", ". */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** Redirects that were followed. */
  readonly redirects: number;
}
