// What the library throws, beside errors of the database's driver.
import type { ProblemCode } from '../core/codes/code.ts';
import type { Problem } from '../core/errors.ts';
import type { Execution } from './views.ts';

/** What was asked cannot be done: `code` says why in one word, `problems` all that is wrong. */
export class DagwrightError extends Error {
  readonly code: ProblemCode;
  readonly problems: readonly Problem[];
  constructor(code: ProblemCode, problems: readonly Problem[]) {
    super(problems.map(sentenceOf).join('; '));
    this.name = 'DagwrightError';
    this.code = code;
    this.problems = problems;
  }
}

/** An execution whose result was waited for has not completed. */
export class ExecutionFailed extends Error {
  readonly execution: Execution;
  constructor(execution: Execution) {
    const { id, workflowId, status, error } = execution;
    const why = error === null ? '' : `: ${error.code}: ${error.message}`;
    super(`execution ${id} of "${workflowId}" is ${status}${why}`);
    this.name = 'ExecutionFailed';
    this.execution = execution;
  }
}

/** With one problem. */
export function libraryError(code: ProblemCode, message: string, hint?: string): DagwrightError {
  return new DagwrightError(code, [{ pointer: '', code, message, ...(hint === undefined ? {} : { hint }) }]);
}

function sentenceOf({ pointer, message, hint }: Problem): string {
  const place = pointer === '' || message.startsWith(pointer) ? '' : `${pointer}: `;
  return `${place}${message}${hint === undefined ? '' : ` (${hint})`}`;
}
