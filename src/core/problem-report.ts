// How much one report of problems says. An author's names, paths and texts are as long as the author likes, and each problem
// repeats some of them: what is told, stored and sent of them is bounded here, whoever finds the problems.
//   R1  A pointer that is cut is the pointer of what holds the place: it still leads somewhere.
//   R2  What is left out is counted: the last problem of a report that was cut is `too_many_problems`.
import { shortPointer } from './definition/pointer.ts';
import type { Problem } from './errors.ts';
import { storableText } from './json.ts';

/** Characters of a message, and of a hint. */
const MAX_TEXT_CHARS = 1_000;

export interface ReportBounds {
  readonly maxProblems: number;
  /** Of UTF-8 JSON. */
  readonly maxBytes: number;
}

/** Of an answer. */
export const ANSWERED: ReportBounds = { maxProblems: 1_000, maxBytes: 500_000 };
/** Of what is kept in a row: an execution's error, a failed delivery. */
export const STORED: ReportBounds = { maxProblems: 100, maxBytes: 32_000 };

/** The problem with a short pointer and short texts. */
export function shortProblem(problem: Problem): Problem {
  const { pointer, message, hint } = problem;
  const short = shortPointer(pointer);
  const isShort =
    short === pointer && message.length <= MAX_TEXT_CHARS && (hint?.length ?? 0) <= MAX_TEXT_CHARS;
  if (isShort) return problem;
  return {
    ...problem,
    pointer: short,
    message: storableText(message, MAX_TEXT_CHARS),
    ...(hint !== undefined && { hint: storableText(hint, MAX_TEXT_CHARS) }),
  };
}

/** Bytes of a problem in a report. */
export function bytesOfProblem(problem: Problem): number {
  return Buffer.byteLength(JSON.stringify(problem)) + 1;
}

/** The first problems of a list that fit, and how many there were more; also of a report that was cut before. */
export function boundProblems(
  problems: readonly Problem[],
  { maxProblems, maxBytes }: ReportBounds = ANSWERED,
): readonly Problem[] {
  const last = problems.at(-1);
  const isCut = last?.code === MORE;
  const found = isCut ? problems.slice(0, -1) : problems;
  const told: Problem[] = [];
  let bytes = 0;
  for (const problem of found) {
    const short = shortProblem(problem);
    bytes += bytesOfProblem(short);
    if (told.length > 0 && (told.length >= maxProblems || bytes > maxBytes)) break;
    told.push(short);
  }
  if (told.length === found.length) return isCut ? [...told, last] : told;
  const before = isCut ? Number.parseInt(last.message, 10) || 0 : 0;
  return [...told, moreProblems(found.length - told.length + before)];
}

const MORE = 'too_many_problems';

/** Stands at the end of a report that was cut. 0: nobody looked further. */
export function moreProblems(count: number, what = 'problems are'): Problem {
  const message = count === 0 ? 'more problems were not looked for' : `${count} more ${what} not shown`;
  return { pointer: '', code: MORE, message };
}
