// Collects the problems of one validation: pointers of the normalised document become pointers of the author's, and
// neither their number and bytes nor the work of finding places and hints can grow without bound.
import type { ProblemCode } from '../codes/code.ts';
import type { Problem } from '../errors.ts';
import { createSuggest } from '../expression/nearest.ts';
import type { Json } from '../json.ts';
import { ANSWERED, bytesOfProblem, moreProblems, shortProblem } from '../problem-report.ts';
import { nearestPointer, shortPointer } from './pointer.ts';
import type { Origins } from './reading/origins.ts';

interface Reported {
  readonly problems: Problem[];
  bytes: number;
}

export class Reporter {
  readonly #author: Json;
  readonly #origins: Origins;
  readonly #errors: Reported = { problems: [], bytes: 0 };
  readonly #warnings: Reported = { problems: [], bytes: 0 };
  readonly #seen = new Set<string>();
  #dropped = 0;

  constructor(author: Json, origins: Origins) {
    this.#author = author;
    this.#origins = origins;
  }

  get hasErrors(): boolean {
    return this.#errors.problems.length > 0;
  }

  /** Problems after which more of the same are not worth finding. */
  get isFull(): boolean {
    return isFull(this.#errors);
  }

  /** A problem at a pointer of the normalised document. */
  error(pointer: string, code: ProblemCode, message: string, hint?: string | null): void {
    this.#add(this.#errors, () => this.#translated(pointer, code, message, hint));
  }

  warn(pointer: string, code: ProblemCode, message: string, hint?: string | null): void {
    this.#add(this.#warnings, () => this.#translated(pointer, code, message, hint));
  }

  errors(problems: readonly Problem[]): void {
    for (const { pointer, code, message, hint } of problems) this.error(pointer, code, message, hint);
  }

  /** Counts problems that nobody described. */
  leaveOut(count: number): void {
    this.#dropped += count;
  }

  /** Problems and warnings whose pointers are the author's already. */
  authored(errors: readonly Problem[], warnings: readonly Problem[]): void {
    for (const problem of errors) this.#add(this.#errors, () => problem);
    for (const problem of warnings) this.#add(this.#warnings, () => problem);
  }

  /** Where the author wrote what is now at `pointer`, or what holds it where that is too long to be told. */
  authorPointer(pointer: string): string {
    return nearestPointer(this.#author, this.#origins.authorPointer(shortPointer(pointer)));
  }

  /** The nearest name, or null when there is none or too many names were compared already. */
  readonly suggest = createSuggest();

  /** As a hint text. */
  readonly didYouMean = (name: string, candidates: Iterable<string>): string | null => {
    const near = this.suggest(name, candidates);
    return near === null ? null : `did you mean "${near}"?`;
  };

  result(): { readonly errors: readonly Problem[]; readonly warnings: readonly Problem[] } {
    const { problems: errors } = this.#errors;
    const { problems: warnings } = this.#warnings;
    if (this.#dropped === 0 && !this.isFull) return { errors, warnings };
    const more = moreProblems(this.#dropped, 'problems and warnings are');
    return errors.length > 0
      ? { errors: [...errors, more], warnings }
      : { errors: [], warnings: [...warnings, more] };
  }

  #translated(pointer: string, code: ProblemCode, message: string, hint?: string | null): Problem {
    return { pointer: this.authorPointer(pointer), code, message, ...(hint != null && { hint }) };
  }

  // What is dropped is counted only: finding its place would be work without bound.
  #add(list: Reported, find: () => Problem): void {
    if (isFull(list)) {
      this.#dropped += 1;
      return;
    }
    const problem = shortProblem(find());
    const key = `${problem.pointer}\n${problem.code}\n${problem.message}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    list.problems.push(problem);
    list.bytes += bytesOfProblem(problem);
  }
}

function isFull({ problems, bytes }: Reported): boolean {
  return problems.length >= ANSWERED.maxProblems || bytes >= ANSWERED.maxBytes;
}
