// Ids of executions as they are given on a command line.
import { refuse } from '../../refusal.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isExecutionId(text: string): boolean {
  return UUID.test(text);
}

/** Refuses what cannot be an id. */
export function requireId(id: string): void {
  if (!isExecutionId(id))
    throw refuse('usage', `"${id}" is not an execution id`, 'dagwright executions list');
}
