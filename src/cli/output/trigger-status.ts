// What a list says of a trigger: an active one starts nothing while its workflow does not.
import type { DefinitionStatus } from '../../core/definition/model.ts';

/** `active`, `paused`, `active, but its workflow is archived`. */
export function statusBeside({
  status,
  workflowStatus,
}: {
  readonly status: string;
  readonly workflowStatus: DefinitionStatus | null;
}): string {
  if (status !== 'active' || workflowStatus === 'active') return status;
  return `${status}, but its workflow ${workflowStatus === null ? 'is not there' : `is ${workflowStatus}`}`;
}
