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
    super([detail, ...errors.map(({ pointer, message }) => `${pointer} ${message}`.trim())].join('\n'));
    this.name = 'ApiError';
    this.status = response.status;
    this.code = code;
    this.problems = errors;
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
    this.retryAfter = Number.isFinite(seconds) ? seconds : undefined;
  }
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
