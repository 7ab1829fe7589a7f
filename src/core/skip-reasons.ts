// Why a task was skipped or cancelled, in words: for `dagwright explain`.
import type { SkipReason } from './status.ts';

export const SKIP_REASON_TEXTS: Readonly<Record<SkipReason, string>> = {
  condition_false: 'its conditionExpression was false',
  branch_not_taken: 'the condition before it took another branch',
  upstream_skipped: 'a task that it depends on was skipped, so that it can never have what it needs',
  upstream_failed: 'a task that it depends on failed, and failurePolicy lets other branches go on',
  execution_failed: 'another task failed, and failurePolicy ends what has not begun',
  terminated: 'a terminate task ended the execution',
  skipped_by_operator: 'an operator skipped it',
};
