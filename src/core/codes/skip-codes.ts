// Why a task was skipped.
import type { SkipReason } from '../status.ts';
import type { CodeText } from './code-text.ts';

export const SKIP_CODES: Readonly<Record<SkipReason, CodeText>> = {
  condition_false: { means: 'Its `conditionExpression` was false, null or read what is not there.' },
  branch_not_taken: {
    means: 'The fork before it went another way: another branch, or success where it waits for the failure.',
  },
  upstream_skipped: { means: 'A parent was skipped, or its `triggerRule` is not met.' },
  upstream_failed: { means: 'A parent failed and nothing caught it; so it is with all that follow.' },
  execution_failed: { means: 'The execution fails by its `failurePolicy`, and this had not begun.' },
  terminated: { means: 'A `terminate` ended the execution.' },
  skipped_by_operator: { means: 'Somebody skipped it.' },
};
