import { DagwrightError } from '../core/dagwright-error.ts';
import type { Execution } from './views.ts';

/** An execution whose result was waited for has not completed. */
export class ExecutionFailed extends DagwrightError {
  readonly execution: Execution;
  constructor(execution: Execution) {
    const { id, workflowId, status, error } = execution;
    const why = error === null ? '' : `: ${error.code}: ${error.message}`;
    const message = `execution ${id} of "${workflowId}" is ${status}${why}`;
    const hint = `dagwright executions show ${id}`;
    super('execution_failed', [{ pointer: '', code: 'execution_failed', message, hint }]);
    this.name = 'ExecutionFailed';
    this.execution = execution;
  }
}
