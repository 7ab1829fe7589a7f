// What the fuzz sends: inputs of one or several requests, each a pure function of a seed and a number.
import type { Operation } from '../../http/support/openapi-requests.ts';

export const KINDS = [
  'schema',
  'expression',
  'definition',
  'body',
  'delivery',
  'callback',
  'schedule',
  'answer',
] as const;
export type Kind = (typeof KINDS)[number];

/** One request. In its path and a text body `@HOSTILE@` is the origin of the hostile server. */
export interface Step {
  readonly method: string;
  /** `{token}`: of the callback that `input.case` waits for. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Without a key. */
  readonly isAnonymous?: boolean;
  /** In pieces, without a length. */
  readonly isChunked?: boolean;
  /** Fewer bytes come than the length says, then the connection ends. */
  readonly isCutOff?: boolean;
}

export interface Input {
  readonly kind: Kind;
  readonly steps: readonly Step[];
}

/** What inputs may speak of. */
export interface Surroundings {
  readonly operations: readonly Operation[];
  /** Of the attacker's rows. */
  readonly ids: readonly string[];
  /** Paths of the attacker's webhooks, below /hooks/. */
  readonly hooks: readonly string[];
}

export const JSON_TYPE = { 'content-type': 'application/json' } as const;

export const post = (path: string, body: string): Step => ({
  method: 'POST',
  path,
  headers: JSON_TYPE,
  body,
});

/** Saves a definition, by its JSON text, under one of a few names: all share them. */
export function save(workflowId: string, definition: string): Step {
  return { method: 'PUT', path: `/v1/workflows/${workflowId}`, headers: JSON_TYPE, body: definition };
}

/** Starts it and waits for its end, for a while. */
export function run(workflowId: string, inputText: string): Step {
  return post(`/v1/workflows/${workflowId}/executions?wait=20`, `{"input":${inputText}}`);
}
