// The error that an author writes in the config of `fail` and `terminate`: code, message, details.
import type { NodeDefinition } from '../core/definition/model.ts';
import { evaluateMapping, type Mapping } from '../core/expression/mapping.ts';
import type { Scope } from '../core/expression/scope.ts';
import type { Json } from '../core/json.ts';
import { compileField, invalidField, readField } from './compile-config.ts';

const CODE = /^[A-Za-z][A-Za-z0-9_.]{0,99}$/;

export interface AuthoredError {
  readonly code: string;
  readonly message: string;
  readonly details?: Json;
}

export interface PreparedError {
  readonly mappings: readonly Mapping[];
  evaluate(scope: Scope): AuthoredError;
}

/** `code` is "handler_error" and `message` names the task where the author wrote none. */
export function prepareError(node: NodeDefinition): PreparedError {
  const code = compileField(node, 'code', 'handler_error');
  const message = compileField(node, 'message', `ended by the ${node.taskType} task "${node.taskId}"`);
  const details = readField(node, 'details') === undefined ? null : compileField(node, 'details');
  return {
    mappings: details === null ? [code, message] : [code, message, details],
    evaluate(scope) {
      const codeText = evaluateMapping(code, scope);
      if (typeof codeText !== 'string' || !CODE.test(codeText))
        throw invalidField(node, 'code', 'letters, digits, "_" and ".", beginning with a letter,', codeText);
      const messageValue = evaluateMapping(message, scope);
      return {
        code: codeText,
        message: typeof messageValue === 'string' ? messageValue : JSON.stringify(messageValue),
        ...(details !== null && { details: evaluateMapping(details, scope) }),
      };
    },
  };
}
