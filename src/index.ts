// What programs and authors of task types import from 'dagwright'.
import './library/node-version.ts';

export { DagwrightError } from './core/dagwright-error.ts';
export { RetryableError, TerminalError } from './core/errors.ts';
export { Dagwright } from './library/dagwright.ts';
export { ExecutionFailed } from './library/execution-failed.ts';
export type {
  ConnectOptions,
  EventsOptions,
  StartOptions,
  TransactionClient,
  WaitOptions,
  WorkerOptions,
} from './library/options.ts';
export type { Run } from './library/run.ts';
export type {
  AppliedWorkflow,
  Execution,
  ExecutionEvent,
  ExecutionTask,
  ExecutionWithTasks,
} from './library/views.ts';
export { type Workflow, workflow } from './library/workflow.ts';
export {
  type CustomTask,
  type CustomTaskContext,
  type CustomTaskType,
  defineTask,
} from './tasks/custom-task.ts';
