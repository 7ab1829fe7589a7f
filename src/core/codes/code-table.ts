// Every code that a user can meet, by where it appears: what `dagwright explain` answers and what docs/language/errors.md is made of.
// The same word may stand for several things in several places (`timeout`).
import { DEFAULT_RETRY_ON, matchesAnyErrorCode } from '../errors.ts';
import { ANSWER_CODES } from './answer-codes.ts';
import type { CodeList, CodeText } from './code-text.ts';
import { PROBLEM_CODES } from './problem-codes.ts';
import { PROGRAM_CODES } from './program-codes.ts';
import { SKIP_CODES } from './skip-codes.ts';
import { SQL_CODES } from './sql-codes.ts';
import { HTTP_CODE, TASK_CODES } from './task-codes.ts';

export interface CodePlace {
  /** One of its codes: `error code`. */
  readonly kind: string;
  /** All of them: `error codes`. */
  readonly plural: string;
  /** Where it is read. */
  readonly where: string;
  readonly codes: CodeList;
}

export const CODE_PLACES: readonly CodePlace[] = [
  {
    kind: 'error code',
    plural: 'error codes',
    where: '`error.code` of a task, and so of its execution',
    codes: TASK_CODES,
  },
  { kind: 'skip reason', plural: 'skip reasons', where: '`reason` of a skipped task', codes: SKIP_CODES },
  {
    kind: 'problem code',
    plural: 'problem codes',
    where: '`code` of a problem of a definition, an input or a request',
    codes: PROBLEM_CODES,
  },
  {
    kind: 'answer code',
    plural: 'answer codes',
    where: '`code` of an answer of the API; the command line and the library refuse acts with the same',
    codes: ANSWER_CODES,
  },
  {
    kind: 'program code',
    plural: 'program codes',
    where: '`[code]` behind what a command says, `code` of what the library throws',
    codes: PROGRAM_CODES,
  },
  {
    kind: 'SQLSTATE',
    plural: 'SQLSTATEs',
    where: 'errors of the functions for other services',
    codes: SQL_CODES,
  },
];

export interface CodeMeaning extends CodeText {
  readonly kind: string;
  readonly where: string;
  readonly statuses?: readonly number[];
  /** Of error codes: whether a policy without `retryOn` tries it again. */
  readonly isRetried?: boolean;
}

/** All that a code stands for; empty: none of ours. */
export function meaningsOf(name: string): readonly CodeMeaning[] {
  return CODE_PLACES.flatMap(({ kind, where, codes }) => {
    const isOfTask = codes === TASK_CODES;
    const text = Object.hasOwn(codes, name) ? codes[name] : isOfTask ? statusText(name) : undefined;
    if (text === undefined) return [];
    return { ...text, kind, where, ...(isOfTask && { isRetried: isRetriedByDefault(name) }) };
  });
}

function statusText(name: string): CodeText | undefined {
  const status = HTTP_CODE.exec(name)?.[1];
  return status === undefined ? undefined : { means: `A service answered with the status ${status}.` };
}

const isRetriedByDefault = (code: string): boolean => matchesAnyErrorCode(DEFAULT_RETRY_ON, code);
