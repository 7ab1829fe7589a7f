// The types that the table of codes gives: a code without a line does not compile.
import type { ANSWER_CODES } from './answer-codes.ts';
import type { PROBLEM_CODES } from './problem-codes.ts';
import type { PROGRAM_CODES } from './program-codes.ts';
import type { TASK_CODES } from './task-codes.ts';

export type AnswerCode = keyof typeof ANSWER_CODES;
export type ProgramCode = keyof typeof PROGRAM_CODES;

/** Of a problem: its own codes, and those of refusals and errors that are told as one. */
export type ProblemCode = keyof typeof PROBLEM_CODES | keyof typeof TASK_CODES | AnswerCode | ProgramCode;
