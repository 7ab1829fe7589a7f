// What goes wrong, in the one form that every answer uses: RFC 9457 application/problem+json with our code and problems.
import { STATUS_CODES } from 'node:http';
import type { AnswerCode } from '../../core/codes/code.ts';
import type { Problem } from '../../core/errors.ts';
import { storableText } from '../../core/json.ts';
import { boundProblems, shortProblem } from '../../core/problem-report.ts';

export const PROBLEM_JSON = 'application/problem+json';

/** The body of every answer that is no success. */
export interface ProblemBody {
  readonly type: 'about:blank';
  /** The phrase of the status. */
  readonly title: string;
  readonly status: number;
  /** For people; never with the inside of the service. */
  readonly detail: string;
  /** For programs; does not change. */
  readonly code: string;
  /** All problems of the request; empty where `code` and `detail` say it all. */
  readonly errors: readonly Problem[];
}

/** Characters of the sentence of an answer. */
const MAX_DETAIL_CHARS = 2_000;

/** Thrown anywhere below a route: becomes the answer as it stands, with as much of its problems as a report holds. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: AnswerCode;
  readonly errors: readonly Problem[] | undefined;
  readonly headers: Readonly<Record<string, string>> | undefined;
  constructor(
    status: number,
    code: AnswerCode,
    detail: string,
    more: { readonly errors?: readonly Problem[]; readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(storableText(detail, MAX_DETAIL_CHARS));
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.errors = more.errors && boundProblems(more.errors);
    this.headers = more.headers;
  }
}

/** 404, also for what belongs to another tenant. `what`: `schedule`, or `revision 3 of "daily"`. */
export function notFound(what: string): ApiError {
  return new ApiError(404, 'not_found', `no such ${what}`);
}

/** 422 with all problems of a body. */
export function unprocessable(problems: readonly Problem[]): ApiError {
  return new ApiError(422, 'validation', summaryOf(problems), { errors: problems });
}

/** 400 with all problems of the query or the headers. */
export function badRequest(problems: readonly Problem[]): ApiError {
  return new ApiError(400, 'bad_request', summaryOf(problems), { errors: problems });
}

/** 503: nothing was wrong with the request, which may be sent again. */
export function unavailable(
  detail: string,
  code: AnswerCode = 'unavailable',
  retryAfterSeconds = 1,
): ApiError {
  return new ApiError(503, code, detail, { headers: { 'retry-after': String(retryAfterSeconds) } });
}

export function problemBody({ status, code, message, errors }: ApiError): ProblemBody {
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: message,
    code,
    errors: errors ?? [],
  };
}

function summaryOf(problems: readonly Problem[]): string {
  if (problems[0] === undefined) return 'it does not fit';
  const first = shortProblem(problems[0]);
  const where = first.pointer === '' ? '' : `${first.pointer}: `;
  const more = problems.length === 1 ? '' : ` (and ${problems.length - 1} more)`;
  return `${where}${first.message}${more}`;
}
