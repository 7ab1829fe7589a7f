// `transformation`: evaluates the mapping `output`; without one, passes the task's input on.
import { evaluateMapping } from '../core/expression/mapping.ts';
import { compileField, readField } from './compile-config.ts';
import type { TaskType } from './task-type.ts';

export const transformation: TaskType = {
  type: 'transformation',
  isPure: true,
  completesAtOnce: true,
  prepare(node) {
    if (readField(node, 'output') === undefined)
      return { mappings: [], run: (context) => ({ kind: 'completed', output: context.input }) };
    const output = compileField(node, 'output');
    return {
      mappings: [output],
      run: (context) => ({ kind: 'completed', output: evaluateMapping(output, context.scope) }),
    };
  },
};
