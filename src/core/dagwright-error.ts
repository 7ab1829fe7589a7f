// What the library and defineTask throw: one class, with a code of the table (core/codes) and a hint.
import type { ProblemCode } from './codes/code.ts';
import type { Problem } from './errors.ts';

/** What was asked cannot be done: `code` says why in one word, `problems` all that is wrong; `cause` is what failed below, if anything did. */
export class DagwrightError extends Error {
  readonly code: ProblemCode;
  readonly problems: readonly Problem[];
  /** What to do, or where more of it stands. */
  readonly hint: string;
  constructor(code: ProblemCode, problems: readonly Problem[], options: { readonly cause?: unknown } = {}) {
    super(problems.map(sentenceOf).join('; '), options);
    this.name = 'DagwrightError';
    this.code = code;
    this.problems = problems;
    this.hint = problems.find(({ hint }) => hint !== undefined)?.hint ?? `npx dagwright explain ${code}`;
  }
}

/** With one problem. */
export function dagwrightError(
  code: ProblemCode,
  message: string,
  { hint, cause }: { readonly hint: string; readonly cause?: unknown },
): DagwrightError {
  const options = cause === undefined ? {} : { cause };
  return new DagwrightError(code, [{ pointer: '', code, message, hint }], options);
}

function sentenceOf({ pointer, message, hint }: Problem): string {
  const place = pointer === '' || message.startsWith(pointer) ? '' : `${pointer}: `;
  return `${place}${message}${hint === undefined ? '' : ` (${hint})`}`;
}
