import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCron } from '../../../src/core/cron/expression.ts';
import { depth } from '../../support/depth.ts';

function refusal(expression: string): string {
  const read = parseCron(expression);
  if (read.ok) throw new Error(`${expression} was accepted`);
  for (const { code, pointer } of read.problems)
    expect({ code, pointer }).toEqual({ code: 'cron', pointer: '' });
  return read.problems
    .map(({ message, hint }) => (hint === undefined ? message : `${message} [${hint}]`))
    .join('\n');
}
function accepted(expression: string) {
  const read = parseCron(expression);
  if (!read.ok) throw new Error(read.problems.map(({ message }) => message).join('; '));
  return read.value;
}

describe('a cron expression', () => {
  test('has five fields of numbers, names, lists, ranges and steps', () => {
    expect(accepted('  5/20,0  1-3\t1,15 JAN-mar,Dec mon-FRI ')).toEqual({
      text: '5/20,0 1-3 1,15 JAN-mar,Dec mon-FRI',
      minutes: [0, 5, 25, 45],
      hours: [1, 2, 3],
      daysOfMonth: [1, 15],
      months: [1, 2, 3, 12],
      daysOfWeek: [1, 2, 3, 4, 5],
      dayOfMonthGiven: true,
      dayOfWeekGiven: true,
      fixed: true,
    });
  });

  test.each([
    ['0', [0]],
    ['7', [0]],
    ['0,7', [0]],
    ['5-7', [0, 5, 6]],
    ['fri-sun', [0, 5, 6]],
    ['sun-tue', [0, 1, 2]],
    ['sat-sun,1', [0, 1, 6]],
    ['*/2', [0, 2, 4, 6]],
    ['tue/2', [2, 4, 6]],
    ['*/7', [0]],
    ['*', [0, 1, 2, 3, 4, 5, 6]],
  ])('counts Sunday as 0 and 7: %s', (field, days) => {
    expect(accepted(`0 0 * * ${field}`).daysOfWeek).toEqual(days);
  });

  test('may name a value twice', () => {
    expect(accepted('1,1,0-2,*/30 * * * *').minutes).toEqual([0, 1, 2, 30]);
  });

  test('keeps the days that only some of its months have', () => {
    expect(accepted('0 0 29,31,30-31 2,4-6 *').daysOfMonth).toEqual([29, 30, 31]);
  });

  test.each([
    ['* * * * *', false],
    ['*/5 2 * * *', false],
    ['0 */2 * * *', false],
    ['0,*/40 2 * * *', false],
    ['30 0-23 * * *', false],
    ['30 0/1 * * *', false],
    ['0-30 1 * * *', true],
    ['0,30 0-23/2 * * *', true],
    ['0/15 2 * * *', true],
    ['0 2 */2 */3 *', true],
  ])('names fixed times without a wildcard in minutes and hours: %s is %s', (expression, fixed) => {
    expect(accepted(expression).fixed).toBe(fixed);
  });

  test.each([
    ['', /has 0 fields, expected exactly five: minute hour day-of-month month day-of-week/],
    ['* * * *', /has 4 fields, expected exactly five/],
    ['0 */5 * * * *', /has 6 fields.*\[.*leave out the first field: "\*\/5 \* \* \* \*"\]/],
    ['* * * * * * *', /has 7 fields/],
    ['@hourly', /names with @ are not supported.*\[write "0 \* \* \* \*"\]/],
    ['@MONTHLY', /\[write "0 0 1 \* \*"\]/],
    ['@reboot', /names with @ are not supported/],
    ['0 0 ? * 1', /day-of-month "\?": \? is not supported.*\[write \*\]/],
    ['H * * * *', /minute "H": H in "H" is not supported, expected 0-59 with \* , - \//],
    ['H(0-29)/10 * * * *', /H in/],
    ['0 0 L * *', /day-of-month "L": L in/],
    ['0 0 L-2 * *', /L in/],
    ['0 0 LW * *', /L in/],
    ['0 0 15W * *', /W in "15W" is not supported/],
    ['0 0 * * 5#2', /day-of-week "5#2": # in/],
    ['0 0 * * friL', /L in "friL"/],
    ['5-1 * * * *', /minute "5-1": the range "5-1" runs backwards.*\[write "5-59,0-1"\]/],
    ['0 22-2 * * *', /\[write "22-23,0-2"\]/],
    ['0 0 * nov-feb *', /\[write "nov-dec,jan-feb"\]/],
    ['0 0 * * 5-0', /\[write "fri-sat,sun"\]/],
    ['50-10/5 * * * *', /runs backwards.*\[list the values one by one\]/],
    ['*/0 * * * *', /minute "\*\/0": the step must be 1 to 59, got "0"/],
    ['0 */24 * * *', /the step must be 1 to 23/],
    ['60 * * * *', /minute "60": "60" is out of range, expected 0 to 59/],
    ['0 24 * * *', /hour "24"/],
    ['0 0 0 * *', /expected 1 to 31/],
    ['0 0 * 13 8', /month "13".*expected 1 to 12\nday-of-week "8".*expected 0 to 7/],
    ['1,,2 * * * *', /a part of the list is empty/],
    [', * * * *', /a part of the list is empty/],
    ['*-5 * * * *', /cannot read "\*-5"/],
    ['1/ * * * *', /cannot read/],
    ['-1 * * * *', /cannot read/],
    ['1.5 * * * *', /cannot read/],
    ['1e1 * * * *', /cannot read/],
    ['0x1 * * * *', /cannot read/],
    ['٣ * * * *', /cannot read/],
    ['0 0 * * monday', /day-of-week "monday": cannot read "monday", expected 0-7 or sun-sat/],
    ['0 0 * mon *', /month "mon": cannot read "mon", expected 1-12 or jan-dec/],
    ['0 0 31 2 *', /never fires: no day 31 in feb/],
    ['0 0 30-31 2 *', /never fires: no day 30 in feb/],
    ['0 0 31 4,6,9,11 *', /never fires: no day 31 in apr, jun, sep, nov/],
    ['0\n0 * * *', /has 4 fields/],
    [`${'0,'.repeat(300)}0 * * * *`, /has 609 characters, expected at most 512/],
  ])('refuses %j and says why', (expression, text) => {
    expect(refusal(expression)).toMatch(text);
  });

  test('never fires only when no day of the week is given', () => {
    expect(accepted('0 0 31 2 1').daysOfMonth).toEqual([31]);
    expect(accepted('0 0 29 2 *').fixed).toBe(true);
  });

  test('is read or refused with a message that can be stored, whatever it is', () => {
    const good = ['*', '0', '5', '12', '07', '*/2', '1-3', '3/4'];
    const bad = ['7-2', 'mon', 'JAN', 'L', '?', '#', '60', '', '\u0000'];
    const token = fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom(...good) },
      { weight: 1, arbitrary: fc.constantFrom(...bad) },
    );
    const field = fc.array(token, { minLength: 1, maxLength: 2 }).map((parts) => parts.join(','));
    const near = fc.array(field, { minLength: 5, maxLength: 5 }).map((fields) => fields.join(' '));
    const odd = fc
      .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 600 })
      .map((codes) => String.fromCharCode(...codes));
    let acceptedCount = 0;
    fc.assert(
      fc.property(fc.oneof(near, odd), (expression) => {
        const read = parseCron(expression);
        if (read.ok) {
          acceptedCount++;
          const { minutes, hours, daysOfMonth, months, daysOfWeek } = read.value;
          return [minutes, hours, daysOfMonth, months, daysOfWeek].every(
            (values) => values.length > 0 && values.every(Number.isInteger),
          );
        }
        // Two quoted texts of 80 characters, each perhaps written as \u0001.
        return read.problems.every(
          ({ message, hint = '' }) =>
            message.length < 1200 &&
            `${message}${hint}`.isWellFormed() &&
            !`${message}${hint}`.includes('\u0000'),
        );
      }),
      { numRuns: depth(500), seed: 1 },
    );
    expect(acceptedCount).toBeGreaterThan(5);
  });
});
