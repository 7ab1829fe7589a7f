// Ids of executions as they are given on a command line.
import { isUuid } from '../../../core/id.ts';
import { refuse } from '../../refusal.ts';

/** Refuses what cannot be an id. */
export function requireId(id: string): void {
  if (!isUuid(id)) throw refuse('usage', `"${id}" is not an execution id`, 'dagwright executions list');
}
