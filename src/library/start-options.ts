// What is wrong with the options of a start, before anything is asked of the database.
import type { ProblemCode } from '../core/codes/code.ts';
import type { Problem } from '../core/errors.ts';
import { PRIORITY } from '../core/priority.ts';
import type { StartOptions } from './options.ts';

/** As `start_workflow` has it. */
const MAX_KEY_BYTES = 500;

/** All at once; pointers name the option. */
export function optionProblems({ idempotencyKey, priority, revision, runAt }: StartOptions): Problem[] {
  const problems: Problem[] = [];
  const report = (option: string, code: ProblemCode, message: string, hint: string) =>
    void problems.push({ pointer: `/${option}`, code, message: `${option} ${message}`, hint });
  if (
    priority !== undefined &&
    !(Number.isInteger(priority) && priority >= PRIORITY.min && priority <= PRIORITY.max)
  )
    report(
      'priority',
      'range',
      `must be a whole number from ${PRIORITY.min} to ${PRIORITY.max}, got ${priority}`,
      `${PRIORITY.default} where absent`,
    );
  if (revision !== undefined && !(Number.isInteger(revision) && revision > 0))
    report(
      'revision',
      'range',
      `must be a whole number from 1 on, got ${revision}`,
      'leave it out for the latest',
    );
  if (runAt !== undefined && !(runAt instanceof Date && !Number.isNaN(runAt.getTime())))
    report('runAt', 'format', 'must be a Date with a time', 'new Date(Date.now() + 60_000)');
  const keyBytes = idempotencyKey === undefined ? 1 : Buffer.byteLength(idempotencyKey);
  if (keyBytes < 1 || keyBytes > MAX_KEY_BYTES)
    report(
      'idempotencyKey',
      'too_long',
      `has 1 to ${MAX_KEY_BYTES} bytes, got ${keyBytes}`,
      'a hash of what names the start',
    );
  return problems;
}
