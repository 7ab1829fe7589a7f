// What authors of task types and embedding programs import from 'dagwright'.
export { RetryableError, TerminalError } from './core/errors.ts';
export {
  type CustomTask,
  type CustomTaskContext,
  type CustomTaskType,
  defineTask,
} from './tasks/custom-task.ts';
