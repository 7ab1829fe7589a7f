// The table of routes by acts, and how its lines are written (routes.ts, installation-routes.ts).
import type { Outcome } from '../../resources/outcome.ts';
import type { Ask, ListRoute } from './list.ts';
import type { Answer, RemoteRequest, RemoteService } from './service.ts';

/** How an act is done over HTTP; resolves to what the act itself would give. */
export interface Route {
  /** Its result is an Outcome; else the value itself, as of lists that cannot be refused. */
  readonly isOutcome: boolean;
  /** Of the installation: only the operator's key may. */
  readonly isOperator: boolean;
  perform(ask: Ask, given: readonly unknown[], service: RemoteService): Promise<Outcome<unknown>>;
}

export type Given = Readonly<Record<string, unknown>>;

export const ROUTES = new Map<unknown, Route>();

/** The route of an act; undefined: it has none. */
export function routeOf(act: unknown): Route | undefined {
  return ROUTES.get(act);
}

export const e = encodeURIComponent;

export function route(
  act: unknown,
  request: (given: never) => RemoteRequest,
  more: { readonly isOperator?: boolean; readonly value?: (answer: Answer, given: never) => unknown } = {},
): void {
  const { isOperator = false, value = ({ body }) => body } = more;
  ROUTES.set(act, {
    isOutcome: true,
    isOperator,
    async perform(ask, [given]) {
      const answer = await ask(request(given as never));
      return answer.ok ? { ok: true, value: value(answer.value, given as never) } : answer;
    },
  });
}

export function list(
  act: unknown,
  request: (given: never) => ListRoute,
  { isOutcome = false, isOperator = false } = {},
): void {
  ROUTES.set(act, {
    isOutcome,
    isOperator,
    async perform(ask, [given]) {
      const { readPage } = await import('./list.ts');
      return await readPage(ask, request(given as never));
    },
  });
}

export const text = (value: unknown): string | null =>
  value === null || value === undefined ? null : String(value);
export const get = (path: string): RemoteRequest => ({ method: 'GET', path });
export const post = (path: string, body?: unknown): RemoteRequest => ({
  method: 'POST',
  path,
  ...(body === undefined ? {} : { body }),
});
