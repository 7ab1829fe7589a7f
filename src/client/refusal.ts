// An answer that is no success, as an error.
import type { components } from './api-description.ts';

export type ApiProblem = components['schemas']['Problem'];

/** `code` is the word for programs; `problems` all that is wrong with the request, with pointers into it. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly problems: ApiProblem['errors'];
  /** Seconds after which it may be tried again, where the service says so. */
  readonly retryAfter: number | undefined;
  constructor(response: Response, problem: Partial<ApiProblem> | undefined) {
    const {
      code = 'unknown',
      detail = `${response.status} ${response.statusText}`,
      errors = [],
    } = problem ?? {};
    super([detail, ...furtherLines(detail, errors), ...hintLines(response)].join('\n'));
    this.name = 'ApiError';
    this.status = response.status;
    this.code = code;
    this.problems = errors;
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
    this.retryAfter = Number.isFinite(seconds) ? seconds : undefined;
  }
}

/** The detail is made of the first problem, which is not said twice. */
function furtherLines(detail: string, errors: ApiProblem['errors']): string[] {
  return errors
    .filter(({ message }, i) => i > 0 || !detail.includes(message))
    .map(({ pointer, message }) => `${pointer} ${message}`.trim());
}

function hintLines({ status, url }: Response): string[] {
  return status === 404 && url.includes('/v1/v1/') ? ['the `url` of a client is without /v1'] : [];
}

/** No answer came: no service is at the URL, or the way to it is closed. `cause` is what fetch threw; still a TypeError, as that is. */
export class UnreachableError extends TypeError {
  readonly code = 'unreachable';
  readonly url: string;
  constructor(url: string, cause: unknown) {
    const reason = reasonOf(cause);
    super(`no answer from ${url}${reason === null ? '' : `: ${reason}`}`, { cause });
    this.name = 'UnreachableError';
    this.url = url;
  }
}

// Node says only "fetch failed", and has the reason below it.
function reasonOf(failure: unknown): string | null {
  if (!(failure instanceof Error)) return null;
  const { cause } = failure;
  if (!(cause instanceof Error)) return failure.message;
  const { code } = cause as { code?: unknown };
  return cause.message || (typeof code === 'string' ? code : failure.message);
}

/** Fetches, and says where where no answer comes. What a caller's signal ends goes as it is. */
export function fetchFrom(
  baseUrl: string,
  fetch: (request: Request) => Promise<Response>,
): (request: Request) => Promise<Response> {
  return async (request) => {
    try {
      return await fetch(request);
    } catch (error) {
      if (request.signal.aborted || !(error instanceof TypeError)) throw error;
      throw new UnreachableError(baseUrl, error);
    }
  };
}

/** The body of a success; throws an ApiError otherwise. */
export function dataOf<Data>(answer: { data?: Data; error?: unknown; response: Response }): Data {
  if (answer.response.ok) return answer.data as Data;
  const { error } = answer;
  throw new ApiError(
    answer.response,
    typeof error === 'object' && error !== null ? (error as Partial<ApiProblem>) : undefined,
  );
}
