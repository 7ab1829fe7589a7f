// What is said of a schedule or webhook that left its definition, to whoever acts upon it.
import type { Problem } from '../core/errors.ts';

export function removedProblem(
  what: 'schedule' | 'webhook',
  { workflowId, removedAt }: { readonly workflowId: string; readonly removedAt: string | null },
): Problem {
  return {
    pointer: '',
    code: 'removed',
    message: `the ${what} was removed from the definition of "${workflowId}" at ${removedAt}`,
    hint: 'it comes back as it was when the `triggers` of a definition name it again; DELETE removes it for good',
  };
}
