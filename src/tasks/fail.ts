// `fail`: fails with the error that its config says; edges with `on: failure` catch it like any other.
import { TerminalError } from '../core/errors.ts';
import { prepareError } from './authored-error.ts';
import type { TaskType } from './task-type.ts';

export const failTask: TaskType = {
  type: 'fail',
  isPure: true,
  prepare(node) {
    const error = prepareError(node);
    return {
      mappings: error.mappings,
      run(context) {
        const { code, message, details } = error.evaluate(context.scope);
        throw new TerminalError(code, message, details === undefined ? {} : { details });
      },
    };
  },
};
