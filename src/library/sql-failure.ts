// What a start in a transaction of the caller fails with: the SQLSTATEs of start_workflow (core/codes/sql-codes.ts) as codes of ours.
import type { ProblemCode } from '../core/codes/code.ts';
import { type DagwrightError, dagwrightError } from '../core/dagwright-error.ts';
import { dagwrightErrorOf, type Reached } from './failure.ts';

/** By the state and, where one stands for several, the words of the message. */
const RAISED: readonly (readonly [state: string, words: RegExp, code: ProblemCode])[] = [
  ['P0002', /./, 'not_found'],
  ['53400', /waiting/, 'too_many_waiting'],
  ['53400', /./, 'too_many_starts'],
  ['55000', /suspended/, 'tenant_suspended'],
  ['55000', /tier/, 'tier_too_low'],
  ['55000', /./, 'not_active'],
  ['54000', /./, 'payload_too_large'],
  ['22023', /./, 'validation'],
];

/** `cause` is kept: the caller's own code may know its SQLSTATE. */
export function errorOfSql(cause: unknown, reached: Reached): DagwrightError {
  const {
    code: state,
    message,
    hint,
  } = (cause ?? {}) as {
    readonly code?: unknown;
    readonly message?: unknown;
    readonly hint?: unknown;
  };
  const told = String(message);
  const raised = RAISED.find(([known, words]) => known === state && words.test(told));
  if (raised !== undefined)
    return dagwrightError(raised[2], told, {
      hint: typeof hint === 'string' ? hint : `dagwright explain ${raised[2]}`,
      cause,
    });
  if (state === '42501' || state === '42883' || state === '3F000')
    return dagwrightError('database', `the login of this connection may not start workflows: ${told}`, {
      hint: 'as a superuser: grant dagwright_caller to LOGIN',
      cause,
    });
  if (state === '25P02')
    return dagwrightError('database', told, {
      hint: 'an earlier statement of the transaction failed: roll it back',
      cause,
    });
  return dagwrightErrorOf(cause, reached);
}
