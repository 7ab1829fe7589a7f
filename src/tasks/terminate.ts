// `terminate`: ends the execution now, with a status, an output and, where it failed, an error.
import { evaluateMapping } from '../core/expression/mapping.ts';
import { prepareError } from './authored-error.ts';
import { compileField, invalidField } from './compile-config.ts';
import type { TaskType } from './task-type.ts';

const STATUSES = ['completed', 'failed', 'cancelled'] as const;

export const terminate: TaskType = {
  type: 'terminate',
  isPure: true,
  prepare(node) {
    const status = compileField(node, 'status', 'completed');
    const output = compileField(node, 'output');
    const error = prepareError(node);
    return {
      mappings: [status, output, ...error.mappings],
      run(context) {
        const written = evaluateMapping(status, context.scope);
        const ending = STATUSES.find((one) => one === written);
        if (ending === undefined)
          throw invalidField(node, 'status', `one of ${STATUSES.join(', ')}`, written);
        return {
          kind: 'terminate',
          status: ending,
          output: evaluateMapping(output, context.scope),
          error: ending === 'failed' ? { taskId: node.taskId, ...error.evaluate(context.scope) } : null,
        };
      },
    };
  },
};
