// Every code that a user can meet has a line in the table of its place (core/codes), and every line a code. Codes of problems, answers
// and programs are compared by the compiler as well.
import { describe, expect, it } from 'vitest';
import { ANSWER_CODES } from '../../src/core/codes/answer-codes.ts';
import { CODE_PLACES, meaningsOf } from '../../src/core/codes/code-table.ts';
import { PROBLEM_CODES } from '../../src/core/codes/problem-codes.ts';
import { PROGRAM_CODES } from '../../src/core/codes/program-codes.ts';
import { SQL_CODES } from '../../src/core/codes/sql-codes.ts';
import { TASK_CODES } from '../../src/core/codes/task-codes.ts';
import { SKIP_REASONS } from '../../src/core/status.ts';
import { codesInSource, type FoundCode, sources } from '../support/codes-in-source.ts';

const FOUND = codesInSource();
const SQL = sources('.sql');
const takenBy = (...names: readonly string[]) => FOUND.filter(({ taker }) => names.includes(taker ?? ''));
const without = (found: readonly FoundCode[], table: object) =>
  found.filter(({ code }) => !Object.hasOwn(table, code)).map(({ code, file }) => `${code} of src/${file}`);
const inSql = (pattern: RegExp) =>
  SQL.flatMap(({ file, text }) =>
    [...text.matchAll(pattern)].map((match) => ({ code: match[1]!, file, taker: null, before: [] })),
  );

describe('a code has a line in the table', () => {
  it('wherever it is written', () => {
    expect(new Set(FOUND.map(({ code }) => code)).size).toBeGreaterThan(130);
    expect(
      FOUND.filter(({ code }) => meaningsOf(code).length === 0).map(
        ({ code, file }) => `${code} of src/${file}`,
      ),
    ).toEqual([]);
  });

  it('of errors, where a task or an attempt fails with it', () => {
    const thrown = takenBy('TerminalError', 'RetryableError', 'OutOfQuota', 'ExpressionError', 'fail');
    const written = FOUND.filter(
      ({ file, taker }) => taker === null && /^(tasks\/outbound|tasks\/external-api|engine)\//.test(file),
    ).filter(({ code }) => !(code in PROBLEM_CODES));
    expect(thrown.length).toBeGreaterThan(50);
    expect(without([...thrown, ...written], TASK_CODES)).toEqual([]);
    expect(without(inSql(/'code', '(\w+)'/g), TASK_CODES)).toEqual([]);
  });

  it('of answers, with the status that is answered', () => {
    const answered = takenBy('ApiError').filter(({ before }) => /^\d+$/.test(before[0] ?? ''));
    expect(answered.length).toBeGreaterThan(30);
    expect(without([...answered, ...takenBy('unavailable')], ANSWER_CODES)).toEqual([]);
    for (const { code, before, file } of answered)
      expect(
        ANSWER_CODES[code as keyof typeof ANSWER_CODES].statuses as readonly number[],
        `${code} of src/${file}`,
      ).toContain(Number(before[0]));
    for (const { code, file } of takenBy('unavailable'))
      expect(
        ANSWER_CODES[code as keyof typeof ANSWER_CODES].statuses as readonly number[],
        `${code} of src/${file}`,
      ).toContain(503);
  });

  it('of programs, where a command or the library refuses', () => {
    const refused = [
      ...takenBy('refuse').filter(({ file }) => file.startsWith('cli/')),
      ...takenBy('dagwrightError'),
    ];
    expect(refused.length).toBeGreaterThan(50);
    expect(without(refused, { ...PROGRAM_CODES, ...PROBLEM_CODES, ...ANSWER_CODES })).toEqual([]);
  });

  it('of SQLSTATEs, but for those that our own functions raise among themselves', () => {
    const raised = inSql(/errcode = '(\w+)'/g);
    expect(raised.length).toBeGreaterThan(15);
    expect(
      without(
        raised.filter(({ code }) => !/^DW\d{3}$/.test(code)),
        SQL_CODES,
      ),
    ).toEqual([]);
  });
});

describe('the table', () => {
  it('has no line for what nothing can produce', () => {
    const text = [...sources('.ts'), ...SQL].map((source) => source.text).join('\n');
    const written = new Set(
      [...text.matchAll(/'(\w+)'|(?<=[{\s])(\w+):/g)].map((match) => match[1] ?? match[2]),
    );
    const idle = CODE_PLACES.flatMap(({ codes }) => Object.keys(codes)).filter((code) => !written.has(code));
    // Made of a status.
    expect(idle.filter((code) => !/^http_/.test(code))).toEqual([]);
  });

  it('says what each code means in a sentence, and what to do as one or as what to type', () => {
    for (const { kind, codes } of CODE_PLACES)
      for (const [code, { means, fix }] of Object.entries(codes)) {
        expect(means, `${kind} ${code}`).toMatch(/^[A-Z\d`].*\.$/);
        expect(fix ?? '`x`', `${kind} ${code}`).toMatch(/^[A-Z\d`].*[.`]$/);
      }
  });

  it('has every reason of a skipped task', () => {
    const { codes } = CODE_PLACES.find(({ kind }) => kind === 'skip reason')!;
    expect(Object.keys(codes)).toEqual([...SKIP_REASONS]);
  });
});
