// A command that cannot do what was asked: problems for people on stderr, or one JSON object on stdout; exit code 1.
import type { Problem } from '../core/errors.ts';
import type { Outcome, RefusalCode } from '../resources/outcome.ts';

/** Ends the command with exit code 1 and these problems. */
export class Refusal extends Error {
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    super(problems.map(({ message }) => message).join('; '));
    this.name = 'Refusal';
    this.problems = problems;
  }
}

/** A refusal with one problem. */
export function refuse(code: string, message: string, hint?: string, pointer = ''): Refusal {
  return new Refusal([{ pointer, code, message, ...(hint === undefined ? {} : { hint }) }]);
}

export interface RefusalWords {
  /** The argument that a pointer into what was given came by: `{ '/value': '<value>' }`; others stay as they are. */
  readonly arguments?: Readonly<Record<string, string>>;
  /** What to type, by the code of the refusal, where the problem itself has no hint. */
  readonly hints?: Partial<Record<RefusalCode, string>>;
}

/** The value of an act upon a resource, or a Refusal in the words of the command line. */
export function outcomeToRefusal<Value>(outcome: Outcome<Value>, words: RefusalWords = {}): Value {
  if (outcome.ok) return outcome.value;
  const hint = words.hints?.[outcome.code];
  throw new Refusal(
    outcome.problems.map((problem) => ({
      ...(hint === undefined ? {} : { hint }),
      ...problem,
      pointer: words.arguments?.[problem.pointer] ?? problem.pointer,
    })),
  );
}

/** Problems as lines of text. */
export function problemLines(problems: readonly Problem[], label = 'error'): string {
  return problems
    .map(({ pointer, code, message, hint }) => {
      // Messages about settings and arguments begin with their name.
      const where = pointer === '' || message.startsWith(`${pointer} `) ? '' : ` ${pointer}`;
      return `${label}${where}: ${message} [${code}]${hint === undefined ? '' : `\n  hint: ${hint}`}`;
    })
    .join('\n');
}
