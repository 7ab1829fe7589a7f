// A command that cannot do what was asked: problems for people on stderr, or one JSON object on stdout; exit code 1.
import type { ProblemCode } from '../core/codes/code.ts';
import type { Problem } from '../core/errors.ts';
import { boundProblems } from '../core/problem-report.ts';
import type { Outcome, RefusalCode } from '../resources/outcome.ts';
import { indented } from './safe-output.ts';

/** Ends the command with exit code 1 and these problems. */
export class Refusal extends Error {
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    const told = boundProblems(problems);
    super(told.map(({ message }) => message).join('; '));
    this.name = 'Refusal';
    this.problems = told;
  }
}

/** A refusal with one problem. */
export function refuse(code: ProblemCode, message: string, hint?: string, pointer = ''): Refusal {
  return new Refusal([{ pointer, code, message, ...(hint === undefined ? {} : { hint }) }]);
}

export interface RefusalWords {
  /** The argument that a pointer into what was given came by: `{ '/value': '<value>' }`; others stay as they are. */
  readonly arguments?: Readonly<Record<string, string>>;
  /** What to type, by the code of the refusal, where the problem itself has no hint. */
  readonly hints?: Partial<Record<RefusalCode, string>>;
  /** What is said in place of a problem, by its pointer, and what to type. */
  readonly texts?: Readonly<Record<string, readonly [message: string, hint?: string]>>;
  /** All that is judged came by arguments: what does not fit is wrong usage. */
  readonly isUsage?: true;
}

/** The value of an act upon a resource, or a Refusal in the words of the command line. */
export function outcomeToRefusal<Value>(outcome: Outcome<Value>, words: RefusalWords = {}): Value {
  if (outcome.ok) return outcome.value;
  const { code, message, problems } = outcome;
  const told = problems.length > 0 ? problems : [{ pointer: '', code, message }];
  throw new Refusal(told.map((problem) => problemInWords(problem, code, words)));
}

function problemInWords(problem: Problem, refusal: RefusalCode, words: RefusalWords): Problem {
  const { pointer } = problem;
  const argument = words.arguments?.[pointer] ?? pointer;
  const text = words.texts?.[pointer];
  if (text !== undefined) return refuseArgument(text[0], text[1]);
  if (words.isUsage === true && refusal === 'validation')
    // Messages about a field begin with its name.
    return refuseArgument(problem.message.replace(pointer.slice(1), argument), problem.hint);
  const hint = words.hints?.[refusal];
  return { ...(hint === undefined ? {} : { hint }), ...problem, pointer: argument };
}

const refuseArgument = (message: string, hint?: string) => refuse('usage', message, hint).problems[0]!;

/** A problem of a file, with where it stands there. */
export interface PlacedProblem extends Problem {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

/** Problems as lines of text; those of a file begin as compilers begin theirs, `flow.yaml:12:5: `. */
export function problemLines(problems: readonly Problem[], label = 'error'): string {
  return problems
    .map((problem) => {
      const { code, message, hint } = problem;
      const place = isPlaced(problem) ? `${problem.file}:${problem.line}:${problem.column}: ` : '';
      const pointer = isPlaced(problem) ? problem.pointer.replace(`${problem.file}#`, '') : problem.pointer;
      // Messages about settings and arguments begin with their name.
      const where = pointer === '' || message.startsWith(`${pointer} `) ? '' : ` ${pointer}`;
      // The place says it.
      const text = place === '' ? message : message.replace(/^line \d+, column \d+: /, '');
      return indented(
        `${place}${label}${where}: ${text} [${code}]${hint === undefined ? '' : `\nhint: ${hint}`}`,
      );
    })
    .join('\n');
}

function isPlaced(problem: Problem): problem is PlacedProblem {
  return 'line' in problem && 'column' in problem && 'file' in problem;
}
