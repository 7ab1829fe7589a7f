// Collects the problems of one validation: pointers of the normalised document become pointers of the author's, and
// neither their number nor the work of finding hints can grow without bound.
import type { Problem } from '../errors.ts';
import { nearestName } from '../expression/nearest.ts';
import type { Json } from '../json.ts';
import { nearestPointer } from './pointer.ts';
import type { Origins } from './reading/origins.ts';

const MAX_REPORTED = 1000;
/** Characters compared for all hints of one validation: about 0.2 s. */
const HINT_BUDGET = 3_000_000;

export class Reporter {
  readonly #author: Json;
  readonly #origins: Origins;
  readonly #errors: Problem[] = [];
  readonly #warnings: Problem[] = [];
  readonly #seen = new Set<string>();
  #dropped = 0;
  #hintBudget = HINT_BUDGET;

  constructor(author: Json, origins: Origins) {
    this.#author = author;
    this.#origins = origins;
  }

  get hasErrors(): boolean {
    return this.#errors.length > 0;
  }

  /** Problems after which more of the same are not worth finding. */
  get isFull(): boolean {
    return this.#errors.length >= MAX_REPORTED;
  }

  /** A problem at a pointer of the normalised document. */
  error(pointer: string, code: string, message: string, hint?: string | null): void {
    this.#add(this.#errors, this.#translated(pointer, code, message, hint));
  }

  warn(pointer: string, code: string, message: string, hint?: string | null): void {
    this.#add(this.#warnings, this.#translated(pointer, code, message, hint));
  }

  errors(problems: readonly Problem[]): void {
    for (const { pointer, code, message, hint } of problems) this.error(pointer, code, message, hint);
  }

  /** Problems and warnings whose pointers are the author's already. */
  authored(errors: readonly Problem[], warnings: readonly Problem[]): void {
    for (const problem of errors) this.#add(this.#errors, problem);
    for (const problem of warnings) this.#add(this.#warnings, problem);
  }

  /** Where the author wrote what is now at `pointer`. */
  authorPointer(pointer: string): string {
    return nearestPointer(this.#author, this.#origins.authorPointer(pointer));
  }

  /** The nearest name, or null when there is none or too many names were compared already. */
  readonly suggest = (name: string, candidates: Iterable<string>): string | null => {
    if (name.length > 100 || this.#hintBudget <= 0) return null;
    const names = [...candidates];
    this.#hintBudget -= names.length * Math.max(8, name.length);
    return nearestName(name, names);
  };

  /** As a hint text. */
  readonly didYouMean = (name: string, candidates: Iterable<string>): string | null => {
    const near = this.suggest(name, candidates);
    return near === null ? null : `did you mean "${near}"?`;
  };

  result(): { readonly errors: readonly Problem[]; readonly warnings: readonly Problem[] } {
    const errors = [...this.#errors];
    if (this.#dropped > 0)
      errors.push({
        pointer: '',
        code: 'too_many_problems',
        message: `${this.#dropped} more problems and warnings are not shown`,
      });
    return this.#errors.length > 0 || this.#dropped === 0
      ? { errors, warnings: this.#warnings }
      : { errors: [], warnings: [...this.#warnings, ...errors] };
  }

  #translated(pointer: string, code: string, message: string, hint?: string | null): Problem {
    return { pointer: this.authorPointer(pointer), code, message, ...(hint != null && { hint }) };
  }

  #add(list: Problem[], problem: Problem): void {
    if (list.length >= MAX_REPORTED) {
      this.#dropped += 1;
      return;
    }
    const key = `${problem.pointer}\n${problem.code}\n${problem.message}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    list.push(problem);
  }
}
